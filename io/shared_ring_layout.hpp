// The memory of a shared ring, as both sides of it see it.
//
//   0                Control
//   512              the stream's header, as on the wire (io/wire_format.hpp)
//   slots_at         `slots` slots of slot_bytes each: SlotMarks, then interleaved samples
//
// Everything that changes while somebody may read it is an atomic word of 64 bits. A slot is a
// seqlock: its state is 2 n + 1 while packet n is being written and 2 n + 2 once it is there.
// Whoever reads copies the words and then looks whether the state is still the same. The words are
// stored with release and loaded with acquire, so that a reader that has got one word of a later
// packet also sees that packet's state (H.-J. Boehm, "Can seqlocks get along with programming
// language memory models?", MSPC 2012, has the case; here no fence is needed).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "io/wire_format.hpp"

namespace firbank::shared_ring {

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == 8, "words are shared by processes");

inline constexpr std::uint64_t kMagic = 0x474e'4952'4b4e'4246;  // "FBNKRING"
inline constexpr std::uint64_t kVersion = 1;
inline constexpr std::size_t kHeaderAt = 512;
inline constexpr std::size_t kMostSlots = 65'536;

enum class RingState : std::uint64_t { kRunning = 1, kEnded = 2 };

struct Control {
  Word magic;  // written last: the rest of this and the header are complete
  Word version;
  Word segment_bytes;
  Word slots;
  Word slot_bytes;
  Word slots_at;
  Word header_bytes;
  Word pid;  // of the writer; ProcessIdentity
  Word start_time;
  Word pid_space;
  Word state;
  alignas(64) Word published;  // packets there ever were; packet n in slot n % slots
  Word heartbeat_ns;           // CLOCK_MONOTONIC
  alignas(64) std::atomic<std::uint32_t> wake;  // a futex, counted up with each packet
};
static_assert(sizeof(Control) <= kHeaderAt);

struct SlotMarks {
  Word state;
  Word sequence;
  Word first_frame;
  Word timestamp_ns;
  Word frames;
  Word flags;
  Word unused[2];
};
static_assert(sizeof(SlotMarks) == 64);

constexpr std::size_t round_up(std::size_t bytes, std::size_t to) {
  return (bytes + to - 1) / to * to;
}

inline std::size_t slot_bytes(const StreamHeader& header) noexcept {
  return sizeof(SlotMarks) + round_up(header.packet_frames * frame_bytes(header), 64);
}

/// `count` bytes into shared words.
inline void store_words(Word* words, const void* bytes, std::size_t count) noexcept {
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (; count > 0; ++words) {
    std::uint64_t word = 0;
    const std::size_t part = std::min(count, sizeof word);
    std::memcpy(&word, at, part);
    words->store(word, std::memory_order_release);
    at += part;
    count -= part;
  }
}

/// The words that hold `count` bytes.
inline void load_words(const Word* words, std::uint64_t* to, std::size_t count) noexcept {
  const std::size_t all = (count + sizeof *to - 1) / sizeof *to;
  for (std::size_t n = 0; n < all; ++n) to[n] = words[n].load(std::memory_order_acquire);
}

/// Ends the sleep of everybody who waits for the word.
void wake_all(std::atomic<std::uint32_t>& word) noexcept;

/// Sleeps up to `timeout_ns` while the word is `seen`.
void sleep_while(const std::atomic<std::uint32_t>& word, std::uint32_t seen,
                 std::int64_t timeout_ns) noexcept;

/// CLOCK_MONOTONIC, which all processes of a machine share.
std::uint64_t monotonic_ns() noexcept;

}  // namespace firbank::shared_ring
