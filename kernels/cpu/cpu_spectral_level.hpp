// CpuSpectralLevel, CpuSpectralBank: delay lines and spectra of one partition size in the CPU's
// memory. Layouts are SpectralMac's; each input's delay line and each response is one stretch of a
// single allocation, padded so that neighbours do not fall on the same cache sets.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "kernels/aligned_vector.hpp"
#include "kernels/backend.hpp"
#include "kernels/cpu/real_fft.hpp"
#include "kernels/cpu/spectral_mac.hpp"

namespace firbank {

template <class Sample>
class CpuSpectralLevel final : public SpectralLevel<Sample> {
 public:
  CpuSpectralLevel(InstructionSet set, const LevelShape& shape);

  std::unique_ptr<SpectralBank<Sample>> make_bank(SpectralBankShape shape,
                                                  SpectralBank<Sample>* first) const override;
  Shares shares() const noexcept override;
  void forward(std::size_t slot, const Window<Sample>& window, IndexRange inputs, IndexRange shares,
               std::size_t thread) noexcept override;
  void submit() noexcept override {}  // everything is computed when it is asked for
  bool collect() noexcept override { return true; }
  bool can_collect(std::size_t) const noexcept override { return true; }

 private:
  template <class>
  friend class CpuSpectralBank;

  bool has_long_blocks() const noexcept { return shape_.block_frames > shape_.bins; }

  const Sample* delay_line(std::size_t input) const noexcept {
    return delay_lines_.data() + input * delay_line_stride_;
  }

  LevelShape shape_;
  const RealFft<Sample>& fft_;
  const SpectralMac<Sample>& mac_;
  TransformPlan<Sample> plan_;
  std::size_t delay_line_stride_;
  AlignedVector<Sample> delay_lines_;  // [input][chunk][slot][chunk samples]
  std::size_t work_stride_;
  AlignedVector<Sample> work_;  // [thread][2 M]
};

template <class Sample>
class CpuSpectralBank final : public SpectralBank<Sample> {
 public:
  using Sum = typename SpectralBank<Sample>::Sum;

  CpuSpectralBank(const CpuSpectralLevel<Sample>& level, SpectralBankShape shape);

  void load(std::size_t response, std::span<const Sample> taps) override;
  void end_load() override { AlignedVector<Sample>().swap(loading_); }
  void replace(std::size_t response, IndexRange partitions, std::span<const Sample> taps) override;
  void accumulate(Sum to, const Sum* from, std::size_t newest, IndexRange partitions,
                  IndexRange outputs, IndexRange shares, std::size_t thread) noexcept override;
  void accumulate_pair(std::size_t newest, IndexRange outputs, IndexRange shares,
                       std::size_t thread) noexcept override;
  void inverse(Sample* const* out, IndexRange frames, IndexRange outputs, IndexRange shares,
               std::size_t thread) noexcept override;
  void exchange_ready_and_next() noexcept override;
  void keep(std::size_t place, IndexRange outputs, IndexRange shares,
            std::size_t thread) noexcept override;
  void add_kept(std::size_t place, Sample* const* out, IndexRange frames,
                IndexRange outputs) noexcept override;

 private:
  /// Where a response's first chunk lies, how far it is to the next one, and the same of its
  /// scales; and how many partitions it has room for.
  struct Place {
    std::size_t start = 0;
    std::size_t chunk_stride = 0;
    std::size_t scale_start = 0;
    std::size_t scale_stride = 0;
    std::size_t room = 0;
  };
  /// Spectra of responses, or, if they are compact, multiples of scales.
  struct Spectra {
    AlignedVector<Sample> full;
    AlignedVector<std::int16_t> compact;
    AlignedVector<std::uint16_t> scales;
  };

  void make_answers();
  void place_responses();
  void allocate(Spectra& spectra, std::size_t values, std::size_t scales) const;
  void make_room(std::size_t response, std::size_t partitions);
  void follow_partitions(std::size_t response);
  bool hears(std::size_t output, std::size_t response) const noexcept;
  bool has_answer(std::size_t output) const noexcept;
  std::size_t tile_of(std::size_t output) const noexcept;
  Spectra& spectra_of(std::size_t response) noexcept;
  MacTerm<Sample> term_of(const ResponseTerm& term) noexcept;
  void make_compact(std::size_t response, std::size_t partition, const Sample* spectrum) noexcept;
  Sample* sum(Sum which, std::size_t output, std::size_t first_share, std::size_t thread) noexcept;
  template <class Aim>
  void run_tiles(std::size_t newest, IndexRange partitions, IndexRange outputs, IndexRange shares,
                 Aim aim) noexcept;

  const CpuSpectralLevel<Sample>& level_;
  std::vector<IndexRange> partitions_;            // of each response
  std::vector<std::vector<ResponseTerm>> shape_;  // of each output: which responses it hears
  std::vector<Place> places_;                     // of each response
  // [summed together][chunk][response][partition][chunk samples]; of scales, [plane lane] in place
  // of the samples.
  Spectra spectra_;
  // [chunk][partition][chunk samples] of responses that were replaced by longer ones.
  std::map<std::size_t, Spectra> outgrown_;
  std::vector<std::vector<MacTerm<Sample>>> terms_;  // of each output
  std::vector<std::size_t> tile_;  // of each output: it and those behind it that read alike
  MacJob<Sample> job_;             // what all sums have in common
  bool is_compact_;
  std::size_t spectrum_stride_;
  std::size_t tile_outputs_;
  bool is_half_;                // of sums kNext there is one half at a time
  std::size_t middle_;          // samples before the second half of a sum
  std::size_t carried_stride_;  // from output to output
  std::size_t carried_;         // where in sums_ those begin that are carried
  // kNow: [thread][output of a tile][2 M]; then [next, ready][output][2 M or half of it], as far as
  // they are wanted.
  AlignedVector<Sample> sums_;
  std::size_t frames_stride_;
  AlignedVector<Sample> frames_;   // [thread][M or 2 M]: where an inverse is wanted in part
  std::vector<bool> has_answers_;  // of each output of a later level: whether it hears anything
  AlignedVector<Sample> answers_;
  std::vector<Sample*> answer_;    // [place][output]: M frames
  AlignedVector<Sample> loading_;  // work, taps and a spectrum: while responses are loaded
  std::size_t next_ = 0;           // where sums kNext lie; kReady have the other place
};

extern template class CpuSpectralLevel<float>;
extern template class CpuSpectralLevel<double>;
extern template class CpuSpectralBank<float>;
extern template class CpuSpectralBank<double>;

}  // namespace firbank
