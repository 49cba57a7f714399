#include "demos/firbank/serve_recording.hpp"

#include <algorithm>
#include <filesystem>

#include "demos/firbank/interrupt.hpp"
#include "io/error.hpp"
#include "io/files.hpp"

namespace firbank::program {
namespace {

/// How much of a stream waits for the disk: 4 s, or what has room in 256 MB.
double ring_seconds(const ServeRecording::Format& format) {
  constexpr double kSeconds = 4;
  constexpr double kMostBytes = 256e6;
  const double bytes_a_second =
      format.sample_rate_hz * static_cast<double>(format.channels * sizeof(float));
  return std::min(kSeconds, kMostBytes / bytes_a_second);
}

/// As the file itself says; `otherwise` where it cannot be read.
std::int64_t frames_in(const std::string& path, std::int64_t otherwise) {
  try {
    return open_source(path)->format().frames.value_or(otherwise);
  } catch (const Error&) {
    return otherwise;
  }
}

}  // namespace

ServeRecording::ServeRecording(const std::string& path, const Format& format)
    : path_(path), format_(format) {
  StreamFormat stream;
  stream.channels = format_.channels;
  stream.sample_rate_hz = format_.sample_rate_hz;
  if (format_.is_table) {
    table_ = create_sink(path_, stream, {.encoding = SampleEncoding::kFloat64});
    return;
  }
  const SignalsForMainThread guard;
  recorder_ = std::make_unique<StreamRecorder>(create_sink(path_, stream), format_.channels,
                                               format_.sample_rate_hz, ring_seconds(format_));
}

void ServeRecording::move_to(std::int64_t first_frame) {
  if (!has_frames_) {
    first_frame_ = next_frame_ = first_frame;
    has_frames_ = true;
  }
  if (recorder_) recorder_->skip(first_frame - next_frame_);
  next_frame_ = first_frame;
}

void ServeRecording::write(const BasicBlock<const float>& block) {
  move_to(block.first_frame);
  if (format_.waits) {
    recorder_->write(block.planes, block.frames, kPatience);
  } else {
    recorder_->offer(block.planes, block.channels, nullptr, 0, block.frames);
  }
  next_frame_ += static_cast<std::int64_t>(block.frames);
}

void ServeRecording::write(const BasicBlock<const double>& rows) {
  move_to(rows.first_frame);
  table_->write(rows);
  rows_ += static_cast<std::int64_t>(rows.frames);
  next_frame_ += static_cast<std::int64_t>(rows.frames);
}

void ServeRecording::describe(RecordedFile& file) const {
  file.path = path_;
  file.first_frame = first_frame_;
  file.frames = recorder_ ? recorder_->written_frames() : rows_;
  file.dropped_frames = dropped_frames();
  file.first_dropped_frame = first_dropped_frame();
}

std::int64_t ServeRecording::dropped_frames() const noexcept {
  return recorder_ ? recorder_->dropped_frames() : 0;
}

std::int64_t ServeRecording::first_dropped_frame() const noexcept {
  return dropped_frames() > 0 ? first_frame_ + recorder_->first_dropped_frame() : -1;
}

void ServeRecording::finish(RecordedFile& file) {
  try {
    if (recorder_) recorder_->finish();
    if (table_) table_->finish();
    describe(file);
  } catch (const Error&) {
    describe(file);
    // The last block may have had room in part.
    file.frames = std::filesystem::is_regular_file(path_) ? frames_in(path_, file.frames) : 0;
    throw;
  }
}

}  // namespace firbank::program
