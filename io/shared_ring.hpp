// SharedRing: packets from one process to any number of others, through named memory.
//
// The writer never waits and never looks who reads: a reader that lags, sleeps or dies costs it
// nothing. A reader that was passed by goes on in the middle of the ring and is told what it has
// missed (ReaderPolicy::kLossy of BroadcastQueue; there are no others here). Readers map the memory
// read-only. They see a writer die, by its process, and one that has stalled, by its heartbeat;
// when another one takes over, they go on with that. A second writer is refused while the first
// lives.
//
// What lies in the memory is not believed: sizes are read once, compared with the size that the
// system has for the segment, and kept. Its owner could still cut the segment short while it is
// mapped, which ends who reads there (SIGBUS); so a reader takes the segments of its own user and
// of root only, unless told otherwise.
//
// Linux only: it needs futexes, /proc and flock.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "io/packet_order.hpp"
#include "io/packet_tally.hpp"
#include "io/process_identity.hpp"
#include "io/shared_segment.hpp"
#include "io/wire_parser.hpp"

namespace firbank {

namespace shared_ring {
struct Control;
struct SlotMarks;
}  // namespace shared_ring

struct SharedRingOptions {
  std::size_t packets = 256;    // in the ring, 2 to 65,536; each as large as header.packet_frames
  bool group_may_read = false;  // permissions 0640 instead of 0600
};

class SharedRingWriter final : public PacketSink {
 public:
  /// `name` is as SharedSegment::create() has it. What a killed writer left is replaced.
  /// Throws: Error (kConfiguration) when the name, the header or the options are not allowed, or a
  /// writer lives; Error (kOutput) when there is no memory for it.
  SharedRingWriter(std::string_view name, const StreamHeader& header,
                   const SharedRingOptions& options = {});
  /// Ends the stream and takes the name away; readers keep what is in the ring.
  ~SharedRingWriter() override;
  SharedRingWriter(const SharedRingWriter&) = delete;
  SharedRingWriter& operator=(const SharedRingWriter&) = delete;

  const StreamHeader& header() const noexcept override { return header_; }
  /// False: readers see the header from the beginning on.
  bool describe(const std::string&, const std::vector<std::string>&) override { return false; }

  /// Copies the packet into the ring.
  /// Thread:   the writer.
  /// Realtime: no allocation and no lock; one system call, which wakes readers.
  /// Throws: Error (kOutput) when it has more than header().packet_frames frames.
  void write(const Packet& packet) override;

  /// Says that the writer lives, where it has nothing to write for long.
  /// Thread:   the writer.
  /// Realtime: safe.
  void beat() noexcept;

  /// Readers that have read all of it stop; nothing may be written any more.
  /// Thread: the writer.
  void finish() override;

  /// `receivers` is not known, and 0.
  SinkStats stats() const override;
  std::string status() const override;

 private:
  shared_ring::Control& control() const noexcept;
  shared_ring::SlotMarks& slot(std::uint64_t number) const noexcept;
  void end() noexcept;

  std::string name_;
  StreamHeader header_;
  std::size_t slots_;
  std::size_t slot_bytes_;
  std::size_t slots_at_ = 0;
  SharedSegment segment_;
  PacketOrder order_;
  std::atomic<std::uint64_t> packets_{0};
  std::atomic<std::int64_t> frames_{0};
};

struct SharedRingReaderOptions {
  WireExpectation expected = {};
  bool any_owner = false;                          // also segments of other users
  bool again = true;                               // after a writer has gone another may come
  std::size_t most_bytes = std::size_t{1} << 30;   // of a segment
  std::chrono::milliseconds stalled_after{5'000};  // without heartbeat; see is_stalled()
};

class SharedRingReader final : public PacketSource {
 public:
  /// Reads what is published from now on, or, where there is no such ring yet, all of the first
  /// that comes. Throws: Error (kConfiguration) when the name is not allowed.
  SharedRingReader(std::string_view name, const SharedRingReaderOptions& options = {});
  ~SharedRingReader() override;
  SharedRingReader(const SharedRingReader&) = delete;
  SharedRingReader& operator=(const SharedRingReader&) = delete;

  PacketEvent read(std::chrono::milliseconds timeout) override;
  const StreamHeader& header() const noexcept override { return header_; }
  const Packet& packet() const noexcept override { return packet_; }
  PacketStats stats() const override { return tally_.snapshot(); }
  std::string status() const override;

  /// Whether the writer is there, as read() has seen it last, but has shown no sign of life for
  /// longer than stalled_after. A writer of another container that does so counts as gone.
  /// Thread: any.
  bool is_stalled() const noexcept { return is_stalled_.load(); }

 private:
  enum class Copied { kWhole, kTooLate, kNonsense };

  bool attach();
  bool check_segment(const SharedSegment& segment);
  void detach() noexcept;
  Copied copy(std::uint64_t number);
  PacketEvent take(std::uint64_t number);
  void pass_over(std::uint64_t published) noexcept;
  enum class Writer { kThere, kEnded, kDied };
  Writer look_for_writer();
  std::string who_has_gone() const;
  void complain(const std::string& why);

  const shared_ring::Control& control() const noexcept;

  std::string name_;
  SharedRingReaderOptions options_;
  PacketTally tally_;
  SharedSegment segment_;
  // Read once from the segment, checked, and kept.
  std::size_t slots_ = 0;
  std::size_t slot_bytes_ = 0;
  std::size_t slots_at_ = 0;
  ProcessIdentity writer_;
  StreamHeader header_;

  std::uint64_t next_ = 0;   // number of the packet to take next
  bool has_looked_ = false;  // there was no ring when this was made, or it has gone
  bool was_passed_ = false;  // and the gap is yet to be told
  std::string complaint_;    // about the segment that is there now
  Deadline next_look_{};     // at the writer's process
  bool is_over_ = false;
  bool is_starting_ = false;  // kStarted is yet to be told
  Packet packet_;
  std::vector<std::uint64_t> samples_;
  std::atomic<std::uint64_t> writer_pid_{0};  // for status(); 0: none
  std::atomic<bool> is_stalled_{false};
};

}  // namespace firbank
