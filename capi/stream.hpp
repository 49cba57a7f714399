// Stream: what a C handle holds once it is opened: an engine of one precision, and the formats of
// the caller's buffers.
//
// Threads and real-time rules are those that firbank.h gives for the functions of the same names.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capi/firbank.h"
#include "engine/config/config_banks.hpp"
#include "engine/engine.hpp"
#include "engine/group_delay.hpp"
#include "io/native_samples.hpp"

namespace firbank::capi {

/// All that a stream is made of.
struct StreamParts {
  EngineConfig engine;
  bool in_double = false;
  NativeFormat in;
  NativeFormat out;
  FilterBank bank;  // that was given last
  Routing routing;
  std::vector<std::string> input_names;
  std::vector<std::string> output_names;  // empty: made of the inputs'
  std::string unit;
  std::optional<RunConfig> config = {};  // what a text said, for its presets
  std::optional<ConfigBanks> banks = {};
};

class Reader {
 public:
  virtual ~Reader() = default;
  virtual void pull(void* out, std::size_t frames, firbank_block& block) noexcept = 0;
  virtual bool wait(std::int64_t timeout_ns) noexcept = 0;
};

class Stream {
 public:
  virtual ~Stream() = default;

  virtual firbank_status process(const void* in, void* out, std::size_t frames) noexcept = 0;
  virtual firbank_status flush(void* out, std::size_t frames, std::size_t& written) noexcept = 0;
  virtual firbank_status reset() noexcept = 0;
  virtual void start() = 0;
  virtual void stop() noexcept = 0;
  virtual firbank_status push(const void* in, std::size_t frames, std::int64_t first_frame,
                              std::int64_t timestamp_ns, firbank_pushed& pushed) noexcept = 0;
  virtual bool end() noexcept = 0;
  virtual std::unique_ptr<Reader> open_reader(ReaderPolicy policy) = 0;
  virtual std::uint64_t swap(const FilterBank& bank, std::int64_t at_frame,
                             std::size_t crossfade_frames) = 0;
  virtual void set_bad_channel(std::size_t input, bool bad) noexcept = 0;
  virtual std::optional<std::int64_t> live_frame(std::uint64_t ticket) const noexcept = 0;
  virtual firbank_stats stats() const noexcept = 0;
  virtual std::size_t max_frames() const noexcept = 0;
  virtual std::size_t latency_frames() const noexcept = 0;
  virtual std::size_t tail_frames() const noexcept = 0;
  virtual const std::string& backend() const noexcept = 0;

  bool is_running() const noexcept { return is_running_.load(std::memory_order_acquire); }
  const StreamParts& parts() const noexcept { return parts_; }
  const std::string& output_name(std::size_t output) const { return output_names_[output]; }
  /// Of the filters that were given last.
  GroupDelay delay(std::size_t output) const {
    return group_delay(parts_.bank, parts_.routing, output);
  }

 protected:
  explicit Stream(StreamParts parts);

  StreamParts parts_;
  std::vector<std::string> output_names_;
  std::atomic<bool> is_running_{false};
};

/// Throws: as BasicEngine; Error for formats and names.
std::unique_ptr<Stream> make_stream(StreamParts parts);

}  // namespace firbank::capi
