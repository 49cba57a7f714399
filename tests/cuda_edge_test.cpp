// Each edge of the CUDA backend's graphs is needed: without it kernels that may run at the same
// time meet in memory, which the fake device sees, and some orders of the kernels give other
// answers.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/backend.hpp"
#include "kernels/cuda/cuda_backend.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/plugin_loader.hpp"
#include "tests/support/device_fixture.hpp"
#include "tests/support/host_graph.hpp"
#include "tests/support/new_samples.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/seen_graphs.hpp"

namespace firbank {
namespace {

using cuda::Kernel;
using test::EndsOfPlanes;
using test::HostGraph;
using test::is_of;
using test::MissingEdge;
using test::Random;
using test::SeenGraphs;

/// Three levels, driven through the backend's interface: all that one piece may ask of them, in as
/// few launches as can be, so that each kernel needs all that it waits for.
template <class Sample>
class WholePieces {
 public:
  struct Shape {
    std::size_t bins = 8;
    std::array<std::size_t, 2> later_bins = {16, 32};
    std::size_t partitions = 34;  // whose sums are worth sharing
    bool forwards_apart = false;  // in a piece of their own, without a bank
  };

  WholePieces(const firbank_device_api& api, const Shape& shape)
      : shape_(shape), backend_(api, {}), first_(level(shape.bins, nullptr)) {
    for (const std::size_t bins : shape.later_bins) later_.push_back(level(bins, first_.get()));
    SpectralBankShape bank{.partitions = {{0, shape.partitions}, {0, shape.partitions}},
                           .terms = {{{0, 0}}, {{0, 1}}}};
    first_bank_ = first_->make_bank(bank, nullptr);
    bank.keeps_answers = true;
    for (const auto& later : later_) {
      later_banks_.push_back(later->make_bank(bank, first_bank_.get()));
    }
    for (std::size_t k = 0; k < later_.size(); ++k) load(*later_banks_[k], shape.later_bins[k]);
    load(*first_bank_, shape.bins);
  }

  /// The answers to some pieces, or nothing when the device fails.
  std::optional<std::vector<Sample>> run(std::size_t pieces) {
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      if (!run_piece(piece)) return std::nullopt;
    }
    return out_;
  }

 private:
  using Level = SpectralLevel<Sample>;
  using Bank = SpectralBank<Sample>;
  using Sum = typename Bank::Sum;

  std::unique_ptr<Level> level(std::size_t bins, Level* first) {
    return backend_.template make_level<Sample>(
        {.bins = bins,
         .block_frames = bins,
         .partition_taps = bins,
         .slots = shape_.partitions,
         .inputs = 1,
         .outputs = 2,
         .longest_bins = std::max(bins, shape_.later_bins.back())},
        first);
  }

  void load(Bank& bank, std::size_t bins) {
    for (const std::size_t response : {0, 1}) {
      bank.load(response, samples(shape_.partitions * bins));
    }
    bank.end_load();
  }

  std::vector<Sample> samples(std::size_t count) {
    const std::vector<double> wide = test::random_samples(random_, count);
    return {wide.begin(), wide.end()};
  }

  /// The newest 2 x bins frames.
  Window<Sample> window(std::size_t bins) const {
    return {.newer_start = static_cast<std::int64_t>(past_.size() - bins),
            .fresh = {bins, 2 * bins},
            .silent = 0};
  }

  void forward_later(std::size_t slot) {
    for (std::size_t k = 0; k < later_.size(); ++k) {
      later_[k]->forward(slot, window(shape_.later_bins[k]), {0, 1}, {0, 1}, 0);
    }
  }

  bool run_piece(std::size_t piece) {
    const std::vector<Sample> fresh = samples(shape_.bins);
    past_.insert(past_.end(), fresh.begin(), fresh.end());
    const std::size_t slots = shape_.partitions;
    const std::size_t newest = (slots - piece % slots) % slots;
    const Sum ready = Sum::kReady;
    std::vector<Sample> planes(2 * shape_.bins);
    Sample* const out[] = {planes.data(), planes.data() + shape_.bins};

    const EndsOfPlanes<Sample> samples_of_piece(std::vector<std::vector<Sample>>{past_},
                                                shape_.bins);
    Window<Sample> newest_window = window(shape_.bins);
    newest_window.samples = &samples_of_piece;
    first_->forward(newest, newest_window, {0, 1}, {0, 1}, 0);
    if (shape_.forwards_apart) {
      forward_later(newest);
      first_->submit();
      if (!first_->collect()) return false;
    }
    first_bank_->accumulate(Sum::kNow, &ready, newest, {0, 1}, {0, 2}, {0, 1}, 0);
    first_bank_->inverse(out, {shape_.bins, 2 * shape_.bins}, {0, 2}, {0, 1}, 0);
    for (std::size_t k = 0; k < later_.size(); ++k) {
      const std::size_t bins = shape_.later_bins[k];
      later_banks_[k]->add_kept(0, out, {bins, bins + shape_.bins}, {0, 2});
    }
    if (!shape_.forwards_apart) forward_later(newest);
    for (std::size_t k = 0; k < later_.size(); ++k) {
      const std::size_t all = later_[k]->shares().accumulate;
      later_banks_[k]->accumulate(Sum::kNow, nullptr, newest, {0, slots}, {0, 2}, {0, all}, 0);
      later_banks_[k]->keep(0, {0, 2}, {0, 1}, 0);
    }
    first_bank_->accumulate(Sum::kReady, nullptr, newest, {0, slots}, {0, 2}, {0, 1}, 0);
    first_->submit();
    const bool is_answered = first_->collect();
    out_.insert(out_.end(), planes.begin(), planes.end());
    return is_answered;
  }

  Shape shape_;
  Random random_{5};
  CudaBackend backend_;
  std::unique_ptr<Level> first_;
  std::vector<std::unique_ptr<Level>> later_;
  std::unique_ptr<Bank> first_bank_;
  std::vector<std::unique_ptr<Bank>> later_banks_;
  std::vector<Sample> past_ = std::vector<Sample>(2 * shape_.later_bins.back());
  std::vector<Sample> out_;
};

class CudaEdgeTest : public test::DeviceFixture {
 protected:
  static constexpr int kOrders = 6;

  /// Leaves out each edge of the graphs that the pieces are launches of, one at a time, and expects
  /// the watch to see it, and some orders of the kernels to give something else than the answer.
  template <class Sample>
  void expect_every_edge(const typename WholePieces<Sample>::Shape& shape) {
    constexpr std::size_t kPieces = 5;
    SeenGraphs seen(*device_plugin().api);
    const auto run = [&](const std::string& settings, const std::optional<MissingEdge>& edge) {
      configure(settings);
      seen.leave_out(edge);
      return WholePieces<Sample>(seen.api(), shape).run(kPieces);
    };
    control_->reset_counts();
    const auto answer = run("", {});
    ASSERT_TRUE(answer);
    EXPECT_EQ(counts().launches, shape.forwards_apart ? 2 * kPieces : kPieces);
    for (int order = 1; order <= kOrders; ++order) {
      EXPECT_EQ(run("seed=" + std::to_string(1'000 * order), {}), answer) << "order " << order;
    }
    // One was made for the forwards of each number of levels, and then two of the bank.
    const std::size_t levels = 1 + shape.later_bins.size();
    const std::vector<HostGraph> graphs = seen.take_graphs();
    ASSERT_EQ(graphs.size(), levels + 2);
    for (const std::size_t used :
         shape.forwards_apart ? std::vector{levels - 1, levels + 1} : std::vector{levels}) {
      const HostGraph& graph = graphs[used];
      // The last kernel has no memory in common with those before it.
      for (std::uint32_t later = 1; later + 1 < graph.size(); ++later) {
        for (std::uint32_t i = 0; i < graph.call(later).after_count; ++i) {
          const MissingEdge edge{used, graph.call(later).after[i], later};
          // The passes that follow a render read no sums: here the answer is only kept from
          // waiting.
          if (is_of(graph, edge.earlier, Kernel::kInverseOuter) &&
              is_of(graph, edge.later, Kernel::kAccumulate)) {
            continue;
          }
          SCOPED_TRACE(testing::Message() << "graph " << used << ", from call " << edge.earlier
                                          << " to call " << edge.later);
          EXPECT_FALSE(run("watch=1", edge)) << "nothing was seen in memory";
          int wrong = 0;
          for (int order = 1; order <= kOrders; ++order) {
            if (run("watch=0,seed=" + std::to_string(1'000 * order), edge) != answer) ++wrong;
          }
          EXPECT_GT(wrong, 0) << "no order gave another answer";
        }
      }
    }
  }
};

TEST_F(CudaEdgeTest, AMissingOneShowsInFloat) {
  expect_every_edge<float>({});
}

TEST_F(CudaEdgeTest, AMissingOneShowsInDouble) {
  expect_every_edge<double>({});
}

TEST_F(CudaEdgeTest, AMissingOneShowsWhereForwardsAreLaunchedApart) {
  expect_every_edge<float>({.forwards_apart = true});
}

TEST_F(CudaEdgeTest, AMissingOneShowsBetweenPassesOverGlobalMemory) {
  expect_every_edge<float>({.bins = 8'192, .later_bins = {8'192, 8'192}, .partitions = 1});
}

}  // namespace
}  // namespace firbank
