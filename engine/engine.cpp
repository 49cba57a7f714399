#include "engine/engine.hpp"

#include <utility>

#include <fmt/format.h>

#include "engine/head_and_tail.hpp"
#include "engine/pipeline.hpp"
#include "kernels/backends.hpp"

namespace firbank {
namespace {

constexpr std::size_t kMaxThreads = 64;
constexpr std::size_t kMinRingBlocks = 2;
constexpr std::size_t kMaxRingBlocks = 65'536;

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
        convolver(require_backend(config, sizeof(Sample) == sizeof(float)), config, bank, routing) {
    config.depth_blocks = convolver.depth_blocks();
  }

  void collect_all() noexcept {
    while (convolver.calls_under_way() > 0) convolver.collect();
  }

  EngineConfig config;
  std::size_t inputs;
  std::size_t outputs;
  HeadAndTail<Sample> convolver;
  std::unique_ptr<Pipeline<Sample>> pipeline;
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
  return impl_->convolver.process(in, out, frames);
}

template <class Sample>
bool BasicEngine<Sample>::submit(const Sample* const* in, Sample* const* out,
                                 std::size_t frames) noexcept {
  if (impl_->pipeline || impl_->convolver.calls_under_way() > impl_->config.depth_blocks) {
    return false;
  }
  impl_->convolver.submit(in, out, frames);
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
  return impl_->convolver.flush(out, frames);
}

template <class Sample>
void BasicEngine<Sample>::reset() noexcept {
  if (!impl_->pipeline) impl_->convolver.reset();
}

template <class Sample>
std::uint64_t BasicEngine<Sample>::swap(const FilterBank& bank, std::int64_t at_frame,
                                        std::size_t crossfade_frames) {
  return translated([&] { return impl_->convolver.swap(bank, at_frame, crossfade_frames); });
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
  impl_->pipeline = std::make_unique<Pipeline<Sample>>(impl_->convolver, impl_->config,
                                                       impl_->inputs, impl_->outputs);
}

template <class Sample>
PushResult BasicEngine<Sample>::push(const BasicBlock<const Sample>& block) noexcept {
  if (!impl_->pipeline) return {0, PushStatus::kNotRunning, block.first_frame};
  return impl_->pipeline->push(block);
}

template <class Sample>
bool BasicEngine<Sample>::flush() noexcept {
  return impl_->pipeline && impl_->pipeline->flush();
}

template <class Sample>
std::size_t BasicEngine<Sample>::pull(BasicBlock<Sample>& block) noexcept {
  return impl_->pipeline ? impl_->pipeline->pull(block) : 0;
}

template <class Sample>
void BasicEngine<Sample>::stop() noexcept {
  impl_->pipeline.reset();
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
  return impl_->convolver.stats();
}

template class BasicEngine<float>;
template class BasicEngine<double>;

}  // namespace firbank
