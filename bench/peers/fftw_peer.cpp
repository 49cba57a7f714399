// Overlap-save on FFTW, as a good engineer writes it in an afternoon: each input transformed once,
// each output inverse-transformed once, a frequency-domain delay line, and loops that the compiler
// turns into vectors. Uniform partitions of a block; and all taps in one transform, for filters
// that are not much longer than a block.
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bench/peers/fftw.hpp"
#include "bench/peers/peer.hpp"

namespace peers {
namespace {

/// How a spectrum lies while it is multiplied.
enum class Layout {
  kInterleaved,  // as FFTW has it
  kSplit,        // all real parts, then all imaginary ones: two more copies a transform
};

struct FftwOptions {
  std::size_t partition_frames = 0;  // the block, or all taps
  std::size_t transform_frames = 0;
  Layout layout = Layout::kInterleaved;
};

class FftwPeer final : public Peer {
 public:
  FftwPeer(const Setting& setting, const FftwOptions& options)
      : routing_(setting.routing),
        block_(setting.block_frames),
        size_(options.transform_frames),
        bins_(size_ / 2 + 1),
        plane_((bins_ + 15) / 16 * 16),
        layout_(options.layout),
        partition_(options.partition_frames),
        partitions_((setting.taps + partition_ - 1) / partition_),
        transforms_(size_),
        window_(fftw_floats(routing_.inputs() * window_stride())),
        spectrum_(fftw_floats(2 * plane_)),
        sum_(fftw_floats(2 * plane_)),
        time_(fftw_floats(size_)),
        inputs_(fftw_floats(routing_.inputs() * partitions_ * 2 * plane_)),
        filters_(fftw_floats(setting.filters.size() * partitions_ * 2 * plane_)),
        edges_of_(routing_.outputs()) {
    for (const firbank::Edge& edge : routing_.edges()) edges_of_[edge.output].push_back(edge);
    const float scale = 1.0f / static_cast<float>(size_);
    for (std::size_t f = 0; f < setting.filters.size(); ++f) {
      const std::vector<float>& taps = setting.filters[f];
      for (std::size_t p = 0; p * partition_ < taps.size(); ++p) {
        const std::size_t count = std::min(partition_, taps.size() - p * partition_);
        std::fill_n(time_.get(), size_, 0.0f);
        for (std::size_t n = 0; n < count; ++n) time_[n] = taps[p * partition_ + n] * scale;
        transform(time_.get(), filter(f, p));
      }
    }
  }

  std::string name() const override {
    return partition_ == block_ ? "FFTW uniform" : "FFTW one FFT";
  }
  std::string detail() const override {
    return "transforms of " + std::to_string(size_) + ", " +
           (layout_ == Layout::kSplit ? "split" : "interleaved");
  }
  bool one_thread() const override { return true; }

  void process(const float* const* in, float* const* out) override {
    newest_ = newest_ == 0 ? partitions_ - 1 : newest_ - 1;
    for (std::size_t i = 0; i < routing_.inputs(); ++i) {
      float* const window = &window_[i * window_stride()];
      std::memmove(window, window + block_, (size_ - block_) * sizeof(float));
      std::memcpy(window + size_ - block_, in[i], block_ * sizeof(float));
      transform(window, input(i, newest_));
    }
    for (std::size_t o = 0; o < routing_.outputs(); ++o) {
      bool first = true;
      for (const firbank::Edge& edge : edges_of_[o]) {
        for (std::size_t p = 0; p < partitions_; ++p) {
          std::size_t slot = newest_ + p;
          if (slot >= partitions_) slot -= partitions_;
          accumulate(input(edge.input, slot), filter(edge.filter, p), first);
          first = false;
        }
      }
      if (layout_ == Layout::kSplit) {
        for (std::size_t k = 0; k < bins_; ++k) {
          spectrum_[2 * k] = sum_[k];
          spectrum_[2 * k + 1] = sum_[plane_ + k];
        }
        transforms_.inverse(spectrum_.get(), time_.get());
      } else {
        transforms_.inverse(sum_.get(), time_.get());
      }
      std::memcpy(out[o], &time_[size_ - block_], block_ * sizeof(float));
    }
  }

 private:
  std::size_t window_stride() const { return (size_ + 15) / 16 * 16; }
  float* input(std::size_t i, std::size_t slot) {
    return &inputs_[(i * partitions_ + slot) * 2 * plane_];
  }
  float* filter(std::size_t f, std::size_t p) {
    return &filters_[(f * partitions_ + p) * 2 * plane_];
  }

  void transform(const float* time, float* bins) {
    if (layout_ == Layout::kInterleaved) {
      transforms_.forward(time, bins);
      return;
    }
    transforms_.forward(time, spectrum_.get());
    const float* const spectrum = spectrum_.get();
    for (std::size_t k = 0; k < bins_; ++k) {
      bins[k] = spectrum[2 * k];
      bins[plane_ + k] = spectrum[2 * k + 1];
    }
  }

  void accumulate(const float* __restrict x, const float* __restrict h, bool first) {
    float* __restrict y = sum_.get();
    if (layout_ == Layout::kInterleaved) {
      if (first) std::fill_n(y, 2 * bins_, 0.0f);
      for (std::size_t k = 0; k < bins_; ++k) {
        const float re = x[2 * k] * h[2 * k] - x[2 * k + 1] * h[2 * k + 1];
        const float im = x[2 * k] * h[2 * k + 1] + x[2 * k + 1] * h[2 * k];
        y[2 * k] += re;
        y[2 * k + 1] += im;
      }
      return;
    }
    const float* __restrict xi = x + plane_;
    const float* __restrict hi = h + plane_;
    float* __restrict yi = y + plane_;
    if (first) {
      for (std::size_t k = 0; k < plane_; ++k) {
        y[k] = x[k] * h[k] - xi[k] * hi[k];
        yi[k] = x[k] * hi[k] + xi[k] * h[k];
      }
      return;
    }
    for (std::size_t k = 0; k < plane_; ++k) {
      y[k] += x[k] * h[k] - xi[k] * hi[k];
      yi[k] += x[k] * hi[k] + xi[k] * h[k];
    }
  }

  const firbank::Routing& routing_;
  std::size_t block_, size_, bins_, plane_;  // plane_: bins, to whole cache lines
  Layout layout_;
  std::size_t partition_, partitions_;
  FftwPair transforms_;
  FftwFloats window_;                                 // an input: its last frames
  FftwFloats spectrum_, sum_, time_;                  // scratch
  FftwFloats inputs_, filters_;                       // spectra
  std::vector<std::vector<firbank::Edge>> edges_of_;  // an output
  std::size_t newest_ = 0;
};

/// Even sizes from `least` on that FFTW is fast at, to twice the length.
std::vector<std::size_t> good_sizes(std::size_t least) {
  std::vector<std::size_t> sizes;
  for (std::size_t size = least + least % 2; size < 2 * least && sizes.size() < 3; size += 2) {
    std::size_t rest = size;
    for (const std::size_t prime : {2, 3, 5}) {
      while (rest % prime == 0) rest /= prime;
    }
    if (rest == 1) sizes.push_back(size);
  }
  std::size_t power = 2;
  while (power < least) power *= 2;
  if (std::find(sizes.begin(), sizes.end(), power) == sizes.end()) sizes.push_back(power);
  return sizes;
}

std::unique_ptr<Peer> best_of(const Setting& setting, std::size_t partition,
                              const std::vector<std::size_t>& sizes) {
  std::vector<MakePeer> variants;
  for (const std::size_t size : sizes) {
    for (const Layout layout : {Layout::kInterleaved, Layout::kSplit}) {
      const FftwOptions options{partition, size, layout};
      variants.emplace_back(
          [&setting, options] { return std::make_unique<FftwPeer>(setting, options); });
    }
  }
  return fastest(variants, setting);
}

}  // namespace

std::vector<std::unique_ptr<Peer>> make_fftw_peers(const Setting& setting) {
  constexpr std::size_t kLongestInBlocks = 32;  // beyond, one transform a block is hopeless
  std::vector<std::unique_ptr<Peer>> peers;
  const std::size_t block = setting.block_frames;
  peers.push_back(best_of(setting, block, {2 * block}));
  if (setting.taps > block && setting.taps <= kLongestInBlocks * block) {
    peers.push_back(best_of(setting, setting.taps, good_sizes(setting.taps + block - 1)));
  }
  return peers;
}

}  // namespace peers
