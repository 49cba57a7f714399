// ServeOutput's line: one [[serve.output]] while it runs, to other programs or to a file.
//
// Packets go on from stream to stream, and the first one of each is marked kReset. A file holds one
// stream; that of a later one has a number in its name. Frames that are missing in the middle of a
// recording are silence there, so that what follows stays where it belongs.
//
// What fails, as on a full disk, is told once and ends this line alone.
//
// Thread: one at a time; status() and has_failed(): any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "demos/firbank/serve_status.hpp"
#include "engine/config/serve_settings.hpp"
#include "io/block.hpp"
#include "io/endpoint.hpp"
#include "io/packet_endpoint.hpp"
#include "io/planar_packets.hpp"
#include "io/stream_recorder.hpp"

namespace firbank::program {

class ServeLine {
 public:
  struct Format {
    std::size_t channels = 0;
    double sample_rate_hz = 0;
    std::size_t packet_frames = 256;
    bool is_table = false;  // rows of doubles instead of samples
    std::string unit;
    std::vector<std::string> channel_names;
  };

  /// Listens, or creates the file. Throws: Error naming the place in the configuration.
  ServeLine(const ServeOutput& output, const Format& format);
  ~ServeLine();
  ServeLine(const ServeLine&) = delete;
  ServeLine& operator=(const ServeLine&) = delete;

  ServedKind kind() const noexcept { return output_.kind; }
  const std::string& name() const noexcept { return name_; }

  void begin_stream();
  void write(const BasicBlock<const float>& block);
  void write(const BasicBlock<const double>& block);
  /// Completes the stream's file.
  void end_stream();
  /// No stream follows.
  void finish();

  bool has_failed() const noexcept { return has_failed_; }
  /// How it stands behind the newest write. Waits for no write.
  ServeLineStatus status() const;

 private:
  template <class Sample>
  void write_any(const BasicBlock<const Sample>& block);
  void record(const BasicBlock<const float>& block);
  void open_file();
  void close_file();
  void count_drops();
  void fail(const std::string& why);

  ServeOutput output_;
  Format format_;
  std::string name_;
  std::unique_ptr<PacketSink> sink_;
  std::optional<PlanarPackets> packets_;
  std::unique_ptr<StreamRecorder> recorder_;  // of samples
  std::unique_ptr<Sink> table_;               // of rows
  std::string path_;                          // of the file that is open
  std::size_t streams_ = 0;
  bool is_first_packet_ = false;
  bool has_frames_ = false;  // of this stream
  std::int64_t next_frame_ = 0;
  std::int64_t dropped_before_ = 0;  // in files that are complete
  std::vector<float> silence_;
  std::atomic<bool> has_failed_{false};
  mutable std::mutex mutex_;
  ServeLineStatus status_;  // under the mutex
};

}  // namespace firbank::program
