// Running an engine over a whole signal, in calls of given sizes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "engine/reference.hpp"
#include "kernels/backends.hpp"

namespace firbank::test {

/// The backends to be tested: those of the CPU, or those whose names begin with what the
/// environment has in FIRBANK_TEST_BACKENDS. Never none.
inline std::vector<std::string> available_backends() {
  const char* chosen = std::getenv("FIRBANK_TEST_BACKENDS");
  const std::string prefix = chosen != nullptr ? chosen : "cpu";
  std::vector<std::string> names;
  for (const BackendInfo& backend : list_backends()) {
    if (backend.available && backend.name.starts_with(prefix)) names.push_back(backend.name);
  }
  if (names.empty()) throw std::runtime_error("no backend here is called " + prefix + "...");
  return names;
}

/// The backend that is tested, and no other in its place; every other time a GPU's in the mode for
/// throughput.
inline void use_backend(EngineConfig& config, const std::string& name) {
  static std::size_t uses = 0;
  const bool on_device = name.starts_with("cuda");
  config.gpu_mode = on_device && ++uses % 2 == 0 ? GpuMode::kThroughput : GpuMode::kWhole;
  config.backend = name;
  config.fail_over = false;
}

/// Plans without transforms, as far as filters are short enough to be summed.
inline void want_direct_form(EngineConfig& config) {
  CostModel costs = device_costs();
  costs.transform_ns.fill(1e9);
  // One kernel that transforms has costs of its own.
  costs.product_ns.fill(kLeastCostNs);
  costs.direct_product_ns = costs.edge_ns = kLeastCostNs;
  config.costs = costs;
}

/// The other way round.
inline void want_transforms(EngineConfig& config) {
  config.costs = device_costs();
  config.costs->direct_product_ns = 1e6;
}

/// Planar samples that own their memory, seen from any frame on.
template <class Sample>
class Planes {
 public:
  Planes(std::size_t channels, std::size_t frames)
      : samples_(channels, std::vector<Sample>(frames)), pointers_(channels) {}

  explicit Planes(const Signal& signal)
      : Planes(signal.size(), signal.empty() ? 0 : signal[0].size()) {
    for (std::size_t channel = 0; channel < signal.size(); ++channel) {
      for (std::size_t n = 0; n < signal[channel].size(); ++n) {
        samples_[channel][n] = static_cast<Sample>(signal[channel][n]);
      }
    }
  }

  std::size_t channels() const { return samples_.size(); }
  std::size_t frames() const { return samples_.empty() ? 0 : samples_[0].size(); }
  std::vector<Sample>& operator[](std::size_t channel) { return samples_[channel]; }

  /// Valid until the next call.
  Sample* const* from(std::size_t frame) {
    for (std::size_t channel = 0; channel < samples_.size(); ++channel) {
      pointers_[channel] = samples_[channel].data() + frame;
    }
    return pointers_.data();
  }

  /// The first `frames` frames.
  Signal signal(std::size_t frames) const {
    Signal result;
    for (const auto& plane : samples_) {
      result.emplace_back(plane.begin(), plane.begin() + static_cast<std::ptrdiff_t>(frames));
    }
    return result;
  }
  Signal signal() const { return signal(frames()); }

 private:
  std::vector<std::vector<Sample>> samples_;
  std::vector<Sample*> pointers_;
};

/// The output of process() over all of `in`, called with `calls` frames in turn; what it says about
/// each call must be kOk.
template <class Sample>
Signal run_process(BasicEngine<Sample>& engine, const Signal& in,
                   const std::vector<std::size_t>& calls) {
  Planes<Sample> input(in);
  Planes<Sample> output(engine.outputs(), input.frames());
  std::size_t position = 0;
  for (const std::size_t frames : calls) {
    const ProcessStatus status =
        engine.process(input.from(position), output.from(position), frames);
    EXPECT_EQ(status, ProcessStatus::kOk) << "call of " << frames << " frames at " << position;
    position += frames;
  }
  EXPECT_EQ(position, input.frames()) << "the calls do not cover the input";
  return output.signal();
}

/// All that flush() puts out, in calls of `call` frames.
template <class Sample>
Signal run_flush(BasicEngine<Sample>& engine, std::size_t call) {
  const std::size_t limit = engine.tail_frames() + 10 * call;
  Planes<Sample> output(engine.outputs(), limit + call);
  std::size_t position = 0;
  while (position < limit) {
    const std::size_t frames = engine.flush(output.from(position), call);
    if (frames == 0) return output.signal(position);
    position += frames;
  }
  ADD_FAILURE() << "flush() does not end: " << position << " frames for a tail of "
                << engine.tail_frames();
  return output.signal(position);
}

/// What pull() told about one block.
struct PulledBlock {
  std::size_t offset = 0;  // of its first frame in Pulled::out
  std::size_t frames = 0;
  std::int64_t first_frame = 0;
  std::int64_t timestamp_ns = 0;
  std::int64_t gap_before = 0;
  BlockFlags flags = BlockFlags::kNone;
};

struct Pulled {
  Signal out;  // one block behind the other
  std::vector<PulledBlock> blocks;
  bool ended = false;
};

/// Pulls once; true when there was something.
template <class Sample>
bool pull_once(BasicEngine<Sample>& engine, std::size_t frames, Pulled& pulled) {
  Planes<Sample> planes(engine.outputs(), frames);
  BasicBlock<Sample> block;
  block.planes = planes.from(0);
  block.channels = engine.outputs();
  block.frames = frames;
  const std::size_t got = engine.pull(block);
  if (has(block.flags, BlockFlags::kEndOfStream)) {
    EXPECT_EQ(got, 0u) << "the mark of the end came with frames";
    pulled.ended = true;
  }
  if (got == 0) return false;
  EXPECT_LE(got, frames);
  pulled.out.resize(engine.outputs());
  pulled.blocks.push_back({pulled.out.empty() ? 0 : pulled.out[0].size(), got, block.first_frame,
                           block.timestamp_ns, block.gap_before, block.flags});
  const Signal part = planes.signal(got);
  for (std::size_t channel = 0; channel < part.size(); ++channel) {
    pulled.out[channel].insert(pulled.out[channel].end(), part[channel].begin(),
                               part[channel].end());
  }
  return true;
}

/// A limit for loops that wait for the pipeline thread.
class Patience {
 public:
  /// False, and a failure, when the time is up.
  bool wait() {
    if (std::chrono::steady_clock::now() > end_) {
      ADD_FAILURE() << "the pipeline did not go on within 60 s";
      return false;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    return true;
  }

 private:
  std::chrono::steady_clock::time_point end_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(60);
};

/// Pushes all of `in` in blocks of `calls` frames, the first frame of which is `first_frame`, and
/// pulls what comes meanwhile, `pull_frames` at a time.
template <class Sample>
void push_all(BasicEngine<Sample>& engine, const Signal& in, const std::vector<std::size_t>& calls,
              std::int64_t first_frame, std::size_t pull_frames, Pulled& pulled,
              std::int64_t timestamp_ns = 0) {
  Planes<Sample> input(in);
  Patience patience;
  std::size_t position = 0;
  for (std::size_t left : calls) {
    while (left > 0) {
      BasicBlock<const Sample> block;
      block.planes = input.from(position);
      block.channels = in.size();
      block.frames = left;
      block.first_frame = first_frame + static_cast<std::int64_t>(position);
      block.timestamp_ns = timestamp_ns;
      const PushResult result = engine.push(block);
      ASSERT_EQ(result.status, PushStatus::kOk) << "at frame " << block.first_frame;
      ASSERT_LE(result.frames, left);
      position += result.frames;
      left -= result.frames;
      const bool pulled_some = pull_once(engine, pull_frames, pulled);
      if (result.frames == 0 && !pulled_some && !patience.wait()) return;
    }
  }
}

/// Flushes and pulls to the end of the stream.
template <class Sample>
void pull_to_end(BasicEngine<Sample>& engine, std::size_t pull_frames, Pulled& pulled) {
  Patience patience;
  bool flushed = false;
  while (!pulled.ended) {
    flushed = flushed || engine.flush();
    if (!pull_once(engine, pull_frames, pulled) && !pulled.ended && !patience.wait()) return;
  }
  EXPECT_TRUE(flushed) << "the end came before flush()";
}

}  // namespace firbank::test
