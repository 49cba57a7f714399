#include "engine/tuning.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <random>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "io/error.hpp"

namespace firbank {
namespace {

constexpr std::size_t kRepetitions = 11;
constexpr double kRepetitionNs = 200e3;  // long beside a reading of the clock
constexpr double kWarmUpNs = 20e6;       // until a processor that was idle runs at its speed

// Costs that are found as small differences of times: none is taken to be less.
constexpr double kLeastDifferenceNs = 0.5;

double thread_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

/// Nanoseconds of one call of `work`, in each repetition, the least first.
template <class Work>
std::vector<double> times_of(Work&& work) {
  std::size_t calls = 1;
  for (;;) {
    const double start = thread_ns();
    for (std::size_t i = 0; i < calls; ++i) work();
    if (thread_ns() - start >= kRepetitionNs) break;
    calls *= 2;
  }
  std::vector<double> times(kRepetitions);
  for (double& time : times) {
    const double start = thread_ns();
    for (std::size_t i = 0; i < calls; ++i) work();
    time = (thread_ns() - start) / static_cast<double>(calls);
  }
  std::sort(times.begin(), times.end());
  return times;
}

/// What work that stays in the cache takes when nothing disturbs it.
template <class Work>
double least_ns(Work&& work) {
  return times_of(work).front();
}

/// What work that waits for memory takes as a rule.
template <class Work>
double usual_ns(Work&& work) {
  return times_of(work)[kRepetitions / 2];
}

template <class Sample>
std::vector<Sample> noise(std::size_t samples) {
  std::minstd_rand random(1);
  std::uniform_real_distribution<double> value(-1, 1);
  std::vector<Sample> result(samples);
  for (Sample& sample : result) sample = static_cast<Sample>(value(random));
  return result;
}

/// A level with as many responses as pairs of an input and an output, all of whose spectra hold
/// noise.
template <class Sample>
class Bench {
 public:
  using Sum = typename SpectralBank<Sample>::Sum;

  Bench(const Backend& backend, std::size_t bins, std::size_t partitions, std::size_t inputs = 1,
        std::size_t outputs = 1)
      : bins_(bins),
        partitions_(partitions),
        inputs_(inputs),
        outputs_(outputs),
        level_(backend.make_level<Sample>({.bins = bins,
                                           .block_frames = bins,
                                           .partition_taps = bins,
                                           .slots = partitions,
                                           .inputs = inputs,
                                           .outputs = outputs})),
        shares_(level_->shares()),
        samples_(noise<Sample>(3 * bins)),
        answers_(bins * outputs),
        older_(inputs, samples_.data()),
        newer_(inputs, samples_.data() + bins) {
    SpectralBankShape shape;
    shape.partitions.assign(inputs * outputs, {0, partitions});
    shape.terms.resize(outputs);
    for (std::size_t output = 0; output < outputs; ++output) {
      for (std::size_t input = 0; input < inputs; ++input) {
        shape.terms[output].push_back({input, output * inputs + input});
      }
      out_.push_back(answers_.data() + output * bins);
    }
    bank_ = level_->make_bank(std::move(shape), nullptr);
    const std::vector<Sample> taps = noise<Sample>(bins * partitions);
    for (std::size_t r = 0; r < inputs * outputs; ++r) bank_->load(r, taps);
    for (std::size_t slot = 0; slot < partitions; ++slot) forward(slot);
  }

  std::size_t products() const { return inputs_ * outputs_ * partitions_ * bins_; }
  std::size_t forward_shares() const { return shares_.forward; }
  std::size_t product_shares() const { return shares_.accumulate; }

  void forward(std::size_t slot) { forward_part(slot, {0, shares_.forward}); }
  void forward_part(std::size_t slot, IndexRange shares) {
    level_->forward(slot, window(), {0, inputs_}, shares, 0);
    finish();
  }
  void accumulate() { accumulate_part({0, shares_.accumulate}); }
  void accumulate_part(IndexRange shares) {
    bank_->accumulate(Sum::kNext, nullptr, newest_, {0, partitions_}, {0, outputs_}, shares, 0);
    finish();
  }
  void next_block() { newest_ = newest_ == 0 ? partitions_ - 1 : newest_ - 1; }
  void clear_sums() {
    bank_->accumulate(Sum::kNow, nullptr, 0, {0, 0}, {0, outputs_}, {0, shares_.accumulate}, 0);
    finish();
  }
  void inverse() {
    bank_->inverse(out_.data(), {bins_, 2 * bins_}, {0, outputs_}, {0, shares_.inverse}, 0);
    finish();
  }

 private:
  Window<Sample> window() const {
    Window<Sample> window;
    window.older = older_.data();
    window.newer = newer_.data();
    window.fresh = {bins_, 2 * bins_};
    return window;
  }
  void finish() {
    level_->submit();
    level_->collect();
  }

  std::size_t bins_;
  std::size_t partitions_;
  std::size_t inputs_;
  std::size_t outputs_;
  std::unique_ptr<SpectralLevel<Sample>> level_;
  Shares shares_;
  std::vector<Sample> samples_;
  std::vector<Sample> answers_;
  std::vector<const Sample*> older_;
  std::vector<const Sample*> newer_;
  std::vector<Sample*> out_;
  std::unique_ptr<SpectralBank<Sample>> bank_;
  std::size_t newest_ = 0;
};

template <class Sample>
double transform_ns(const Backend& backend, std::size_t transform_frames) {
  Bench<Sample> bench(backend, transform_frames / 2, 1);
  const double forward = least_ns([&] { bench.forward(0); });
  // The inverse turns its spectrum into something else, and repeated would leave the numbers'
  // range: but of zeros it makes zeros.
  bench.clear_sums();
  const double inverse = least_ns([&] { bench.inverse(); });
  return (forward + inverse) / 2;
}

/// Of spectra that are `bytes` long together, as the planner counts them: in samples of four bytes.
template <class Sample>
double product_ns(const Backend& backend, std::size_t bytes) {
  // As many partitions as the levels of a plan have, but for what the longest transform allows.
  constexpr std::size_t kPartitions = 16;
  const std::size_t spectra = bytes / sizeof(float) / 4;  // bins times partitions
  const std::size_t bins = std::min(spectra / kPartitions, kMaxTransform / 2);
  Bench<Sample> bench(backend, bins, spectra / bins);
  const double sweep = usual_ns([&] {
    bench.accumulate();
    bench.next_block();
  });
  return sweep / static_cast<double>(bench.products());
}

bool fits_in_memory(std::size_t bytes) {
  const double pages = static_cast<double>(sysconf(_SC_PHYS_PAGES));
  return static_cast<double>(bytes) <= pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 8;
}

/// Of many edges with a single partition of the shortest kind.
template <class Sample>
double edge_ns(const Backend& backend, double product_ns) {
  constexpr std::size_t kChannels = 16;
  Bench<Sample> bench(backend, kMinTransform / 2, 1, kChannels, kChannels);
  const double all = least_ns([&] { bench.accumulate(); });
  const double products = static_cast<double>(bench.products()) * product_ns;
  return std::max((all - products) / (kChannels * kChannels), kLeastDifferenceNs);
}

/// Of one output and a single partition, besides its products.
template <class Sample>
double sum_ns(const Backend& backend, double product_ns) {
  constexpr std::size_t kBins = 1'024;
  Bench<Sample> bench(backend, kBins, 1);
  const double sum = least_ns([&] { bench.accumulate(); }) - kBins * product_ns;
  return std::max(sum * 64 / kBins, kLeastDifferenceNs);
}

/// What the work of a level takes longer when each share of it is taken up by itself.
template <class Sample>
double slice_ns(const Backend& backend) {
  Bench<Sample> bench(backend, 4'096, 4);
  const auto in_shares = [](std::size_t shares, auto&& part) {
    for (std::size_t i = 0; i < shares; ++i) part(IndexRange{i, i + 1});
  };
  const double forward_whole = least_ns([&] { bench.forward(0); });
  const double forward_cut = least_ns([&] {
    in_shares(bench.forward_shares(), [&](IndexRange part) { bench.forward_part(0, part); });
  });
  const double products_whole = least_ns([&] { bench.accumulate(); });
  const double products_cut = least_ns([&] {
    in_shares(bench.product_shares(), [&](IndexRange part) { bench.accumulate_part(part); });
  });
  const double forward =
      (forward_cut - forward_whole) / static_cast<double>(bench.forward_shares());
  const double products =
      (products_cut - products_whole) / static_cast<double>(bench.product_shares());
  return std::max(forward, kLeastDifferenceNs) + std::max(products, kLeastDifferenceNs);
}

/// As DeferredLevel adds an answer to an output, call by call.
template <class Sample>
double add_ns() {
  constexpr std::size_t kFrames = 64;
  constexpr std::size_t kAnswer = 4'096;
  const std::vector<Sample> answer = noise<Sample>(kAnswer);
  std::vector<Sample> out(kFrames);
  std::size_t at = 0;
  const double call = least_ns([&] {
    const Sample* const from = answer.data() + at;
    Sample* const to = out.data();
    for (std::size_t n = 0; n < kFrames; ++n) to[n] += from[n];
    at = (at + kFrames) % kAnswer;
  });
  return call / static_cast<double>(kFrames);
}

struct DirectCosts {
  double product_ns = 0;
  double frame_ns = 0;
};

template <class Sample>
DirectCosts direct_costs(const Backend& backend) {
  constexpr std::size_t kTaps = 128;
  constexpr std::size_t kEven = 64;
  constexpr std::size_t kOdd = 7;  // frames that fill no vector
  constexpr std::size_t kEdges = 8;
  DirectBankShape shape;
  shape.responses.assign(kEdges, {0, kTaps});
  shape.terms.resize(1);
  for (std::size_t r = 0; r < kEdges; ++r) shape.terms[0].push_back({0, r});
  const std::unique_ptr<SampleLevel<Sample>> level = backend.make_sample_level<Sample>(
      {.inputs = 1, .outputs = 1, .piece_frames = kEven + kOdd, .reach = kTaps - 1});
  const std::unique_ptr<DirectBank<Sample>> bank = level->make_bank(std::move(shape));
  const std::vector<Sample> taps = noise<Sample>(kTaps);
  for (std::size_t r = 0; r < kEdges; ++r) bank->load(r, taps);
  bank->end_load();
  const std::vector<Sample> history = noise<Sample>(kTaps + kEven + kOdd);
  const Sample* const newest = history.data() + kTaps;
  std::vector<Sample> answer(kEven + kOdd);
  Sample* const out = answer.data();
  const auto time = [&](std::size_t frames) {
    level->take({.newest = &newest, .frames = frames});
    return least_ns([&] { bank->run(&out, frames, {0, 1}); }) / kEdges;
  };
  const double even = time(kEven);
  const double both = time(kEven + kOdd);
  const double product = even / static_cast<double>(kEven * kTaps);
  const double frame = (both - even) / static_cast<double>(kOdd);
  return {product, std::max(frame - kTaps * product, kLeastDifferenceNs)};
}

/// Noise must not let more work seem to cost less.
template <class Values>
void never_falling(Values& values) {
  for (std::size_t i = 1; i < values.size(); ++i) values[i] = std::max(values[i], values[i - 1]);
}

template <class Sample>
void warm_up(const Backend& backend) {
  Bench<Sample> bench(backend, 1'024, 4);
  const double start = thread_ns();
  while (thread_ns() - start < kWarmUpNs) {
    bench.forward(0);
    bench.accumulate();
  }
}

}  // namespace

template <class Sample>
CostModel measure_costs(const Backend& backend, const std::function<void(double done)>& progress) {
  if (!backend.has_shares()) {
    throw Error(ErrorKind::kConfiguration,
                fmt::format("the costs of backend '{}' cannot be measured; allowed: backends that "
                            "compute in the caller's thread",
                            backend.name()));
  }
  CostModel costs;
  const double steps = static_cast<double>(costs.transform_ns.size() + costs.product_ns.size() + 5);
  double step = 0;
  const auto done = [&] {
    step += 1;
    if (progress) progress(step / steps);
  };

  warm_up<Sample>(backend);
  for (std::size_t k = 0; k < costs.transform_ns.size(); ++k) {
    costs.transform_ns[k] = transform_ns<Sample>(backend, kMinTransform << k);
    done();
  }
  never_falling(costs.transform_ns);
  for (std::size_t k = 0; k < costs.product_ns.size(); ++k) {
    const std::size_t bytes = CostModel::kFirstSweepBytes << 2 * k;
    const bool affordable = k == 0 || fits_in_memory(bytes / sizeof(float) * sizeof(Sample));
    costs.product_ns[k] = affordable ? product_ns<Sample>(backend, bytes) : costs.product_ns[k - 1];
    done();
  }
  never_falling(costs.product_ns);
  costs.edge_ns = edge_ns<Sample>(backend, costs.product_ns[0]);
  done();
  costs.sum_ns = sum_ns<Sample>(backend, costs.product_ns[0]);
  done();
  costs.slice_ns = slice_ns<Sample>(backend);
  done();
  costs.add_ns = add_ns<Sample>();
  done();
  const DirectCosts direct = direct_costs<Sample>(backend);
  costs.direct_product_ns = direct.product_ns;
  costs.direct_frame_ns = direct.frame_ns;
  done();
  return costs;
}

template CostModel measure_costs<float>(const Backend&, const std::function<void(double)>&);
template CostModel measure_costs<double>(const Backend&, const std::function<void(double)>&);

}  // namespace firbank
