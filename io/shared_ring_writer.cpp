#include <new>
#include <optional>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/one_line.hpp"
#include "io/shared_ring.hpp"
#include "io/shared_ring_layout.hpp"

namespace firbank {

using shared_ring::Control;
using shared_ring::RingState;
using shared_ring::SlotMarks;
using shared_ring::Word;

SharedRingWriter::SharedRingWriter(std::string_view name, const StreamHeader& header,
                                   const SharedRingOptions& options)
    : name_(name), header_(header), slots_(options.packets), slot_bytes_(0) {
  const std::string what = fmt::format("shared ring '{}'", one_line(name));
  check(header, what.c_str());
  if (options.packets < 2 || options.packets > shared_ring::kMostSlots) {
    throw Error(ErrorKind::kConfiguration, fmt::format("{}: packets is {}; allowed: 2 to {}", what,
                                                       options.packets, shared_ring::kMostSlots));
  }
  const std::string text = encode(header);
  slot_bytes_ = shared_ring::slot_bytes(header);
  slots_at_ = shared_ring::round_up(shared_ring::kHeaderAt + text.size(), 4096);
  const std::size_t bytes = slots_at_ + slots_ * slot_bytes_;
  segment_ = SharedSegment::create(name, bytes, options.group_may_read);

  auto* const base = static_cast<unsigned char*>(segment_.data());
  auto* const shared = new (base) Control{};
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const ProcessIdentity self = own_identity();
  shared->version.store(shared_ring::kVersion, kRelaxed);
  shared->segment_bytes.store(bytes, kRelaxed);
  shared->slots.store(slots_, kRelaxed);
  shared->slot_bytes.store(slot_bytes_, kRelaxed);
  shared->slots_at.store(slots_at_, kRelaxed);
  shared->header_bytes.store(text.size(), kRelaxed);
  shared->pid.store(self.pid, kRelaxed);
  shared->start_time.store(self.start_time, kRelaxed);
  shared->pid_space.store(self.pid_space, kRelaxed);
  shared->state.store(static_cast<std::uint64_t>(RingState::kRunning), kRelaxed);
  shared_ring::store_words(reinterpret_cast<Word*>(base + shared_ring::kHeaderAt), text.data(),
                           text.size());
  beat();
  shared->magic.store(shared_ring::kMagic, std::memory_order_release);
}

SharedRingWriter::~SharedRingWriter() {
  end();
}

void SharedRingWriter::write(const Packet& packet) {
  if (packet.frames > header_.packet_frames) {
    throw Error(ErrorKind::kOutput,
                fmt::format("shared ring '{}': the packet has {} frames; allowed: up to {}", name_,
                            packet.frames, header_.packet_frames));
  }
  constexpr auto kRelease = std::memory_order_release;
  const std::uint64_t number = order_.number(packet).sequence;
  SlotMarks& marks = slot(number);
  marks.state.store(2 * number + 1, std::memory_order_relaxed);
  marks.sequence.store(number, kRelease);
  marks.first_frame.store(static_cast<std::uint64_t>(packet.first_frame), kRelease);
  marks.timestamp_ns.store(static_cast<std::uint64_t>(packet.timestamp_ns), kRelease);
  marks.frames.store(packet.frames, kRelease);
  marks.flags.store(static_cast<std::uint32_t>(packet.flags), kRelease);
  shared_ring::store_words(reinterpret_cast<Word*>(&marks + 1), packet.samples,
                           packet.frames * frame_bytes(header_));
  marks.state.store(2 * number + 2, kRelease);
  control().published.store(number + 1, kRelease);
  beat();
  control().wake.fetch_add(1, kRelease);
  shared_ring::wake_all(control().wake);

  if (has(packet.flags, BlockFlags::kEndOfStream)) end();
  packets_.store(number + 1, std::memory_order_relaxed);
  frames_.fetch_add(static_cast<std::int64_t>(packet.frames), std::memory_order_relaxed);
}

void SharedRingWriter::beat() noexcept {
  control().heartbeat_ns.store(shared_ring::monotonic_ns(), std::memory_order_release);
}

void SharedRingWriter::finish() {
  if (const std::optional<Packet> end = order_.end()) write(*end);
}

void SharedRingWriter::end() noexcept {
  control().state.store(static_cast<std::uint64_t>(RingState::kEnded), std::memory_order_release);
  control().wake.fetch_add(1, std::memory_order_release);
  shared_ring::wake_all(control().wake);
}

SinkStats SharedRingWriter::stats() const {
  SinkStats stats;
  stats.packets = packets_.load(std::memory_order_relaxed);
  stats.frames = frames_.load(std::memory_order_relaxed);
  return stats;
}

std::string SharedRingWriter::status() const {
  const SinkStats now = stats();
  return fmt::format("shared ring '{}': {} packets, {} frames", name_, now.packets, now.frames);
}

Control& SharedRingWriter::control() const noexcept {
  return *static_cast<Control*>(segment_.data());
}

SlotMarks& SharedRingWriter::slot(std::uint64_t number) const noexcept {
  auto* const base = static_cast<unsigned char*>(segment_.data());
  return *reinterpret_cast<SlotMarks*>(base + slots_at_ + number % slots_ * slot_bytes_);
}

}  // namespace firbank
