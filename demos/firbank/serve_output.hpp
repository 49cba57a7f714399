// ServeLine: one [[serve.output]] while it runs, to other programs or to files.
//
// Packets go on from stream to stream, and only the first one of each is marked kReset: there the
// index begins anew. A file holds one stream, or what lies between two gaps of it that are too long
// for silence, and never takes the place of one that is there.
//
// What fails, as on a full disk, is told once and ends this line alone; what comes for it after
// that is counted.
//
// Thread: one at a time; status() and has_failed(): any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "demos/firbank/serve_file_names.hpp"
#include "demos/firbank/serve_recording.hpp"
#include "demos/firbank/serve_status.hpp"
#include "engine/config.hpp"
#include "engine/config/serve_settings.hpp"
#include "io/block.hpp"
#include "io/packet_endpoint.hpp"
#include "io/planar_packets.hpp"

namespace firbank::program {

class ServeLine {
 public:
  /// Behind a longer gap the engine begins anew, and so does a recording, in a file of its own.
  static constexpr std::int64_t kMostSilence = EngineConfig().max_fill_frames;

  struct Format {
    std::size_t channels = 0;
    double sample_rate_hz = 0;
    std::size_t packet_frames = 256;
    bool is_table = false;  // rows of doubles instead of samples
    bool waits = false;     // recordings wait for the disk, as the input waits for them
    std::string unit;
    bool takes_unit = false;   // of the sender
    bool has_numbers = false;  // channel_names are mere numbers: the sender's are better
    std::vector<std::string> channel_names;
  };

  /// Listens, or creates the file; `names` outlives this, `notice` is told of names that differ
  /// from the configuration's. Throws: Error naming the place in the configuration.
  ServeLine(const ServeOutput& output, const Format& format, ServeFileNames& names,
            const std::function<void(const std::string&)>& notice);
  ~ServeLine();
  ServeLine(const ServeLine&) = delete;
  ServeLine& operator=(const ServeLine&) = delete;

  ServedKind kind() const noexcept { return output_.kind; }
  const std::string& name() const noexcept { return name_; }

  /// `sender`: of whom the unit and the names of channels come that the configuration does not
  /// tell.
  void begin_stream(const StreamHeader& sender);
  /// What follows is too far from what came for one file to hold both.
  void begin_file();
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
  void open_sink();
  void open_file();
  void close_file();
  void count_drops();
  void leave_out(std::int64_t first_frame, std::int64_t frames);
  void fail(const std::string& why);

  ServeOutput output_;
  Format format_;
  ServeFileNames& names_;
  std::function<void(const std::string&)> notice_;
  std::string name_;
  std::unique_ptr<PacketSink> sink_;
  std::optional<PlanarPackets> packets_;
  std::unique_ptr<ServeRecording> recording_;
  bool has_begun_ = false;  // a stream
  bool is_first_packet_ = false;
  std::int64_t dropped_before_ = 0;  // in files that are complete
  std::atomic<bool> has_failed_{false};
  mutable std::mutex mutex_;
  ServeLineStatus status_;  // under the mutex
};

}  // namespace firbank::program
