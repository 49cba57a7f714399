#include "demos/firbank/verify_run.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/planar_buffer.hpp"
#include "engine/engine.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

/// Sizes of calls, small ones as likely as large ones.
class CallSizes {
 public:
  CallSizes(std::size_t most, std::uint64_t seed)
      : most_(most), random_(seed), exponent_(0.0, std::log2(static_cast<double>(most) + 1)) {}

  std::size_t next(std::size_t left) {
    const auto size = static_cast<std::size_t>(std::exp2(exponent_(random_)));
    return std::min(std::clamp<std::size_t>(size, 1, most_), left);
  }

 private:
  std::size_t most_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> exponent_;
};

template <class Sample>
class Verification {
 public:
  using Progress = std::function<void(std::size_t frames)>;

  Verification(BasicEngine<Sample>& engine, const Signal& in, std::uint64_t seed,
               const Progress& progress)
      : engine_(engine),
        frames_(in[0].size()),
        in_(in.size(), in[0].size()),
        out_planes_(engine.outputs(), engine.max_frames()),
        out_(engine.outputs()),
        sizes_(engine.max_frames(), seed),
        progress_(progress) {
    for (std::size_t c = 0; c < in.size(); ++c) {
      std::transform(in[c].begin(), in[c].end(), in_.plane(c),
                     [](double value) { return static_cast<Sample>(value); });
    }
  }

  const Signal& by_process() {
    std::vector<const Sample*> planes;
    for (std::size_t done = 0; done < frames_ && !interrupt_requested();) {
      const std::size_t frames = sizes_.next(frames_ - done);
      engine_.process(input_from(done, planes), out_planes_.planes(), frames);
      keep(frames);
      done += frames;
      progress_(done);
    }
    for (std::size_t frames = 1; frames > 0 && !interrupt_requested();) {
      frames = engine_.flush(out_planes_.planes(), sizes_.next(engine_.max_frames()));
      keep(frames);
    }
    return out_;
  }

  const Signal& by_pipeline() {
    engine_.start();
    std::size_t pushed = 0;
    bool flushed = false;
    bool ended = false;
    std::vector<const Sample*> planes;
    auto last_progress = std::chrono::steady_clock::now();
    while (!ended && !interrupt_requested()) {
      bool moved = false;
      if (pushed < frames_) {
        BasicBlock<const Sample> block;
        block.planes = input_from(pushed, planes);
        block.channels = in_.channels();
        block.frames = sizes_.next(frames_ - pushed);
        block.first_frame = static_cast<std::int64_t>(pushed);
        const PushResult result = engine_.push(block);
        if (!result) throw Error(ErrorKind::kConfiguration, "push refused a block in sequence");
        pushed += result.frames;
        moved = result.frames > 0;
      } else if (!flushed) {
        flushed = engine_.flush();
        moved = flushed;
      }
      BasicBlock<Sample> block;
      block.planes = out_planes_.planes();
      block.channels = out_planes_.channels();
      block.frames = sizes_.next(engine_.max_frames());
      const std::size_t pulled = engine_.pull(block);
      keep(pulled);
      ended = has(block.flags, BlockFlags::kEndOfStream);
      progress_(pushed);
      const auto now = std::chrono::steady_clock::now();
      if (moved || pulled > 0) {
        last_progress = now;
      } else if (now - last_progress > kPatience) {
        throw Error(ErrorKind::kConfiguration, "the pipeline stood still for 60 s");
      } else {
        std::this_thread::yield();
      }
    }
    engine_.stop();
    return out_;
  }

 private:
  const Sample* const* input_from(std::size_t frame, std::vector<const Sample*>& planes) {
    planes.clear();
    for (std::size_t c = 0; c < in_.channels(); ++c) planes.push_back(in_.plane(c) + frame);
    return planes.data();
  }

  void keep(std::size_t frames) {
    for (std::size_t c = 0; c < out_.size(); ++c) {
      const Sample* const plane = out_planes_.plane(c);
      out_[c].insert(out_[c].end(), plane, plane + frames);
    }
  }

  BasicEngine<Sample>& engine_;
  std::size_t frames_;
  PlanarBuffer<Sample> in_;
  PlanarBuffer<Sample> out_planes_;
  Signal out_;
  CallSizes sizes_;
  const Progress& progress_;
};

template <class Sample>
double worst_error(bool pipeline, const EngineConfig& config, const FilterBank& bank,
                   const Routing& routing, const Signal& in, const Signal& expected,
                   std::uint64_t seed, const std::function<void(std::size_t)>& progress) {
  const SignalsForMainThread guard;
  BasicEngine<Sample> engine(config, bank, routing);
  Verification<Sample> verification(engine, in, seed, progress);
  const Signal& out = pipeline ? verification.by_pipeline() : verification.by_process();
  if (out[0].size() != expected[0].size()) return std::numeric_limits<double>::infinity();
  return relative_error(out, expected);
}

}  // namespace

std::vector<VerifyCase> verify_cases() {
  std::vector<VerifyCase> cases;
  for (const BackendInfo& backend : list_backends()) {
    if (!backend.available) continue;
    const std::string& name = backend.name;
    const std::string& set = backend.instruction_set;
    for (const bool double_precision : {false, true}) {
      for (const bool pipeline : {false, true}) {
        cases.push_back({name, set, double_precision, pipeline});
      }
    }
    if (!make_backend(name)->has_compact_spectra()) continue;
    for (const bool pipeline : {false, true}) cases.push_back({name, set, false, pipeline, true});
    if (!name.starts_with("cuda")) continue;
    for (const GpuMode mode : {GpuMode::kHybrid, GpuMode::kThroughput}) {
      for (const bool pipeline : {false, true}) {
        cases.push_back({name, set, false, pipeline, false, mode});
      }
    }
  }
  return cases;
}

double verify(const VerifyCase& verify_case, EngineConfig config, const FilterBank& bank,
              const Routing& routing, const Signal& in, const Signal& expected, std::uint64_t seed,
              const std::function<void(std::size_t frames)>& progress) {
  config.backend = verify_case.backend;
  config.fail_over = false;  // it is this one that is verified
  config.gpu_mode = verify_case.gpu_mode;
  // As many blocks under way as have a use: one comes, one is computed, one goes home.
  if (config.gpu_mode == GpuMode::kThroughput) config.depth_blocks = 2;
  config.late_tail = LateTail::kWait;  // nothing is paced
  config.spectra = verify_case.compact_spectra ? Spectra::kInt16 : Spectra::kFull;
  config.max_frames = 2 * config.block_frames;
  const auto run = verify_case.double_precision ? worst_error<double> : worst_error<float>;
  return run(verify_case.pipeline, config, bank, routing, in, expected, seed, progress);
}

}  // namespace firbank::program
