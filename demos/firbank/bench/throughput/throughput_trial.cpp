#include "demos/firbank/bench/throughput/throughput_trial.hpp"

#include <algorithm>
#include <ctime>
#include <random>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/bench/machine/clock.hpp"
#include "demos/firbank/planar_buffer.hpp"
#include "engine/engine.hpp"
#include "engine/plan_demand.hpp"
#include "engine/reference.hpp"
#include "io/error.hpp"
#include "kernels/backends.hpp"

namespace firbank::program {
namespace {

// Of the noise that the check sends through the filters; fewer where that would take long.
constexpr double kMostBurst = 256;
constexpr double kLeastBurst = 16;
constexpr double kMostProducts = 3e8;

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <class Sample>
class Trial final : public ThroughputTrial {
 public:
  Trial(const ThroughputRow& row, std::function<bool()> stopped)
      : routing_(row.routing),
        stopped_(std::move(stopped)),
        engine_(row.config, row.bank, row.routing),
        call_(engine_.plan().call_frames),
        depth_(row.config.depth_blocks),
        on_cpu_(engine_.backend().starts_with("cpu")),
        floor_(plan_floor(engine_.plan(), PlanDemand(row.config, row.bank, row.routing), on_cpu_,
                          sizeof(Sample))) {
    // What is under way must stay as it is.
    for (std::size_t set = 0; set <= depth_; ++set) {
      in_.push_back(std::make_unique<PlanarBuffer<Sample>>(routing_.inputs(), call_));
      out_.push_back(std::make_unique<PlanarBuffer<Sample>>(routing_.outputs(), call_));
    }
  }

  double error_against(const FilterBank& bank) override;
  void warm_up(double seconds) override;
  Stretch measure() override {
    run(stretch_cycles_ / 16 + 1);
    return timed(stretch_cycles_);
  }

  std::size_t call_frames() const override { return call_; }
  std::size_t warm_up_frames() const override { return warm_up_frames_; }
  const PartitionPlan& plan() const override { return engine_.plan(); }
  const PlanFloor& floor() const override { return floor_; }
  const std::string& backend() const override { return engine_.backend(); }
  const std::string& instruction_set() const override { return engine_.instruction_set(); }
  bool on_cpu() const override { return on_cpu_; }

 private:
  using Planes = PlanarBuffer<Sample>;

  /// So many calls, unless it is stopped: fill(n, in) before call n is handed over, take(n, out)
  /// once it is answered.
  template <class Fill, class Take>
  void stream(std::size_t calls, const Fill& fill, const Take& take) {
    const std::size_t between_looks = engine_.plan().cycle_frames() / call_;
    std::size_t asked = 0;
    std::size_t answered = 0;
    const auto answer = [&](std::size_t n) {
      check(engine_.collect());
      take(n, *out_[n % out_.size()]);
    };
    while (asked < calls) {
      if (asked % between_looks == 0 && stopped_()) break;
      if (asked - answered == out_.size()) answer(answered++);
      Planes& in = *in_[asked % in_.size()];
      Planes& out = *out_[asked % out_.size()];
      fill(asked, in);
      ++asked;
      if (depth_ > 0) {
        engine_.submit(in.planes(), out.planes(), call_);
        continue;
      }
      check(engine_.process(in.planes(), out.planes(), call_));
      take(answered, out);
      ++answered;
    }
    for (; answered < asked; ++answered) answer(answered);
  }

  void check(ProcessStatus status) const {
    if (status == ProcessStatus::kOk) return;
    throw Error(ErrorKind::kInput, fmt::format("backend '{}' failed while it was measured: {}",
                                               engine_.backend(), engine_.failure()));
  }

  void run(std::size_t cycles) {
    const auto nothing = [](std::size_t, Planes&) {};
    stream(cycles * (engine_.plan().cycle_frames() / call_), nothing, nothing);
  }

  Stretch timed(std::size_t cycles) {
    const double processor = processor_seconds();
    const std::int64_t clock = now_ns();
    run(cycles);
    return {static_cast<double>(cycles * engine_.plan().cycle_frames()),
            processor_seconds() - processor, 1e-9 * static_cast<double>(now_ns() - clock)};
  }
  double counted(const Stretch& stretch) const {
    return on_cpu_ ? stretch.processor_s : stretch.clock_s;
  }

  const Routing routing_;
  std::function<bool()> stopped_;
  BasicEngine<Sample> engine_;
  std::size_t call_;
  std::size_t depth_;
  bool on_cpu_;
  PlanFloor floor_;
  std::vector<std::unique_ptr<Planes>> in_;
  std::vector<std::unique_ptr<Planes>> out_;
  std::size_t stretch_cycles_ = 1;
  std::size_t warm_up_frames_ = 0;
};

/// White noise that single precision holds.
std::vector<double> noise(std::size_t frames, std::minstd_rand& random) {
  std::uniform_real_distribution<float> value(-1, 1);
  std::vector<double> samples(frames);
  for (double& sample : samples) sample = static_cast<double>(value(random));
  return samples;
}

/// A few outputs of a routing, and what a burst on every input makes of them: a stream would have
/// to be as long as the filters for all taps to be heard, and a direct convolution of it would take
/// for ever. Convolution commutes, so the oracle has the taps for inputs and the bursts for
/// filters.
struct BurstAnswer {
  std::vector<std::size_t> outputs;
  std::vector<std::vector<double>> bursts;  // of each input
  Signal expected;                          // of those outputs

  BurstAnswer(const Routing& routing, const FilterBank& bank) {
    const std::set<std::size_t> some = {0, routing.outputs() / 2, routing.outputs() - 1};
    outputs.assign(some.begin(), some.end());
    Signal taps;
    std::vector<Edge> edges;
    std::size_t longest = 0;
    for (const Edge& edge : routing.edges()) {
      const auto at = std::find(outputs.begin(), outputs.end(), edge.output);
      if (at == outputs.end()) continue;
      const std::span<const double> filter = bank.taps(edge.filter);
      longest = std::max(longest, filter.size());
      edges.push_back({.input = taps.size(),
                       .filter = edge.input,
                       .output = static_cast<std::size_t>(at - outputs.begin()),
                       .gain = edge.gain,
                       .delay = edge.delay});
      taps.emplace_back(filter.begin(), filter.end());
    }
    const double products_a_frame =
        static_cast<double>(longest * std::max<std::size_t>(edges.size(), 1));
    const auto burst = static_cast<std::size_t>(
        std::clamp(kMostProducts / products_a_frame, kLeastBurst, kMostBurst));
    std::minstd_rand random(2);
    for (std::size_t i = 0; i < routing.inputs(); ++i) bursts.push_back(noise(burst, random));
    const Routing swapped(std::max<std::size_t>(taps.size(), 1), outputs.size(), std::move(edges));
    if (taps.empty()) taps.emplace_back(1, 0.0);
    expected = direct_convolution(taps, FilterBank(bursts), swapped,
                                  longest + routing.max_delay() + burst);
  }
};

template <class Sample>
double Trial<Sample>::error_against(const FilterBank& bank) {
  const BurstAnswer answer(routing_, bank);
  const std::size_t frames = answer.expected[0].size();
  Signal heard(answer.outputs.size());
  const std::size_t calls = (frames + call_ - 1) / call_;
  stream(
      calls,
      [&](std::size_t n, Planes& in) {
        for (std::size_t input = 0; input < routing_.inputs(); ++input) {
          const std::vector<double>& burst = answer.bursts[input];
          for (std::size_t k = 0; k < call_; ++k) {
            const std::size_t frame = n * call_ + k;
            in.plane(input)[k] = frame < burst.size() ? static_cast<Sample>(burst[frame]) : 0;
          }
        }
      },
      [&](std::size_t, Planes& out) {
        for (std::size_t o = 0; o < heard.size(); ++o) {
          const Sample* const plane = out.plane(answer.outputs[o]);
          heard[o].insert(heard[o].end(), plane, plane + call_);
        }
      });
  for (std::vector<double>& plane : heard) plane.resize(frames);
  return relative_error(heard, answer.expected);
}

template <class Sample>
void Trial<Sample>::warm_up(double seconds) {
  engine_.reset();
  std::minstd_rand random(3);
  for (const std::unique_ptr<Planes>& in : in_) {
    for (std::size_t c = 0; c < in->channels(); ++c) {
      const std::vector<double> samples = noise(call_, random);
      std::transform(samples.begin(), samples.end(), in->plane(c),
                     [](double sample) { return static_cast<Sample>(sample); });
    }
  }
  const std::size_t cycle = engine_.plan().cycle_frames();
  std::size_t cycles = engine_.plan().max_response / cycle + 2;  // until all taps hear something
  run(cycles);
  warm_up_frames_ = cycles * cycle;
  double spent = 0;
  for (cycles = 1; !stopped_(); cycles *= 2) {
    spent = counted(timed(cycles));
    warm_up_frames_ += cycles * cycle;
    if (spent >= seconds / 4) break;
  }
  const double wanted = static_cast<double>(cycles) * seconds / std::max(spent, 1e-9);
  stretch_cycles_ = stopped_() ? 1 : std::max<std::size_t>(1, static_cast<std::size_t>(wanted));
}

}  // namespace

std::unique_ptr<ThroughputTrial> make_throughput_trial(const ThroughputRow& row,
                                                       std::function<bool()> stopped) {
  if (row.double_precision) return std::make_unique<Trial<double>>(row, std::move(stopped));
  return std::make_unique<Trial<float>>(row, std::move(stopped));
}

double error_limit(const ThroughputRow& row) {
  if (row.double_precision) return 1e-13;
  return row.config.spectra == Spectra::kInt16 ? 3.16e-5 : 1e-6;  // -90 dB with 16 bits
}

}  // namespace firbank::program
