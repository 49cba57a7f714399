// A backend that passes everything on to another of the CPU and tells what was asked of it.
//
// Thread:   as the backend it wraps; the counts may be read from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/cost_model.hpp"
#include "kernels/backends.hpp"

namespace firbank::test {

/// What the objects of one counting backend were asked.
struct BackendCounts {
  std::atomic<std::size_t> products{0};   // partitions x outputs, accumulated
  std::atomic<std::size_t> forwards{0};   // inputs transformed, in parts or as a whole
  std::atomic<double> work_ns{0};         // of all this and the inverses, by the default CostModel
  std::atomic<double> responses_read{0};  // values of their spectra, once a reading
  std::atomic<std::size_t> taps_loaded{0};  // into spectra
  std::atomic<std::size_t> banks_made{0};
  std::atomic<std::size_t> banks_destroyed{0};

  /// Runs inside every operation of the running path, on its thread; set before the first one.
  std::function<void()> on_operation = [] {};

  void destroyed() {
    ++banks_destroyed;
    const std::lock_guard lock(mutex);
    destroyers.push_back(std::this_thread::get_id());
  }
  std::vector<std::thread::id> destroyed_by() const {
    const std::lock_guard lock(mutex);
    return destroyers;
  }

 private:
  mutable std::mutex mutex;
  std::vector<std::thread::id> destroyers;
};

template <class Sample>
class CountingSpectralBank final : public SpectralBank<Sample> {
 public:
  using Sum = typename SpectralBank<Sample>::Sum;

  CountingSpectralBank(const SpectralLevel<Sample>& level, SpectralBankShape shape,
                       CountingSpectralBank* first, std::size_t bins,
                       std::shared_ptr<BackendCounts> counts)
      : shape_(shape),
        shares_(level.shares()),
        bins_(static_cast<double>(bins)),
        inner_(level.make_bank(std::move(shape), first == nullptr ? nullptr : first->inner_.get())),
        counts_(std::move(counts)) {
    ++counts_->banks_made;
  }
  ~CountingSpectralBank() override { counts_->destroyed(); }

  void load(std::size_t response, std::span<const Sample> taps) override {
    counts_->taps_loaded += taps.size();
    inner_->load(response, taps);
  }
  void end_load() override { inner_->end_load(); }
  void replace(std::size_t response, IndexRange partitions, std::span<const Sample> taps) override {
    counts_->taps_loaded += taps.size();
    shape_.partitions[response] = partitions;
    inner_->replace(response, partitions, taps);
  }
  void accumulate(Sum to, const Sum* from, std::size_t newest, IndexRange partitions,
                  IndexRange outputs, IndexRange shares, std::size_t thread) noexcept override {
    counts_->on_operation();
    counts_->products += (partitions.last - partitions.first) * (outputs.last - outputs.first);
    count_products(partitions, outputs, shares, CostModel{}.product(0));
    inner_->accumulate(to, from, newest, partitions, outputs, shares, thread);
  }
  void accumulate_pair(std::size_t newest, IndexRange outputs, IndexRange shares,
                       std::size_t thread) noexcept override {
    counts_->on_operation();
    count_products({0, static_cast<std::size_t>(-1)}, outputs, shares, CostModel{}.pair(0));
    inner_->accumulate_pair(newest, outputs, shares, thread);
  }
  void inverse(Sample* const* out, IndexRange frames, IndexRange outputs, IndexRange shares,
               std::size_t thread) noexcept override {
    count_inverse(outputs, shares);
    inner_->inverse(out, frames, outputs, shares, thread);
  }
  void keep(std::size_t place, IndexRange outputs, IndexRange shares,
            std::size_t thread) noexcept override {
    count_inverse(outputs, shares);
    inner_->keep(place, outputs, shares, thread);
  }
  void add_kept(std::size_t place, Sample* const* out, IndexRange frames,
                IndexRange outputs) noexcept override {
    inner_->add_kept(place, out, frames, outputs);
  }
  void exchange_ready_and_next() noexcept override { inner_->exchange_ready_and_next(); }

 private:
  void count_products(IndexRange partitions, IndexRange outputs, IndexRange shares,
                      double product_ns) {
    std::size_t met = 0;
    for (std::size_t output = outputs.first; output < outputs.last; ++output) {
      for (const ResponseTerm& term : shape_.terms[output]) {
        const IndexRange& own = shape_.partitions[term.response];
        const std::size_t first = std::max(own.first, partitions.first);
        met += std::max(first, std::min(own.last, partitions.last)) - first;
      }
    }
    const double bins = static_cast<double>(met) * bins_ * part(shares, shares_.accumulate);
    counts_->work_ns += bins * product_ns;
    counts_->responses_read += 2 * bins;
  }
  void count_inverse(IndexRange outputs, IndexRange shares) {
    counts_->on_operation();
    counts_->work_ns += static_cast<double>(outputs.last - outputs.first) *
                        CostModel{}.transform(static_cast<std::size_t>(2 * bins_)) *
                        part(shares, shares_.inverse);
  }
  static double part(IndexRange shares, std::size_t all) {
    return static_cast<double>(shares.last - shares.first) / static_cast<double>(all);
  }

  SpectralBankShape shape_;
  Shares shares_;
  double bins_;
  std::unique_ptr<SpectralBank<Sample>> inner_;
  std::shared_ptr<BackendCounts> counts_;
};

template <class Sample>
class CountingSpectralLevel final : public SpectralLevel<Sample> {
 public:
  CountingSpectralLevel(std::unique_ptr<SpectralLevel<Sample>> inner, std::size_t bins,
                        std::shared_ptr<BackendCounts> counts)
      : inner_(std::move(inner)), bins_(bins), counts_(std::move(counts)) {}

  std::unique_ptr<SpectralBank<Sample>> make_bank(SpectralBankShape shape,
                                                  SpectralBank<Sample>* first) const override {
    return std::make_unique<CountingSpectralBank<Sample>>(
        *inner_, std::move(shape), static_cast<CountingSpectralBank<Sample>*>(first), bins_,
        counts_);
  }
  Shares shares() const noexcept override { return inner_->shares(); }
  void forward(std::size_t slot, const Window<Sample>& window, IndexRange inputs, IndexRange shares,
               std::size_t thread) noexcept override {
    counts_->on_operation();
    counts_->forwards += inputs.last - inputs.first;
    counts_->work_ns += static_cast<double>(inputs.last - inputs.first) *
                        CostModel{}.transform(2 * bins_) *
                        static_cast<double>(shares.last - shares.first) /
                        static_cast<double>(inner_->shares().forward);
    inner_->forward(slot, window, inputs, shares, thread);
  }
  void submit() noexcept override { inner_->submit(); }
  bool collect() noexcept override { return inner_->collect(); }
  bool can_collect(std::size_t pieces) const noexcept override {
    return inner_->can_collect(pieces);
  }
  SpectralLevel<Sample>* inner() const noexcept { return inner_.get(); }

 private:
  std::unique_ptr<SpectralLevel<Sample>> inner_;
  std::size_t bins_;
  std::shared_ptr<BackendCounts> counts_;
};

template <class Sample>
class CountingDirectBank final : public DirectBank<Sample> {
 public:
  CountingDirectBank(std::unique_ptr<DirectBank<Sample>> inner,
                     std::shared_ptr<BackendCounts> counts)
      : inner_(std::move(inner)), counts_(std::move(counts)) {
    ++counts_->banks_made;
  }
  ~CountingDirectBank() override { counts_->destroyed(); }

  void load(std::size_t response, std::span<const Sample> taps) override {
    inner_->load(response, taps);
  }
  void end_load() override { inner_->end_load(); }
  void replace(std::size_t response, std::span<const Sample> taps) override {
    inner_->replace(response, taps);
  }
  void run(Sample* const* out, std::size_t frames, IndexRange outputs) noexcept override {
    counts_->on_operation();
    inner_->run(out, frames, outputs);
  }

 private:
  std::unique_ptr<DirectBank<Sample>> inner_;
  std::shared_ptr<BackendCounts> counts_;
};

template <class Sample>
class CountingSampleLevel final : public SampleLevel<Sample> {
 public:
  CountingSampleLevel(std::unique_ptr<SampleLevel<Sample>> inner,
                      std::shared_ptr<BackendCounts> counts)
      : inner_(std::move(inner)), counts_(std::move(counts)) {}

  std::unique_ptr<DirectBank<Sample>> make_bank(DirectBankShape shape) const override {
    return std::make_unique<CountingDirectBank<Sample>>(inner_->make_bank(std::move(shape)),
                                                        counts_);
  }
  void take(const SamplePiece<Sample>& piece) noexcept override { inner_->take(piece); }
  void submit() noexcept override { inner_->submit(); }
  bool collect() noexcept override { return inner_->collect(); }
  bool can_collect(std::size_t pieces) const noexcept override {
    return inner_->can_collect(pieces);
  }

 private:
  std::unique_ptr<SampleLevel<Sample>> inner_;
  std::shared_ptr<BackendCounts> counts_;
};

class CountingBackend final : public Backend {
 public:
  explicit CountingBackend(const std::string& inner = "cpu-scalar") : inner_(make_backend(inner)) {}

  BackendCounts& counts() const { return *counts_; }

  const std::string& name() const noexcept override { return inner_->name(); }
  const std::string& instruction_set() const noexcept override { return inner_->instruction_set(); }
  std::pmr::memory_resource* memory() const noexcept override { return inner_->memory(); }
  std::size_t max_threads() const noexcept override { return inner_->max_threads(); }
  bool has_shares() const noexcept override { return inner_->has_shares(); }
  bool keeps_samples() const noexcept override { return inner_->keeps_samples(); }
  bool has_compact_spectra() const noexcept override { return false; }
  std::uint64_t free_memory_bytes() const noexcept override { return 0; }
  bool can_be_lost() const noexcept override { return false; }
  std::string failure() const override { return {}; }

  std::unique_ptr<SpectralLevel<float>> make_level_float(
      const LevelShape& shape, SpectralLevel<float>* first) const override {
    return level<float>(shape, first);
  }
  std::unique_ptr<SpectralLevel<double>> make_level_double(
      const LevelShape& shape, SpectralLevel<double>* first) const override {
    return level<double>(shape, first);
  }
  std::unique_ptr<SampleLevel<float>> make_sample_level_float(
      const SampleLevelShape& shape) const override {
    return sample_level<float>(shape);
  }
  std::unique_ptr<SampleLevel<double>> make_sample_level_double(
      const SampleLevelShape& shape) const override {
    return sample_level<double>(shape);
  }

 private:
  template <class Sample>
  std::unique_ptr<SpectralLevel<Sample>> level(const LevelShape& shape,
                                               SpectralLevel<Sample>* first) const {
    auto* const counted = static_cast<CountingSpectralLevel<Sample>*>(first);
    return std::make_unique<CountingSpectralLevel<Sample>>(
        inner_->make_level<Sample>(shape, counted == nullptr ? nullptr : counted->inner()),
        shape.bins, counts_);
  }
  template <class Sample>
  std::unique_ptr<SampleLevel<Sample>> sample_level(const SampleLevelShape& shape) const {
    return std::make_unique<CountingSampleLevel<Sample>>(inner_->make_sample_level<Sample>(shape),
                                                         counts_);
  }

  std::shared_ptr<const Backend> inner_;
  std::shared_ptr<BackendCounts> counts_ = std::make_shared<BackendCounts>();
};

}  // namespace firbank::test
