#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "engine/offline/array_planes.hpp"
#include "engine/offline/array_worker.hpp"
#include "engine/offline/spoilt_frames.hpp"
#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/checked_copy.hpp"
#include "kernels/cpu/direct_fir.hpp"

namespace firbank {
namespace {

/// A tile of frames at a time: inputs are copied aside with what they hear before it, outputs
/// summed where they belong, or aside.
template <class Sample>
class DirectWorker final : public ArrayWorker<Sample> {
 public:
  DirectWorker(const ArrayJob& job, const ArrayPlan& plan, InstructionSet set)
      : job_(job),
        plan_(plan),
        set_(set),
        fir_(*direct_fir<Sample>(set)),
        checked_(*checked_copy<Sample>(set)),
        inputs_(*array_copy<Sample>(set)),
        outputs_(*array_copy<Sample>(set)) {}

  void begin(const ArraySignals& signals, bool keeps_kernels) override {
    signals_ = &signals;
    outputs_.set_past_caches(outgrows_caches(job_, signals));
    if (!keeps_kernels || job_.own_kernels) forget_kernels();
  }

  void replace(std::size_t) override { forget_kernels(); }

  void compute(const ArrayTask& task, ArrayMeter& meter) override {
    take_kernels(task);
    name_planes(task, job_, *signals_, inputs_, outputs_);
    plain_ = true;
    for (std::size_t p = 0; p < inputs_.size(); ++p) plain_ = plain_ && inputs_.is_plain(p);
    const std::size_t lead = part_.longest - 1;
    const std::size_t tile = plan_.call_frames;
    const std::size_t per_unit = task.last_output - task.first_output;
    make_room(lead + tile, tile);
    for (std::uint64_t frame = task.frames.first; frame < task.frames.end(); frame += tile) {
      const auto frames =
          static_cast<std::size_t>(std::min<std::uint64_t>(tile, task.frames.end() - frame));
      const bool finite = read(frame, frames, lead);
      for (std::size_t u = 0; u < task.last_unit - task.first_unit; ++u) {
        for (std::size_t o = 0; o < per_unit; ++o) {
          sum(task, u, o, frame, frames, finite, meter);
          if (!meter.go_on(frames)) return;
        }
        put_out(task, u * per_unit, per_unit, frame, frames);
      }
    }
  }

 private:
  void forget_kernels() {
    have_kernels_ = false;
    reversed_.clear();
  }

  void take_kernels(const ArrayTask& task) {
    const bool same_batch = have_kernels_ && batch_ == task.batch;
    if (same_batch && (!job_.own_kernels || first_unit_ == task.first_unit)) return;
    have_kernels_ = true;
    batch_ = task.batch;
    first_unit_ = task.first_unit;
    part_ = part_of(job_, task.first_output, task.last_output);
    edges_of_.assign(task.last_output - task.first_output, {});
    for (std::size_t e = 0; e < part_.edges.size(); ++e) {
      edges_of_[part_.edges[e].output].push_back(e);
    }
    const std::size_t sets = job_.own_kernels ? task.last_unit - task.first_unit : 1;
    reversed_.resize(sets * part_.edges.size());
    for (std::size_t set = 0; set < sets; ++set) {
      for (std::size_t e = 0; e < part_.edges.size(); ++e) {
        const ArrayEdge& edge = part_.edges[e];
        const std::vector<double> taps = read_kernel(job_, signals_->kernels, task.first_unit + set,
                                                     part_.kernels[edge.kernel], set_);
        AlignedVector<Sample>& reversed = reversed_[set * part_.edges.size() + e];
        reversed.resize(taps.size());
        for (std::size_t k = 0; k < taps.size(); ++k) {
          reversed[taps.size() - 1 - k] = static_cast<Sample>(edge.gain * taps[k]);
        }
      }
    }
  }

  void make_room(std::size_t heard, std::size_t tile) {
    heard_.resize(inputs_.size() * heard);
    heard_planes_.resize(inputs_.size());
    for (std::size_t p = 0; p < inputs_.size(); ++p) heard_planes_[p] = heard_.data() + p * heard;
    finite_.resize(inputs_.size());
    // The outputs of one unit.
    const std::size_t outputs = edges_of_.size();
    summed_.resize(outputs * tile);
    summed_planes_.resize(outputs_.size());
    out_.resize(outputs_.size());
    for (std::size_t p = 0; p < outputs_.size(); ++p) {
      summed_planes_[p] = summed_.data() + p % outputs * tile;
    }
  }

  /// Whether all that was read is finite.
  bool read(std::uint64_t frame, std::size_t frames, std::size_t lead) {
    const std::int64_t first = static_cast<std::int64_t>(frame) - static_cast<std::int64_t>(lead);
    const std::size_t heard = lead + frames;
    bool all = true;
    if (plain_ && first >= 0 && frame + frames <= job_.frames) {
      for (std::size_t p = 0; p < inputs_.size(); ++p) {
        finite_[p] = copy_checked(checked_, inputs_.at(p, static_cast<std::uint64_t>(first)),
                                  heard_planes_[p], heard);
        all = all && finite_[p];
      }
      return all;
    }
    inputs_.read(first, heard, job_.frames, heard_planes_.data());
    for (std::size_t p = 0; p < inputs_.size(); ++p) {
      finite_[p] = true;
      for (std::size_t n = 0; n < heard; ++n) finite_[p] &= is_finite(heard_planes_[p][n]) ? 1 : 0;
      all = all && finite_[p];
    }
    return all;
  }

  void sum(const ArrayTask& task, std::size_t unit, std::size_t output, std::uint64_t frame,
           std::size_t frames, bool finite, const ArrayMeter& meter) {
    const std::size_t plane = unit * edges_of_.size() + output;
    const ArrayWindow& window = job_.windows[task.first_output + output];
    const bool direct =
        outputs_.is_plain(plane) && frame >= window.first && frame + frames <= window.end();
    Sample* const out = direct ? outputs_.at(plane, frame - window.first) : summed_planes_[plane];
    out_[plane] = out;
    const std::size_t set = job_.own_kernels ? unit * part_.edges.size() : 0;
    bool is_first = true;
    for (const std::size_t e : edges_of_[output]) {
      if (meter.stopped.load(std::memory_order_relaxed)) return;
      const AlignedVector<Sample>& reversed = reversed_[set + e];
      const auto sum_up = is_first ? fir_.set : fir_.add;
      sum_up(newest(unit, e), reversed.data(), reversed.size(), out, frames);
      is_first = false;
    }
    if (is_first) std::fill_n(out, frames, Sample{0});
    if (finite) return;
    for (const std::size_t e : edges_of_[output]) {
      if (finite_[unit * job_.inputs + part_.edges[e].input]) continue;
      spoil(newest(unit, e), reversed_[set + e].size(), out, frames);
    }
  }

  const Sample* newest(std::size_t unit, std::size_t edge) const {
    return heard_planes_[unit * job_.inputs + part_.edges[edge].input] + (part_.longest - 1);
  }

  /// Planes [first, first + count), those which were summed aside.
  void put_out(const ArrayTask& task, std::size_t first_plane, std::size_t count,
               std::uint64_t frame, std::size_t frames) {
    from_.resize(outputs_.size());
    for (std::size_t p = first_plane; p < first_plane + count;) {
      if (out_[p] != summed_planes_[p]) {
        ++p;
        continue;
      }
      const ArrayWindow& window = job_.windows[task.first_output + (p - first_plane)];
      std::size_t last = p + 1;
      while (last < first_plane + count && out_[last] == summed_planes_[last] &&
             job_.windows[task.first_output + (last - first_plane)] == window) {
        ++last;
      }
      const std::uint64_t first = std::max(frame, window.first);
      const std::uint64_t end = std::min(frame + frames, window.end());
      if (first < end) {
        for (std::size_t q = p; q < last; ++q) from_[q] = out_[q] + (first - frame);
        outputs_.write(first - window.first, static_cast<std::size_t>(end - first), p, last - p,
                       from_.data());
      }
      p = last;
    }
  }

  const ArrayJob& job_;
  const ArrayPlan& plan_;
  InstructionSet set_;
  const DirectFir<Sample>& fir_;
  const CheckedCopy<Sample>& checked_;
  const ArraySignals* signals_ = nullptr;

  bool have_kernels_ = false;
  std::size_t batch_ = 0;
  std::size_t first_unit_ = 0;
  ArrayPart part_;
  std::vector<std::vector<std::size_t>> edges_of_;  // of each output of the batch
  std::vector<AlignedVector<Sample>> reversed_;     // of each unit with own kernels, of each edge

  ArrayPlanes<Sample> inputs_;
  ArrayPlanes<Sample> outputs_;
  bool plain_ = false;
  AlignedVector<Sample> heard_;
  std::vector<Sample*> heard_planes_;
  std::vector<char> finite_;
  AlignedVector<Sample> summed_;
  std::vector<Sample*> summed_planes_;
  std::vector<Sample*> out_;
  std::vector<const Sample*> from_;
};

}  // namespace

template <class Sample>
std::unique_ptr<ArrayWorker<Sample>> make_direct_worker(const ArrayJob& job, const ArrayPlan& plan,
                                                        InstructionSet set) {
  return std::make_unique<DirectWorker<Sample>>(job, plan, set);
}

template std::unique_ptr<ArrayWorker<float>> make_direct_worker(const ArrayJob&, const ArrayPlan&,
                                                                InstructionSet);
template std::unique_ptr<ArrayWorker<double>> make_direct_worker(const ArrayJob&, const ArrayPlan&,
                                                                 InstructionSet);

}  // namespace firbank
