#include "kernels/cpu/transform_plan.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace firbank {
namespace {

struct Twist {
  double re;
  double im;
};

Twist twist(double turns) {
  const double angle = 2 * std::numbers::pi * turns;
  return {std::cos(angle), std::sin(angle)};
}

/// Radices whose product is `vectors`, small ones first; the last is never smaller than `group`.
std::vector<std::size_t> choose_radices(std::size_t vectors, std::size_t max_radix) {
  std::vector<std::size_t> radices;
  int octaves = 0;
  while ((std::size_t{1} << octaves) < vectors) ++octaves;
  if (max_radix == 2) return std::vector<std::size_t>(static_cast<std::size_t>(octaves), 2);
  if (octaves == 1) return {2};
  if (max_radix == 8) {
    const int fours = octaves % 3 == 0 ? 0 : octaves % 3 == 1 ? 2 : 1;
    radices.assign(static_cast<std::size_t>(fours), 4);
    radices.insert(radices.end(), static_cast<std::size_t>((octaves - 2 * fours) / 3), 8);
    return radices;
  }
  if (octaves % 2 != 0) radices.push_back(8);
  radices.insert(radices.end(), static_cast<std::size_t>((octaves - (octaves % 2 ? 3 : 0)) / 2), 4);
  return radices;
}

/// Cuts the passes of a plan into steps.
template <class Sample>
class StepList {
 public:
  using Plan = TransformPlan<Sample>;

  explicit StepList(Plan& plan) : plan_(plan) { add_sub_block(0, 0); }

 private:
  // Bytes of a pass, times the octaves that it splits and one for reading and writing.
  static constexpr std::size_t kStepCost = 64 * 1024;
  static constexpr std::size_t kCachedBytes = 20 * 1024;
  static constexpr std::size_t kMinColumns = 16;  // neighbouring vectors that are read together

  std::size_t bytes_of(std::size_t vectors) const {
    return 2 * sizeof(Sample) * plan_.lanes * vectors;
  }
  std::size_t sub_block(std::size_t pass) const {
    return plan_.passes[pass].radix * plan_.passes[pass].stride;
  }
  std::size_t cost(std::size_t pass, std::size_t blocks) const {
    const std::size_t tail = pass + 1 == plan_.pass_count ? plan_.lanes : 1;
    std::size_t octaves = 0;
    while ((std::size_t{1} << octaves) < plan_.passes[pass].radix * tail) ++octaves;
    return bytes_of(sub_block(pass) * blocks) * (octaves + 1);
  }
  /// One pass over some sub-blocks: cut between them, and where there are too few, in columns.
  void add_pass(std::size_t pass, std::size_t first_block, std::size_t blocks) {
    const std::size_t stride = plan_.passes[pass].stride;
    std::size_t parts = 1;
    while (cost(pass, blocks) > parts * kStepCost + parts * kStepCost / 2) parts *= 2;
    const std::size_t blocks_each = std::max<std::size_t>(blocks / parts, 1);
    const std::size_t parts_of_block = std::max<std::size_t>(parts / blocks, 1);
    const std::size_t columns = std::max(stride / parts_of_block, std::min(stride, kMinColumns));
    for (std::size_t block = 0; block < blocks; block += blocks_each) {
      for (std::size_t column = 0; column < stride; column += columns) {
        plan_.steps.push_back({pass, first_block + block, blocks_each, column, column + columns});
      }
    }
  }

  /// All that remains of `block` of `pass`: depth first where it is larger than the cache.
  void add_sub_block(std::size_t pass, std::size_t block) {
    add_pass(pass, block, 1);
    if (pass + 1 == plan_.pass_count) return;
    const std::size_t radix = plan_.passes[pass].radix;
    std::size_t together = radix;  // children that fit the cache
    while (together > 0 && bytes_of(sub_block(pass + 1) * together) > kCachedBytes) together /= 2;
    if (together == 0) {
      for (std::size_t k = 0; k < radix; ++k) add_sub_block(pass + 1, block * radix + k);
      return;
    }
    for (std::size_t k = 0; k < radix; k += together) {
      std::size_t first = block * radix + k;
      std::size_t count = together;
      for (std::size_t p = pass + 1; p < plan_.pass_count; ++p) {
        add_pass(p, first, count);
        first *= plan_.passes[p].radix;
        count *= plan_.passes[p].radix;
      }
    }
  }

  Plan& plan_;
};

}  // namespace

template <class Sample>
TransformPlan<Sample>::TransformPlan(std::size_t points_in, const TransformTraits& traits)
    : points(points_in) {
  plane_lanes = std::min(points, traits.lanes);
  const auto tail_group = [&](std::size_t width) {
    if (width == 1) return std::size_t{1};
    return std::max(width / traits.lanes_per_block, traits.lanes_per_block);
  };
  lanes = plane_lanes;
  while (lanes > 1 && points < lanes * tail_group(lanes)) lanes /= 2;
  if (lanes < traits.lanes_per_block) lanes = 1;
  vectors = points / lanes;
  group = tail_group(lanes);
  if (lanes > 1) {
    lane_radix = traits.lanes_per_block;
    block_radix = lanes / lane_radix;
  }

  // theta[b]: where sub-block b stands after the passes so far, in turns.
  std::vector<double> theta{0.25};
  std::size_t length = vectors;
  for (const std::size_t radix : choose_radices(vectors, traits.max_radix)) {
    Pass& pass = passes[pass_count++];
    length /= radix;
    pass.radix = radix;
    pass.stride = length;
    pass.blocks = theta.size();
    pass.twiddle.reserve(theta.size() * 2 * (radix - 1));
    std::vector<double> children;
    children.reserve(theta.size() * radix);
    for (const double turns : theta) {
      const double step = turns / static_cast<double>(radix);
      for (std::size_t j = 1; j < radix; ++j) {
        const Twist w = twist(step * static_cast<double>(j));
        pass.twiddle.push_back(static_cast<Sample>(w.re));
        pass.twiddle.push_back(static_cast<Sample>(w.im));
      }
      for (std::size_t k = 0; k < radix; ++k) {
        children.push_back(step + static_cast<double>(k) / static_cast<double>(radix));
      }
    }
    theta = std::move(children);
  }
  StepList<Sample> cut(*this);
  whole_passes = steps.size() == pass_count;
  if (lanes == 1) return;

  // at(v, b): theta of block b of vector v, first whole vectors, then after the block step.
  const std::size_t blocks = block_radix;
  std::vector<double> block_theta(vectors * blocks);
  const auto at = [&](std::size_t vector, std::size_t block) -> double& {
    return block_theta[vector * blocks + block];
  };
  const std::size_t group_samples =
      2 * lanes *
      ((group / block_radix) * (block_radix - 1) + (group / lane_radix) * (lane_radix - 1));
  tail.resize(vectors / group * group_samples);
  for (std::size_t first = 0; first < vectors; first += group) {
    Sample* out = tail.data() + first / group * group_samples;
    for (std::size_t set = first; set < first + group && block_radix > 1; set += block_radix) {
      for (std::size_t j = 1; j < block_radix; ++j, out += 2 * lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          const double step = theta[set + lane / lane_radix] / static_cast<double>(block_radix);
          const Twist w = twist(step * static_cast<double>(j));
          out[lane] = static_cast<Sample>(w.re);
          out[lanes + lane] = static_cast<Sample>(w.im);
        }
      }
    }
    for (std::size_t vector = first; vector < first + group; ++vector) {
      const std::size_t set = vector / block_radix * block_radix;
      for (std::size_t block = 0; block < blocks; ++block) {
        at(vector, block) = theta[set + block] / static_cast<double>(block_radix) +
                            static_cast<double>(vector - set) / static_cast<double>(block_radix);
      }
    }
    for (std::size_t set = first; set < first + group; set += lane_radix) {
      for (std::size_t j = 1; j < lane_radix; ++j, out += 2 * lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          const double step =
              at(set + lane % lane_radix, lane / lane_radix) / static_cast<double>(lane_radix);
          const Twist w = twist(step * static_cast<double>(j));
          out[lane] = static_cast<Sample>(w.re);
          out[lanes + lane] = static_cast<Sample>(w.im);
        }
      }
    }
  }
}

template <class Sample>
std::size_t TransformPlan<Sample>::chunk_samples() const noexcept {
  return 2 * std::min(points, 4 * plane_lanes);
}

template struct TransformPlan<float>;
template struct TransformPlan<double>;

}  // namespace firbank
