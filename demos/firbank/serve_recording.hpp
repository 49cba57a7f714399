// ServeRecording: one file of an output, while it is written.
//
// Frames that are missing in its middle are silence, so that what follows stays where it belongs.
// Samples go through a ring and a thread to the disk; rows of a table are few, and go at once.
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "demos/firbank/serve_status.hpp"
#include "io/block.hpp"
#include "io/endpoint.hpp"
#include "io/stream_recorder.hpp"

namespace firbank::program {

class ServeRecording {
 public:
  struct Format {
    std::size_t channels = 0;
    double sample_rate_hz = 0;
    bool is_table = false;  // rows of doubles
    bool waits = false;     // for a slow disk, instead of dropping frames
  };

  /// How long a disk may take nothing at all while a recording waits for it.
  static constexpr std::chrono::seconds kPatience{10};

  /// Throws: Error when the file cannot be created.
  ServeRecording(const std::string& path, const Format& format);

  /// Throws: Error (kOutput), for a table; where samples could not be written, finish() does.
  void write(const BasicBlock<const float>& block);
  void write(const BasicBlock<const double>& rows);

  /// So far: silence because the disk was too slow, and where in the output's stream first.
  std::int64_t dropped_frames() const noexcept;
  std::int64_t first_dropped_frame() const noexcept;  // -1 when there is none

  /// Whether nothing more can be written.
  bool has_failed() const noexcept { return recorder_ && recorder_->has_failed(); }

  /// Completes the file; `file` is what it holds, also of one that failed: what had room. Throws:
  /// Error (kOutput).
  void finish(RecordedFile& file);

 private:
  /// Before the next frames: where the file begins, or silence up to there.
  void move_to(std::int64_t first_frame);
  void describe(RecordedFile& file) const;

  std::string path_;
  Format format_;
  std::unique_ptr<StreamRecorder> recorder_;  // of samples
  std::unique_ptr<Sink> table_;               // of rows
  bool has_frames_ = false;
  std::int64_t first_frame_ = 0;
  std::int64_t next_frame_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace firbank::program
