// Every backend sums the same in direct form: its level of samples against the formula in double
// precision, for random responses, pieces, banks and beginnings of streams.
#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "kernels/backends.hpp"
#include "tests/support/engine_runner.hpp"
#include "tests/support/new_samples.hpp"
#include "tests/support/random_cases.hpp"
#include "tests/support/signals.hpp"

namespace firbank {
namespace {

using test::between;
using test::Random;

/// A level and two banks, as while one fades into the other.
template <class Sample>
class DirectConformance {
 public:
  DirectConformance(const Backend& backend, Random& random, const SampleLevelShape& shape,
                    std::size_t longest)
      : random_(random),
        shape_(shape),
        keeps_samples_(backend.keeps_samples()),
        past_(shape.inputs, std::vector<Sample>(shape.reach)),
        newest_(shape.inputs) {
    level_ = backend.make_sample_level<Sample>(shape_);
    make_terms();
    for (Bank& bank : banks_) make_bank(bank, longest);
  }

  /// Takes a piece that no bank, or one, or both hear.
  void take_piece() {
    if (under_way_.size() == shape_.pieces) collect();
    const bool begins = !has_begun_ || between(random_, 0, 11) == 0;
    has_begun_ = true;
    const std::size_t most =
        between(random_, 0, 2) == 0 ? shape_.piece_frames / 3 + 1 : shape_.piece_frames;
    const std::size_t frames = between(random_, 0, 1) == 0 ? most : between(random_, 1, most);
    for (std::size_t input = 0; input < shape_.inputs; ++input) {
      std::vector<Sample>& past = past_[input];
      past.erase(past.begin(), past.end() - static_cast<std::ptrdiff_t>(shape_.reach));
      if (begins) std::fill(past.begin(), past.end(), Sample{0});
      for (std::size_t n = 0; n < frames; ++n) past.push_back(sample());
      newest_[input] = past.data() + shape_.reach;
    }
    const test::EndsOfPlanes<Sample> samples(past_, frames);
    SamplePiece<Sample> taken{.frames = frames, .begins = begins};
    if (keeps_samples_) {
      taken.samples = &samples;
    } else {
      taken.newest = newest_.data();
    }
    level_->take(taken);
    samples.expect_taken(keeps_samples_ ? 1 : 0);
    Piece& piece = under_way_.emplace_back();
    for (const Bank& bank : banks_) {
      if (between(random_, 0, 2) == 0) continue;
      Heard& heard = piece.heard.emplace_back();
      heard.planes.assign(shape_.outputs, std::vector<Sample>(frames, Sample{7}));
      std::vector<Sample*> out;
      for (std::vector<Sample>& plane : heard.planes) out.push_back(plane.data());
      bank.taps->run(out.data(), frames, {0, shape_.outputs});
      for (std::size_t output = 0; output < shape_.outputs; ++output) {
        for (std::size_t n = 0; n < frames; ++n) {
          heard.oracle.push_back(frame_of(bank, output, n));
        }
      }
    }
    level_->submit();
    if (between(random_, 0, 1) == 0) collect();
  }

  void collect_all() {
    while (!under_way_.empty()) collect();
  }

  double error() const { return error_ == 0 ? 0 : std::sqrt(error_ / power_); }

 private:
  struct Bank {
    std::unique_ptr<DirectBank<Sample>> taps;
    std::vector<DirectBankShape::Response> responses;
    std::vector<std::vector<ResponseTerm>> terms;
    std::vector<std::vector<Sample>> values;  // of each response
  };
  struct Heard {
    std::vector<std::vector<Sample>> planes;
    std::vector<double> oracle;  // output by output
  };
  struct Piece {
    std::vector<Heard> heard;
  };

  Sample sample() { return std::uniform_real_distribution<float>(-1, 1)(random_); }

  /// Some outputs hear the same inputs, so that they may share the reading of them.
  void make_terms() {
    std::vector<std::vector<std::size_t>> heard(between(random_, 1, 3));
    for (std::vector<std::size_t>& inputs : heard) {
      inputs.resize(between(random_, 0, 5));
      for (std::size_t& input : inputs) input = between(random_, 0, shape_.inputs - 1);
    }
    for (std::size_t output = 0; output < shape_.outputs; ++output) {
      heard_.push_back(heard[between(random_, 0, heard.size() - 1)]);
    }
  }

  void make_bank(Bank& bank, std::size_t longest) {
    const std::size_t responses = between(random_, 1, 6);
    for (std::size_t r = 0; r < responses; ++r) {
      const std::size_t taps = between(random_, 1, std::min(longest, shape_.reach + 1));
      bank.responses.push_back({between(random_, 0, shape_.reach + 1 - taps), taps});
      if (between(random_, 0, 1) == 0) bank.responses.back().delay = 0;
      for (Sample& value : bank.values.emplace_back(taps)) value = sample();
    }
    for (const std::vector<std::size_t>& inputs : heard_) {
      std::vector<ResponseTerm>& terms = bank.terms.emplace_back();
      for (const std::size_t input : inputs) {
        terms.push_back({input, between(random_, 0, responses - 1)});
      }
    }
    bank.taps = level_->make_bank({.responses = bank.responses, .terms = bank.terms});
    for (std::size_t r = 0; r < responses; ++r) bank.taps->load(r, bank.values[r]);
    bank.taps->end_load();
  }

  double frame_of(const Bank& bank, std::size_t output, std::size_t n) const {
    double sum = 0;
    for (const ResponseTerm& term : bank.terms[output]) {
      const std::vector<Sample>& taps = bank.values[term.response];
      const std::size_t at = shape_.reach + n - bank.responses[term.response].delay;
      for (std::size_t k = 0; k < taps.size(); ++k) {
        sum += static_cast<double>(taps[k]) * static_cast<double>(past_[term.input][at - k]);
      }
    }
    return sum;
  }

  void collect() {
    ASSERT_TRUE(level_->collect());
    for (const Heard& heard : under_way_.front().heard) {
      std::size_t at = 0;
      for (const std::vector<Sample>& plane : heard.planes) {
        for (const Sample value : plane) {
          const double wanted = heard.oracle[at++];
          const double off = static_cast<double>(value) - wanted;
          // A comparison with NaN is false.
          if (!(std::abs(off) < 1e-3)) FAIL() << value << " instead of " << wanted;
          error_ += off * off;
          power_ += wanted * wanted;
        }
      }
    }
    under_way_.pop_front();
  }

  Random& random_;
  SampleLevelShape shape_;
  bool keeps_samples_;
  std::vector<std::vector<Sample>> past_;  // of each input: the reach, and the piece
  std::vector<const Sample*> newest_;
  std::vector<std::vector<std::size_t>> heard_;  // of each output: inputs
  std::unique_ptr<SampleLevel<Sample>> level_;
  Bank banks_[2];
  std::deque<Piece> under_way_;
  bool has_begun_ = false;
  double error_ = 0;
  double power_ = 0;
};

template <class Sample>
class BackendDirectConformance : public testing::Test {};
using SampleTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(BackendDirectConformance, SampleTypes);

TYPED_TEST(BackendDirectConformance, HoldsForRandomStreams) {
  for (const std::string& name : test::available_backends()) {
    const auto backend = make_backend(name);
    ASSERT_NE(backend, nullptr) << name;
    for (std::uint64_t seed = 1; seed <= (test::full_sweep() ? 300 : 50); ++seed) {
      SCOPED_TRACE(testing::Message() << name << ", seed " << seed);
      Random random(seed);
      SampleLevelShape shape;
      shape.inputs = between(random, 1, 5);
      shape.outputs = between(random, 1, 20);
      shape.piece_frames = between(random, 1, seed % 4 == 0 ? 200 : 50);
      shape.reach = between(random, 0, seed % 5 == 0 ? 1'500 : 90);
      shape.pieces = between(random, 1, 4);
      shape.copies = between(random, 0, 1) == 0;
      DirectConformance<TypeParam> conformance(*backend, random, shape, seed % 3 == 0 ? 1'024 : 60);
      for (std::size_t piece = 0; piece < 25; ++piece) {
        conformance.take_piece();
        if (this->HasFatalFailure()) return;
      }
      conformance.collect_all();
      EXPECT_LE(conformance.error(), test::kErrorLimit<TypeParam>);
    }
  }
}

}  // namespace
}  // namespace firbank
