// PacketSource and PacketSink: packets that come from and go to other programs, whatever the way.
//
// Unlike a Source, a packet source has marks for each packet, may have nothing for a while, and
// may see one stream end and another begin. It throws for nothing that the other side does: a
// sender that speaks nonsense is let go of, and counted.
//
// Thread:   read() and write(): one at a time. stats() and status(): any.
// Realtime: no.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/frame_time.hpp"
#include "io/wire_format.hpp"

namespace firbank {

/// Something that was lost, or came twice.
struct LossCount {
  std::uint64_t count = 0;        // how often
  std::int64_t frames = 0;        // how many in all
  std::int64_t first_frame = -1;  // where first, in the stream; -1 when never

  void add(std::int64_t at, std::int64_t lost_frames) noexcept {
    if (count++ == 0) first_frame = at;
    frames = saturating_sum(frames, lost_frames);
  }
};

struct PacketStats {
  std::uint64_t streams = 0;   // headers that were understood
  std::uint64_t restarts = 0;  // streams whose index began anew in their midst, unsaid
  std::uint64_t packets = 0;
  std::int64_t frames = 0;
  LossCount gaps;                  // frames that never came, for whatever reason
  LossCount missed;                // of these: lost because this reader was too slow
  LossCount backward;              // frames that came again, or too late; they are passed on
  LossCount truncated;             // of packets that began and never ended; no frame of them is
  std::uint64_t lost_packets = 0;  // missing in the sequence; their frames are among the gaps
  std::uint64_t broken = 0;        // senders let go of for what they sent, or did not
  std::uint64_t refused = 0;       // senders turned away because there was one
  double declared_rate_hz = 0;     // of the newest stream
  double rate_hz = 0;              // at which it comes, over some seconds; 0 while unknown
  std::string last_error;          // one line; empty when nothing was ever wrong
};

enum class PacketEvent {
  kNothing,  // within the time allowed
  kStarted,  // a stream begins: header() is of it from now on
  kPacket,   // packet() has come
  kStopped,  // the stream has ended or broken off; another may follow
  kEnded,    // nothing will ever follow
};

class PacketSource {
 public:
  virtual ~PacketSource() = default;

  /// Waits up to `timeout` for what comes next. Interrupted (io/interruption.hpp), it has ended.
  virtual PacketEvent read(std::chrono::milliseconds timeout) = 0;

  /// Of the stream that kStarted last.
  /// Thread: the reader's.
  virtual const StreamHeader& header() const noexcept = 0;

  /// What came with kPacket, until the next read(). Marks and gap are as they are: frames that are
  /// missing before it are counted in gap_before, one that comes again has a first_frame below the
  /// end of what came before, and one with kReset begins anew: the sender said so, or its packets
  /// came again for a second, or it has connected anew and begins behind where it was.
  /// Thread: the reader's.
  virtual const Packet& packet() const noexcept = 0;

  virtual PacketStats stats() const = 0;

  /// One line: where from, how much, what was lost and where.
  virtual std::string status() const = 0;
};

struct SinkStats {
  std::uint64_t packets = 0;
  std::int64_t frames = 0;
  std::uint64_t receivers = 0;    // now
  std::uint64_t received_by = 0;  // receivers that there ever were
  LossCount dropped;              // receivers let go of, with the frames that waited for them
  std::string last_error;
};

class PacketSink {
 public:
  virtual ~PacketSink() = default;

  virtual const StreamHeader& header() const noexcept = 0;

  /// What is known of the samples only now: a unit and names of channels, as many as there are;
  /// what is empty stays as it was. Tells it to receivers that come from now on; false where the
  /// header has gone to the only ones there are. Throws: Error (kConfiguration) when it is not
  /// allowed.
  virtual bool describe(const std::string& unit, const std::vector<std::string>& channel_names) = 0;

  /// Sends frames [0, packet.frames), at most header().packet_frames of them; the sink numbers
  /// packets by itself. Throws: Error (kOutput) where there is one receiver and it is gone.
  virtual void write(const Packet& packet) = 0;

  /// Says that the stream ends, and waits for what is on its way, for a bounded time.
  /// Throws: as write().
  virtual void finish() = 0;

  virtual SinkStats stats() const = 0;
  virtual std::string status() const = 0;
};

/// Whether the packets come as fast as declared, or it is not known how fast; clocks differ by far
/// less than what is tolerated, bursts by little more.
bool comes_at_its_rate(const PacketStats& stats);

/// "1 stream, 12 packets, 384 frames", and what was lost, when something was.
std::string summary(const PacketStats& stats);
std::string summary(const SinkStats& stats);

}  // namespace firbank
