#include "engine/engine.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/head_and_tail.hpp"
#include "engine/pipeline.hpp"
#include "kernels/backends.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMaxThreads = 64;
constexpr std::size_t kMinRingBlocks = 2;
constexpr std::size_t kMaxRingBlocks = 65'536;
constexpr std::size_t kMaxReaders = 64;

/// Runs what may find a backend wanting; Error says it then.
template <class Work>
auto translated(Work&& work) {
  try {
    return work();
  } catch (const BackendError& error) {
    throw Error(ErrorKind::kConfiguration, error.what());
  }
}

void require_spectra(const EngineConfig& config, const Backend& backend, bool is_float) {
  if (config.spectra == Spectra::kFull) return;
  if (!is_float) {
    throw Error(ErrorKind::kConfiguration, "spectra is int16, of a double engine; allowed: full");
  }
  if (!backend.has_compact_spectra()) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("spectra is int16; allowed with backend '{}': full", backend.name()));
  }
}

std::shared_ptr<const Backend> require_backend(const EngineConfig& config, bool is_float) {
  const std::string& name = config.backend;
  if (auto backend = make_backend(name)) {
    require_spectra(config, *backend, is_float);
    return backend;
  }
  std::string known = "auto, cpu";
  for (const BackendInfo& info : list_backends()) {
    // Where there is no GPU at all, one entry says why for every number.
    if (info.name == name || (info.name == "cuda" && name.starts_with("cuda:"))) {
      throw Error(ErrorKind::kConfiguration,
                  fmt::format("backend '{}' cannot run here: {}", name, info.reason));
    }
    if (info.available) known += ", " + info.name;
  }
  throw Error(ErrorKind::kConfiguration,
              fmt::format("there is no backend '{}'; allowed: {}", name, known));
}

const EngineConfig& checked(const EngineConfig& config) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorKind::kConfiguration, message);
  };
  if (config.threads < 1 || config.threads > kMaxThreads) {
    refuse(fmt::format("threads is {}; allowed: 1 to {}", config.threads, kMaxThreads));
  }
  if (config.depth_blocks >= config.ring_blocks) {
    refuse(fmt::format("depth_blocks is {}; allowed: less than ring_blocks ({})",
                       config.depth_blocks, config.ring_blocks));
  }
  if (config.ring_blocks < kMinRingBlocks || config.ring_blocks > kMaxRingBlocks) {
    refuse(fmt::format("ring_blocks is {}; allowed: {} to {}", config.ring_blocks, kMinRingBlocks,
                       kMaxRingBlocks));
  }
  if (config.max_readers < 1 || config.max_readers > kMaxReaders) {
    refuse(fmt::format("max_readers is {}; allowed: 1 to {}", config.max_readers, kMaxReaders));
  }
  if (!(config.sample_rate_hz > 0 && config.sample_rate_hz <= 1e12)) {
    refuse(
        fmt::format("sample_rate_hz is {}; allowed: above 0, up to 1e12", config.sample_rate_hz));
  }
  if (config.max_fill_frames < 0) {
    refuse(fmt::format("max_fill_frames is {}; allowed: 0 or more", config.max_fill_frames));
  }
  return config;
}

}  // namespace

template <class Sample>
class BasicEngine<Sample>::Impl {
 public:
  Impl(const EngineConfig& engine_config, const FilterBank& bank, const Routing& routing)
      : config(checked(engine_config)),
        inputs(routing.inputs()),
        outputs(routing.outputs()),
        convolver(require_backend(config, sizeof(Sample) == sizeof(float)), config, bank, routing),
        intake(inputs),
        silence(convolver.max_frames()),
        in_planes(inputs) {
    config.depth_blocks = convolver.depth_blocks();
  }

  /// The planes to filter, with silence in place of bad channels; good for one call.
  const Sample* const* without_bad_channels(const Sample* const* in) noexcept {
    if (!intake.any_bad()) return in;
    for (std::size_t input = 0; input < inputs; ++input) {
      in_planes[input] = intake.is_bad(input) ? silence.data() : in[input];
    }
    return in_planes.data();
  }

  void follow_start(Sample* const* out, std::size_t frames) noexcept {
    const std::size_t transient = std::min(frames, start_up.left(convolver.tail_frames()));
    start_up.go_on(frames);
    if (transient == 0 || config.start_transient != StartTransient::kZero) return;
    for (std::size_t output = 0; output < outputs; ++output) {
      std::fill_n(out[output], transient, Sample{0});
    }
  }

  void collect_all() noexcept {
    while (convolver.calls_under_way() > 0) convolver.collect();
  }

  EngineConfig config;
  std::size_t inputs;
  std::size_t outputs;
  HeadAndTail<Sample> convolver;
  PushIntake intake;
  StartUp start_up;
  std::vector<Sample> silence;
  std::vector<const Sample*> in_planes;
  std::unique_ptr<Pipeline<Sample>> pipeline;
  std::optional<BasicStreamReader<Sample>> puller;
};

template <class Sample>
BasicEngine<Sample>::BasicEngine(const EngineConfig& config, const FilterBank& bank,
                                 const Routing& routing)
    : impl_(translated([&] { return std::make_unique<Impl>(config, bank, routing); })) {}

template <class Sample>
BasicEngine<Sample>::~BasicEngine() = default;

template <class Sample>
ProcessStatus BasicEngine<Sample>::process(const Sample* const* in, Sample* const* out,
                                           std::size_t frames) noexcept {
  if (impl_->pipeline) return ProcessStatus::kRunning;
  impl_->collect_all();
  const ProcessStatus status =
      impl_->convolver.process(impl_->without_bad_channels(in), out, frames);
  if (status != ProcessStatus::kTooManyFrames) impl_->follow_start(out, frames);
  return status;
}

template <class Sample>
bool BasicEngine<Sample>::submit(const Sample* const* in, Sample* const* out,
                                 std::size_t frames) noexcept {
  if (impl_->pipeline || impl_->convolver.calls_under_way() > impl_->config.depth_blocks) {
    return false;
  }
  impl_->convolver.submit(impl_->without_bad_channels(in), out, frames);
  impl_->start_up.go_on(frames);
  return true;
}

template <class Sample>
ProcessStatus BasicEngine<Sample>::collect() noexcept {
  if (impl_->pipeline || impl_->convolver.calls_under_way() == 0) return ProcessStatus::kOk;
  return impl_->convolver.collect().status;
}

template <class Sample>
std::size_t BasicEngine<Sample>::flush(Sample* const* out, std::size_t frames) noexcept {
  if (impl_->pipeline) return 0;
  impl_->collect_all();
  const std::size_t flushed = impl_->convolver.flush(out, frames);
  impl_->follow_start(out, flushed);
  return flushed;
}

template <class Sample>
void BasicEngine<Sample>::reset() noexcept {
  if (impl_->pipeline) return;
  impl_->convolver.reset();
  impl_->start_up.begin();
}

template <class Sample>
std::uint64_t BasicEngine<Sample>::swap(const FilterBank& bank, std::int64_t at_frame,
                                        std::size_t crossfade_frames) {
  return translated([&] { return impl_->convolver.swap(bank, at_frame, crossfade_frames); });
}

template <class Sample>
void BasicEngine<Sample>::update(std::size_t filter, std::span<const double> taps) {
  if (impl_->pipeline) {
    throw Error(ErrorKind::kConfiguration, "the engine runs; stop it before update");
  }
  impl_->collect_all();
  translated([&] { impl_->convolver.update(filter, taps); });
}

template <class Sample>
std::optional<std::int64_t> BasicEngine<Sample>::live_frame(std::uint64_t ticket) const noexcept {
  return impl_->convolver.live_frame(ticket);
}

template <class Sample>
void BasicEngine<Sample>::start() {
  if (impl_->pipeline) {
    throw Error(ErrorKind::kConfiguration, "the engine runs already; stop it before start");
  }
  impl_->collect_all();
  auto pipeline =
      std::make_unique<Pipeline<Sample>>(impl_->convolver, impl_->config, impl_->intake,
                                         impl_->start_up, impl_->inputs, impl_->outputs);
  impl_->puller = pipeline->open_reader(ReaderPolicy::kLossless);
  impl_->pipeline = std::move(pipeline);
}

template <class Sample>
PushResult BasicEngine<Sample>::push(const BasicBlock<const Sample>& block) noexcept {
  return push({.channels = block.channels,
               .frames = block.frames,
               .first_frame = block.first_frame,
               .timestamp_ns = block.timestamp_ns},
              [&](Sample* const* planes, std::size_t offset, std::size_t frames) {
                for (std::size_t input = 0; input < block.channels; ++input) {
                  std::copy_n(block.planes[input] + offset, frames, planes[input]);
                }
              });
}

template <class Sample>
PushResult BasicEngine<Sample>::push_filled(const PushMarks& marks, PushFill<Sample> fill,
                                            void* context) noexcept {
  if (!impl_->pipeline) return {0, PushStatus::kNotRunning, marks.first_frame};
  return impl_->pipeline->push(marks, fill, context);
}

template <class Sample>
bool BasicEngine<Sample>::flush() noexcept {
  return impl_->pipeline && impl_->pipeline->flush();
}

template <class Sample>
std::size_t BasicEngine<Sample>::pull(BasicBlock<Sample>& block) noexcept {
  return impl_->puller ? impl_->puller->pull(block) : 0;
}

template <class Sample>
BasicStreamReader<Sample> BasicEngine<Sample>::open_reader(ReaderPolicy policy) {
  if (!impl_->pipeline) {
    throw Error(ErrorKind::kConfiguration, "a reader needs an engine that runs; start it before");
  }
  auto reader = impl_->pipeline->open_reader(policy);
  if (!reader) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("{} readers are open already; max_readers allows no more",
                            impl_->config.max_readers));
  }
  return std::move(*reader);
}

template <class Sample>
void BasicEngine<Sample>::stop_pulling() noexcept {
  impl_->puller.reset();
}

template <class Sample>
void BasicEngine<Sample>::set_bad_channel(std::size_t input, bool bad) noexcept {
  if (input < impl_->inputs) impl_->intake.set_bad(input, bad);
}

template <class Sample>
void BasicEngine<Sample>::stop() noexcept {
  impl_->pipeline.reset();
  impl_->puller.reset();
}

template <class Sample>
std::size_t BasicEngine<Sample>::inputs() const noexcept {
  return impl_->inputs;
}
template <class Sample>
std::size_t BasicEngine<Sample>::outputs() const noexcept {
  return impl_->outputs;
}
template <class Sample>
std::size_t BasicEngine<Sample>::max_frames() const noexcept {
  return impl_->convolver.max_frames();
}
template <class Sample>
std::size_t BasicEngine<Sample>::latency_frames() const noexcept {
  return impl_->convolver.plan().latency_frames;
}
template <class Sample>
std::size_t BasicEngine<Sample>::tail_frames() const noexcept {
  return impl_->convolver.tail_frames();
}
template <class Sample>
std::int64_t BasicEngine<Sample>::position() const noexcept {
  return impl_->convolver.position();
}
template <class Sample>
const PartitionPlan& BasicEngine<Sample>::plan() const noexcept {
  return impl_->convolver.plan();
}
template <class Sample>
const PartitionPlan* BasicEngine<Sample>::tail_plan() const noexcept {
  return impl_->convolver.tail_plan();
}
template <class Sample>
const std::string& BasicEngine<Sample>::backend() const noexcept {
  return impl_->convolver.backend().name();
}
template <class Sample>
const std::string& BasicEngine<Sample>::instruction_set() const noexcept {
  return impl_->convolver.backend().instruction_set();
}
template <class Sample>
std::size_t BasicEngine<Sample>::threads() const noexcept {
  return impl_->convolver.threads();
}

template <class Sample>
std::string BasicEngine<Sample>::failure() const {
  return impl_->convolver.failure();
}

template <class Sample>
Stats BasicEngine<Sample>::stats() const noexcept {
  Stats stats = impl_->convolver.stats();
  impl_->intake.add_to(stats);
  return stats;
}

template class BasicEngine<float>;
template class BasicEngine<double>;

}  // namespace firbank
