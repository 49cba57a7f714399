#include <algorithm>
#include <limits>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/interruption.hpp"
#include "io/shared_ring.hpp"
#include "io/shared_ring_layout.hpp"

namespace firbank {
namespace {

using shared_ring::Control;
using shared_ring::RingState;
using shared_ring::SlotMarks;
using shared_ring::Word;

constexpr std::chrono::milliseconds kSlice(50);  // between two looks whether the writer lives
constexpr auto kAcquire = std::memory_order_acquire;

}  // namespace

SharedRingReader::SharedRingReader(std::string_view name, const SharedRingReaderOptions& options)
    : name_(name), options_(options) {
  attach();
}

SharedRingReader::~SharedRingReader() = default;

PacketEvent SharedRingReader::read(std::chrono::milliseconds timeout) {
  const Deadline deadline = deadline_in(timeout);
  packet_ = {};
  while (!is_over_) {
    if (stop_requests() > 0) {
      is_over_ = true;
      break;
    }
    const auto now = std::chrono::steady_clock::now();
    const auto left =
        std::clamp<std::chrono::nanoseconds>(deadline - now, std::chrono::nanoseconds(0), kSlice);
    if (segment_.data() == nullptr && !attach()) {
      if (left.count() == 0) return PacketEvent::kNothing;
      std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, kSlice / 5));
      continue;
    }
    if (std::exchange(is_starting_, false)) return PacketEvent::kStarted;
    const std::uint32_t wake = control().wake.load(kAcquire);
    const std::uint64_t published = control().published.load(kAcquire);
    if (next_ < published) {
      const PacketEvent event = take(published);
      if (event != PacketEvent::kNothing || left.count() == 0) return event;
      continue;
    }
    if (const Writer writer = look_for_writer(); writer != Writer::kThere) {
      // What it wrote last may have come in between.
      if (control().published.load(kAcquire) != published) continue;
      if (writer == Writer::kDied) {
        tally_.drop(
            fmt::format("shared ring '{}': its writer, process {}, has died after {} packets",
                        name_, writer_.pid, published));
      }
      complaint_ = who_has_gone();  // which is said already; the segment may stay
      detach();
      is_over_ = !options_.again;
      return PacketEvent::kStopped;
    }
    if (left.count() == 0) return PacketEvent::kNothing;
    shared_ring::sleep_while(control().wake, wake, left.count());
  }
  return PacketEvent::kEnded;
}

/// Finds the ring and begins to read there; false when there is none to be read.
bool SharedRingReader::attach() {
  try {
    SharedSegment segment = SharedSegment::open(name_, options_.most_bytes, options_.any_owner);
    if (segment.data() == nullptr || !check_segment(segment)) {
      has_looked_ = true;
      return false;
    }
    segment_ = std::move(segment);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kConfiguration) throw;  // the name
    has_looked_ = true;
    complain(error.what());
    return false;
  }
  next_look_ = {};
  if (look_for_writer() != Writer::kThere) {
    has_looked_ = true;
    complain(
        fmt::format("shared ring '{}': process {}, which wrote it, has gone", name_, writer_.pid));
    detach();
    return false;
  }
  const std::uint64_t published = control().published.load(kAcquire);
  next_ = published;
  if (has_looked_) {  // from its beginning, or as near to that as it still has
    next_ = published > slots_ ? published - slots_ / 2 : 0;
  }
  has_looked_ = true;
  complaint_.clear();
  was_passed_ = false;
  is_starting_ = true;
  writer_pid_ = writer_.pid;
  tally_.begin(header_);
  return true;
}

/// Reads what the segment says of itself, and believes what agrees with its size; false while it
/// is not complete.
bool SharedRingReader::check_segment(const SharedSegment& segment) {
  const auto fail = [this](const std::string& why) {
    throw Error(ErrorKind::kInput, fmt::format("shared ring '{}': {}", name_, why));
  };
  const std::size_t bytes = segment.bytes();
  if (bytes < shared_ring::kHeaderAt) {
    fail(fmt::format("it has {} bytes; allowed: from {} on", bytes, shared_ring::kHeaderAt));
  }
  const auto* const base = static_cast<const unsigned char*>(segment.data());
  const auto& shared = *reinterpret_cast<const Control*>(base);
  const std::uint64_t magic = shared.magic.load(kAcquire);
  if (magic == 0) return false;
  if (magic != shared_ring::kMagic) {
    fail(fmt::format("byte 0: it begins with {:#x}; allowed: {:#x}", magic, shared_ring::kMagic));
  }
  const std::uint64_t version = shared.version.load(kAcquire);
  if (version != shared_ring::kVersion) {
    fail(fmt::format("version is {}; allowed: {}", version, shared_ring::kVersion));
  }
  const std::uint64_t claimed = shared.segment_bytes.load(kAcquire);
  const std::uint64_t slots = shared.slots.load(kAcquire);
  const std::uint64_t slot_bytes = shared.slot_bytes.load(kAcquire);
  const std::uint64_t slots_at = shared.slots_at.load(kAcquire);
  const std::uint64_t header_bytes = shared.header_bytes.load(kAcquire);
  if (claimed != bytes) fail(fmt::format("it says it has {} bytes; it has {}", claimed, bytes));
  if (slots < 2 || slots > shared_ring::kMostSlots) {
    fail(fmt::format("slots is {}; allowed: 2 to {}", slots, shared_ring::kMostSlots));
  }
  if (slots_at < shared_ring::kHeaderAt || slots_at > bytes || slots_at % 64 != 0) {
    fail(fmt::format("its slots begin at byte {}; allowed: multiples of 64 from {} to {}", slots_at,
                     shared_ring::kHeaderAt, bytes));
  }
  if (header_bytes > slots_at - shared_ring::kHeaderAt) {
    fail(fmt::format("its header has {} bytes; allowed: up to {}", header_bytes,
                     slots_at - shared_ring::kHeaderAt));
  }
  if (slot_bytes % 64 != 0 || slot_bytes > (bytes - slots_at) / slots) {
    fail(fmt::format("slot bytes is {}; allowed: multiples of 64 up to {}", slot_bytes,
                     (bytes - slots_at) / slots));
  }

  std::vector<std::uint64_t> words(header_bytes / 8 + 1);
  shared_ring::load_words(reinterpret_cast<const Word*>(base + shared_ring::kHeaderAt),
                          words.data(), header_bytes);
  std::span<const unsigned char> text(reinterpret_cast<const unsigned char*>(words.data()),
                                      header_bytes);
  WireParser parser(fmt::format("shared ring '{}': header", name_), options_.expected);
  if (parser.feed(text) != WireParser::Event::kHeader) parser.finish();
  if (slot_bytes < shared_ring::slot_bytes(parser.header())) {
    fail(fmt::format("slot bytes is {}; allowed for its packets: from {} on", slot_bytes,
                     shared_ring::slot_bytes(parser.header())));
  }
  header_ = parser.header();
  slots_ = slots;
  slot_bytes_ = slot_bytes;
  slots_at_ = slots_at;
  writer_ = {shared.pid.load(kAcquire), shared.start_time.load(kAcquire),
             shared.pid_space.load(kAcquire)};
  samples_.resize(header_.packet_frames * frame_bytes(header_) / 8 + 1);
  return true;
}

void SharedRingReader::detach() noexcept {
  segment_ = SharedSegment();
  writer_pid_ = 0;
  is_stalled_ = false;
}

/// The next packet of those that are published, or nothing when the reader was passed by.
PacketEvent SharedRingReader::take(std::uint64_t published) {
  if (published - next_ > slots_) {
    pass_over(published);
    return PacketEvent::kNothing;
  }
  switch (copy(next_)) {
    case Copied::kTooLate:
      pass_over(control().published.load(kAcquire));
      return PacketEvent::kNothing;
    case Copied::kNonsense:
      tally_.drop(
          fmt::format("shared ring '{}': packet {} has {} frames, the first {}; allowed: up "
                      "to {} frames, within 64 bits",
                      name_, next_, packet_.frames, packet_.first_frame, header_.packet_frames));
      packet_ = {};
      ++next_;
      return PacketEvent::kNothing;
    case Copied::kWhole:
      break;
  }
  ++next_;
  tally_.take(packet_);
  if (std::exchange(was_passed_, false) && packet_.gap_before > 0) {
    packet_.flags |= BlockFlags::kMissed;
    tally_.miss(packet_);
  }
  return PacketEvent::kPacket;
}

/// Goes on in the middle of the ring, so that what comes next is whole for a while.
void SharedRingReader::pass_over(std::uint64_t published) noexcept {
  const std::uint64_t back = std::min<std::uint64_t>(published, slots_ / 2);
  next_ = std::max(next_ + 1, published - back);
  was_passed_ = true;
}

SharedRingReader::Copied SharedRingReader::copy(std::uint64_t number) {
  const auto* const base = static_cast<const unsigned char*>(segment_.data());
  const auto& marks =
      *reinterpret_cast<const SlotMarks*>(base + slots_at_ + number % slots_ * slot_bytes_);
  const std::uint64_t whole = 2 * number + 2;
  if (marks.state.load(kAcquire) != whole) return Copied::kTooLate;
  Packet packet;
  packet.sequence = marks.sequence.load(kAcquire);
  packet.first_frame = static_cast<std::int64_t>(marks.first_frame.load(kAcquire));
  packet.timestamp_ns = static_cast<std::int64_t>(marks.timestamp_ns.load(kAcquire));
  packet.frames = marks.frames.load(kAcquire);
  const std::uint64_t flags = marks.flags.load(kAcquire);
  packet.flags = static_cast<BlockFlags>(flags & kWireFlags);
  const bool fits = packet.frames <= header_.packet_frames;
  if (fits) {
    shared_ring::load_words(reinterpret_cast<const Word*>(&marks + 1), samples_.data(),
                            packet.frames * frame_bytes(header_));
  }
  if (marks.state.load(std::memory_order_relaxed) != whole) return Copied::kTooLate;
  packet.samples = samples_.data();
  packet_ = packet;
  const bool is_counted =
      fits && packet.first_frame <= std::numeric_limits<std::int64_t>::max() -
                                        static_cast<std::int64_t>(packet.frames);
  return is_counted ? Copied::kWhole : Copied::kNonsense;
}

SharedRingReader::Writer SharedRingReader::look_for_writer() {
  if (control().state.load(kAcquire) != static_cast<std::uint64_t>(RingState::kRunning)) {
    return Writer::kEnded;
  }
  const auto looked = std::chrono::steady_clock::now();
  if (looked < next_look_) return Writer::kThere;
  next_look_ = looked + kSlice;
  const std::uint64_t beat = control().heartbeat_ns.load(kAcquire);
  const std::uint64_t now = shared_ring::monotonic_ns();
  const auto after = std::chrono::nanoseconds(options_.stalled_after).count();
  const bool is_silent = now > beat && now - beat > static_cast<std::uint64_t>(after);
  const Life life = look_for(writer_);
  if (life == Life::kGone || (life == Life::kUnknown && is_silent)) return Writer::kDied;
  is_stalled_ = is_silent;
  return Writer::kThere;
}

std::string SharedRingReader::who_has_gone() const {
  return fmt::format("shared ring '{}': process {}, which wrote it, has gone", name_, writer_.pid);
}

/// Once: the segment is looked at again and again.
void SharedRingReader::complain(const std::string& why) {
  if (complaint_ == why) return;
  complaint_ = why;
  tally_.note(why);
}

std::string SharedRingReader::status() const {
  const std::uint64_t pid = writer_pid_;
  const std::string writer =
      pid == 0 ? "no writer"
               : fmt::format("process {} {}", pid, is_stalled() ? "stalls" : "writes");
  return fmt::format("shared ring '{}': {}, {}", name_, writer, summary(stats()));
}

const Control& SharedRingReader::control() const noexcept {
  return *static_cast<const Control*>(segment_.data());
}

}  // namespace firbank
