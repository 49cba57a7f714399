#include "demos/firbank/serve_output.hpp"

#include <algorithm>
#include <filesystem>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/console.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/serve_ways.hpp"
#include "io/error.hpp"
#include "io/files.hpp"

namespace firbank::program {
namespace {

/// Longer ones are not made up by the engine either.
constexpr std::int64_t kMostSilence = std::int64_t{1} << 20;

StreamHeader header_of(const ServeLine::Format& format) {
  StreamHeader header;
  header.format = {format.is_table ? NativeType::kFloat64 : NativeType::kFloat32, false, 1, 0};
  header.channels = format.channels;
  header.sample_rate_hz = format.sample_rate_hz;
  // Blocks of very many channels go in several packets.
  header.packet_frames =
      std::clamp<std::size_t>(kMostPacketBytes / frame_bytes(header), 1, format.packet_frames);
  header.unit = format.unit;
  header.channel_names = format.channel_names;
  return header;
}

/// "take.wav", "take-2.wav": of each stream.
std::string numbered(const std::string& path, std::size_t stream) {
  if (stream <= 1) return path;
  std::filesystem::path file(path);
  const std::string extension = file.extension().string();
  file.replace_filename(fmt::format("{}-{}{}", file.stem().string(), stream, extension));
  return file.string();
}

}  // namespace

ServeLine::ServeLine(const ServeOutput& output, const Format& format)
    : output_(output), format_(format) {
  status_.kind = output_.kind;
  status_.is_file = output_.to.kind == PacketWay::Kind::kFile;
  try {
    if (status_.is_file) {
      name_ = output_.to.name;
      open_file();
    } else {
      sink_ = create_packet_sink(output_.to, header_of(format_), name_);
      packets_.emplace(*sink_);
    }
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", output_.to.place, error.what()));
  }
  status_.to = name_;
}

ServeLine::~ServeLine() = default;

void ServeLine::open_file() {
  path_ = numbered(output_.to.name, streams_ == 0 ? 1 : streams_);
  StreamFormat format;
  format.channels = format_.channels;
  format.sample_rate_hz = format_.sample_rate_hz;
  if (format_.is_table) {
    table_ = create_sink(path_, format, {.encoding = SampleEncoding::kFloat64});
    return;
  }
  const SignalsForMainThread guard;
  recorder_ = std::make_unique<StreamRecorder>(create_sink(path_, format), format_.channels,
                                               format_.sample_rate_hz);
}

void ServeLine::begin_stream() {
  ++streams_;
  is_first_packet_ = true;
  has_frames_ = false;
  if (has_failed() || sink_ || table_ || recorder_) return;
  try {
    open_file();
  } catch (const Error& error) {
    fail(error.what());
  }
}

void ServeLine::fail(const std::string& why) {
  if (has_failed()) return;
  {
    const std::lock_guard lock(mutex_);
    status_.failure = why;
  }
  has_failed_ = true;
  tell("firbank: {} output to {} has stopped, all else goes on: {}\n", name_of(output_.kind), name_,
       why);
}

template <class Sample>
void ServeLine::write_any(const BasicBlock<const Sample>& block) {
  if (has_failed() || block.frames == 0) return;
  try {
    if (packets_) {
      BasicBlock<const Sample> marked = block;
      if (std::exchange(is_first_packet_, false)) marked.flags |= BlockFlags::kReset;
      packets_->write(marked);
    } else if constexpr (std::is_same_v<Sample, float>) {
      record(block);
    } else {
      table_->write(block);
    }
    has_frames_ = true;
    const std::lock_guard lock(mutex_);
    status_.frames += static_cast<std::int64_t>(block.frames);
    count_drops();
  } catch (const Error& error) {
    fail(error.what());
    close_file();
  }
}

void ServeLine::write(const BasicBlock<const float>& block) {
  write_any(block);
}

void ServeLine::write(const BasicBlock<const double>& block) {
  write_any(block);
}

void ServeLine::record(const BasicBlock<const float>& block) {
  std::int64_t missing = has_frames_ ? block.first_frame - next_frame_ : 0;
  if (missing > 0 && missing <= kMostSilence) {
    silence_.resize(1'024);
    const std::vector<const float*> planes(format_.channels, silence_.data());
    for (; missing > 0; missing -= 1'024) {
      recorder_->offer(planes.data(), planes.size(), nullptr, 0,
                       static_cast<std::size_t>(std::min<std::int64_t>(missing, 1'024)));
    }
  }
  recorder_->offer(block.planes, block.channels, nullptr, 0, block.frames);
  next_frame_ = block.first_frame + static_cast<std::int64_t>(block.frames);
  // finish() says why.
  if (recorder_->has_failed()) close_file();
}

/// Under the mutex.
void ServeLine::count_drops() {
  if (!recorder_ || recorder_->dropped_frames() == 0) return;
  if (status_.first_dropped_frame < 0) {
    status_.first_dropped_frame = recorder_->first_dropped_frame();
  }
  status_.dropped_frames = dropped_before_ + recorder_->dropped_frames();
}

void ServeLine::close_file() {
  if (!recorder_ && !table_) return;
  try {
    if (recorder_) {
      const std::lock_guard lock(mutex_);
      count_drops();
      dropped_before_ = status_.dropped_frames;
    }
    if (recorder_) recorder_->finish();
    if (table_) table_->finish();
  } catch (const Error& error) {
    fail(error.what());
  }
  // Also of one that failed there is what had room.
  if (std::filesystem::is_regular_file(path_)) {
    const std::lock_guard lock(mutex_);
    status_.files.push_back(path_);
  }
  recorder_.reset();
  table_.reset();
}

void ServeLine::end_stream() {
  close_file();
}

void ServeLine::finish() {
  // Of a stream that never came there is no file.
  if (streams_ == 0) {
    recorder_.reset();
    table_.reset();
  }
  if (has_failed()) return;
  try {
    if (sink_) sink_->finish();
  } catch (const Error& error) {
    fail(error.what());
  }
}

ServeLineStatus ServeLine::status() const {
  std::unique_lock lock(mutex_);
  ServeLineStatus status = status_;
  lock.unlock();
  if (sink_) status.packets = sink_->stats();
  return status;
}

}  // namespace firbank::program
