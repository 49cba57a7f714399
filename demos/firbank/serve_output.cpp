#include "demos/firbank/serve_output.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/console.hpp"
#include "demos/firbank/serve_ways.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

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

}  // namespace

ServeLine::ServeLine(const ServeOutput& output, const Format& format, ServeFileNames& names,
                     const std::function<void(const std::string&)>& notice)
    : output_(output), format_(format), names_(names), notice_(notice) {
  status_.kind = output_.kind;
  status_.is_file = output_.to.kind == PacketWay::Kind::kFile;
  try {
    // Standard output is there in any case; its header waits for what a sender tells.
    if (output_.to.kind == PacketWay::Kind::kStandardStream) {
      name_ = "standard output";
    } else if (status_.is_file) {
      open_file();
    } else {
      open_sink();
    }
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", output_.to.place, error.what()));
  }
  status_.to = status_.is_file ? output_.to.name : name_;
}

ServeLine::~ServeLine() = default;

void ServeLine::open_file() {
  name_ = names_.take(output_.to.name);
  ServeRecording::Format format;
  format.channels = format_.channels;
  format.sample_rate_hz = format_.sample_rate_hz;
  format.is_table = format_.is_table;
  format.waits = format_.waits;
  recording_ = std::make_unique<ServeRecording>(name_, format);
  if (name_ != output_.to.name) {
    notice_(fmt::format("{} output goes to {}: {} is there already", name_of(output_.kind), name_,
                        output_.to.name));
  }
}

void ServeLine::open_sink() {
  sink_ = create_packet_sink(output_.to, header_of(format_), name_);
  packets_.emplace(*sink_);
}

void ServeLine::begin_stream(const StreamHeader& sender) {
  has_begun_ = is_first_packet_ = true;
  if (output_.to.kind == PacketWay::Kind::kFile) {
    if (!recording_) begin_file();
    return;
  }
  if (has_failed()) return;
  if (format_.has_numbers && !sender.channel_names.empty()) {
    format_.channel_names = sender.channel_names;
  }
  if (format_.takes_unit) format_.unit = sender.unit;
  try {
    if (sink_) {
      sink_->describe(format_.unit, format_.channel_names);
    } else {
      open_sink();
    }
  } catch (const Error& error) {
    fail(error.what());
  }
}

void ServeLine::begin_file() {
  if (output_.to.kind != PacketWay::Kind::kFile) return;
  close_file();
  if (has_failed()) return;
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
  tell("firbank: {} output to {} has stopped: {}\n", name_of(output_.kind), name_, why);
}

void ServeLine::leave_out(std::int64_t first_frame, std::int64_t frames) {
  const std::lock_guard lock(mutex_);
  status_.unwritten.add(first_frame, frames);
}

/// Under the mutex.
void ServeLine::count_drops() {
  if (!recording_ || recording_->dropped_frames() == 0) return;
  if (status_.first_dropped_frame < 0) {
    status_.first_dropped_frame = recording_->first_dropped_frame();
  }
  status_.dropped_frames = dropped_before_ + recording_->dropped_frames();
}

template <class Sample>
void ServeLine::write_any(const BasicBlock<const Sample>& block) {
  if (block.frames == 0) return;
  const auto frames = static_cast<std::int64_t>(block.frames);
  if (has_failed()) return leave_out(block.first_frame, frames);
  try {
    if (packets_) {
      BasicBlock<const Sample> marked = block;
      // The engine marks gaps as well, which are no new beginning of the index.
      marked.flags = marked.flags & ~BlockFlags::kReset;
      if (std::exchange(is_first_packet_, false)) marked.flags |= BlockFlags::kReset;
      packets_->write(marked);
    } else {
      recording_->write(block);
    }
    const std::lock_guard lock(mutex_);
    status_.frames += frames;
    count_drops();
  } catch (const Error& error) {
    leave_out(block.first_frame, frames);
    fail(error.what());
  }
  // finish() says why.
  if (recording_ && (has_failed() || recording_->has_failed())) close_file();
}

void ServeLine::write(const BasicBlock<const float>& block) {
  write_any(block);
}

void ServeLine::write(const BasicBlock<const double>& block) {
  write_any(block);
}

void ServeLine::close_file() {
  if (!recording_) return;
  RecordedFile file;
  try {
    recording_->finish(file);
  } catch (const Error& error) {
    fail(error.what());
  }
  {
    const std::lock_guard lock(mutex_);
    count_drops();
    dropped_before_ = status_.dropped_frames;
    // Also of one that failed there is what had room.
    if (std::filesystem::is_regular_file(file.path)) status_.files.push_back(file);
  }
  recording_.reset();
}

void ServeLine::end_stream() {
  close_file();
}

void ServeLine::finish() {
  // Of a stream that never came there is no file.
  if (!has_begun_) recording_.reset();
  if (has_failed()) return;
  try {
    // A reader of standard output is told of the end, also where nothing came.
    if (!sink_ && output_.to.kind == PacketWay::Kind::kStandardStream) open_sink();
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
