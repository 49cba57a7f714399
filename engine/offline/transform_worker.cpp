#if defined(__linux__)
#include <malloc.h>
#endif

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "engine/offline/array_planes.hpp"
#include "engine/offline/array_worker.hpp"
#include "kernels/aligned_vector.hpp"

namespace firbank {
namespace {

/// An engine hears a task's units from the first frame that its window reaches back to, in calls of
/// the size that the plan likes best. On a GPU several are under way: while it computes one, the
/// host has copies of the others to make.
template <class Sample>
class TransformWorker final : public ArrayWorker<Sample> {
 public:
  TransformWorker(const ArrayJob& job, const ArrayPlan& plan, InstructionSet set)
      : job_(job),
        plan_(plan),
        set_(set),
        inputs_(*array_copy<Sample>(set)),
        outputs_(*array_copy<Sample>(set)) {}

  ~TransformWorker() override { forget_engines(); }
  TransformWorker(const TransformWorker&) = delete;
  TransformWorker& operator=(const TransformWorker&) = delete;

  void begin(const ArraySignals& signals, bool keeps_kernels) override {
    signals_ = &signals;
    outputs_.set_past_caches(outgrows_caches(job_, signals));
    keeps_kernels_ = keeps_kernels;
    if (!keeps_kernels || job_.own_kernels) forget_engines();
  }

  void replace(std::size_t kernel) override {
    for (Made& made : made_) made.stale.push_back(kernel);
  }

  void compute(const ArrayTask& task, ArrayMeter& meter) override {
    Made& made = engine_for(task);
    BasicEngine<Sample>& engine = *made.engine;
    engine.reset();
    name_planes(task, job_, *signals_, inputs_, outputs_);
    const std::uint64_t lead = made.part.longest - 1;
    const std::uint64_t begin = task.frames.first - std::min(task.frames.first, lead);
    const std::size_t most = engine.max_frames();
    make_room(most);
    const AllCollected at_the_end(engine, calls_.size());
    std::size_t submitted = 0;
    std::size_t collected = 0;
    const auto collect_oldest = [&] {
      return collect(engine, task, calls_[collected++ % calls_.size()], meter);
    };
    for (std::uint64_t frame = begin; frame < task.frames.end(); frame += most) {
      Call& call = calls_[submitted++ % calls_.size()];
      call.frame = frame;
      call.frames =
          static_cast<std::size_t>(std::min<std::uint64_t>(most, task.frames.end() - frame));
      point_to_inputs(frame, call.frames);
      point_to_outputs(task, call);
      engine.submit(in_.data(), call.out.data(), call.frames);
      if (submitted - collected == calls_.size() && !collect_oldest()) return;
    }
    while (collected < submitted) {
      if (!collect_oldest()) return;
    }
  }

 private:
  /// A call that is under way, and where its outputs go.
  struct Call {
    std::uint64_t frame = 0;
    std::size_t frames = 0;
    bool is_staged = false;  // any output is, and is copied when the call is collected
    std::vector<Sample*> out;
    AlignedVector<Sample> stage;
  };

  /// Whatever ends a task, nothing is written to afterwards.
  class AllCollected {
   public:
    AllCollected(BasicEngine<Sample>& engine, std::size_t calls) : engine_(engine), calls_(calls) {}
    ~AllCollected() {
      for (std::size_t call = 0; call < calls_; ++call) engine_.collect();
    }
    AllCollected(const AllCollected&) = delete;
    AllCollected& operator=(const AllCollected&) = delete;

   private:
    BasicEngine<Sample>& engine_;
    std::size_t calls_;
  };

  /// The oldest call that is under way. False when the run is to end.
  bool collect(BasicEngine<Sample>& engine, const ArrayTask& task, Call& call, ArrayMeter& meter) {
    if (engine.collect() != ProcessStatus::kOk) throw std::runtime_error(engine.failure());
    if (call.is_staged) put_out(task, call);
    const std::uint64_t first = std::max(call.frame, task.frames.first);
    const std::uint64_t end = call.frame + call.frames;
    return meter.go_on((end > first ? end - first : 0) * outputs_.size());
  }

  struct Made {
    std::size_t batch = 0;
    std::size_t first_unit = 0;  // of own kernels
    std::size_t units = 0;
    ArrayPart part;
    std::unique_ptr<BasicEngine<Sample>> engine;
    std::vector<std::size_t> stale;  // kernels of the job
  };

  Made& engine_for(const ArrayTask& task) {
    const std::size_t units = task.last_unit - task.first_unit;
    for (Made& made : made_) {
      if (made.batch != task.batch || made.units != units) continue;
      if (job_.own_kernels && made.first_unit != task.first_unit) continue;
      refresh(made);
      return made;
    }
    if (!keeps_kernels_) forget_engines();
    Made made{task.batch, task.first_unit,
              units,      part_of(job_, task.first_output, task.last_output),
              nullptr,    {}};
    made.engine = make_engine(task, made.part);
    give_back();
    return made_.emplace_back(std::move(made));
  }

  void forget_engines() noexcept {
    if (made_.empty()) return;
    made_.clear();
    give_back();
  }

  /// Within a limit, what an allocator keeps of an engine, and of the making of one, would come on
  /// top of the next one.
  void give_back() const noexcept {
#if defined(__GLIBC__)
    constexpr std::uint64_t kLittle = std::uint64_t{1} << 20;
    if (plan_.is_limited && plan_.memory_bytes > kLittle * plan_.threads) ::malloc_trim(0);
#endif
  }

  std::unique_ptr<BasicEngine<Sample>> make_engine(const ArrayTask& task, const ArrayPart& part) {
    const std::size_t units = task.last_unit - task.first_unit;
    const std::size_t sets = job_.own_kernels ? units : 1;
    std::vector<std::vector<double>> filters;
    for (std::size_t u = 0; u < sets; ++u) {
      for (const std::size_t kernel : part.kernels) {
        filters.push_back(read_kernel(job_, signals_->kernels, task.first_unit + u, kernel, set_));
      }
    }
    const FilterBank bank(std::move(filters));
    const std::size_t outputs = task.last_output - task.first_output;
    std::vector<Edge> edges;
    for (std::size_t u = 0; u < units; ++u) {
      const std::size_t own = job_.own_kernels ? u * part.kernels.size() : 0;
      for (const ArrayEdge& edge : part.edges) {
        edges.push_back({u * job_.inputs + edge.input, own + edge.kernel, u * outputs + edge.output,
                         edge.gain, 0});
      }
    }
    EngineConfig config;
    config.goal = PlanGoal::kOffline;
    config.backend = plan_.backend;
    config.fail_over = false;
    config.threads = plan_.copy_threads;
    config.depth_blocks = plan_.calls_ahead;
    config.gpu_mode = plan_.calls_ahead > 0 ? GpuMode::kThroughput : GpuMode::kWhole;
    config.expected_frames = plan_.engine_frames;
    config.memory_limit_bytes = plan_.engine_limit_bytes;
    config.costs = plan_.costs;
    return std::make_unique<BasicEngine<Sample>>(
        config, bank, Routing(units * job_.inputs, units * outputs, std::move(edges)));
  }

  void refresh(Made& made) {
    for (const std::size_t kernel : made.stale) {
      const auto at = std::find(made.part.kernels.begin(), made.part.kernels.end(), kernel);
      if (at == made.part.kernels.end()) continue;
      const std::vector<double> taps = read_kernel(job_, signals_->kernels, 0, kernel, set_);
      made.engine->update(static_cast<std::size_t>(at - made.part.kernels.begin()), taps);
    }
    made.stale.clear();
  }

  /// Of calls of up to `frames` frames.
  void make_room(std::size_t frames) {
    staged_inputs_ = false;
    for (std::size_t p = 0; p < inputs_.size(); ++p) staged_inputs_ |= !inputs_.is_plain(p);
    stage_frames_ = frames;
    in_.resize(inputs_.size());
    calls_.resize(plan_.calls_ahead + 1);
    for (Call& call : calls_) call.out.resize(outputs_.size());
  }

  /// An engine has taken the samples of a call when that is submitted.
  void point_to_inputs(std::uint64_t frame, std::size_t frames) {
    if (!staged_inputs_ && frame + frames <= job_.frames) {
      for (std::size_t p = 0; p < in_.size(); ++p) in_[p] = inputs_.at(p, frame);
      return;
    }
    in_stage_.resize(inputs_.size() * stage_frames_);
    staged_in_.resize(inputs_.size());
    for (std::size_t p = 0; p < inputs_.size(); ++p) {
      staged_in_[p] = in_stage_.data() + p * stage_frames_;
    }
    inputs_.read(static_cast<std::int64_t>(frame), frames, job_.frames, staged_in_.data());
    std::copy(staged_in_.begin(), staged_in_.end(), in_.begin());
  }

  /// Where samples are used as they lie, the calls at a window's ends alone are copied.
  void point_to_outputs(const ArrayTask& task, Call& call) {
    call.is_staged = false;
    for (std::size_t p = 0; p < call.out.size(); ++p) {
      const ArrayWindow& window = window_of(task, p);
      const std::uint64_t first = std::max(window.first, task.frames.first);
      const std::uint64_t end = std::min(window.end(), task.frames.end());
      const bool whole = call.frame >= first && call.frame + call.frames <= end;
      const bool direct = whole && outputs_.is_plain(p);
      if (!direct) call.stage.resize(outputs_.size() * stage_frames_);
      call.out[p] = direct ? outputs_.at(p, call.frame - window.first) : staged(call, p);
      call.is_staged |= !direct;
    }
  }

  Sample* staged(Call& call, std::size_t plane) const {
    return call.stage.data() + plane * stage_frames_;
  }

  void put_out(const ArrayTask& task, Call& call) {
    const std::size_t planes = call.out.size();
    const auto is_staged = [&](std::size_t p) { return call.out[p] == staged(call, p); };
    for (std::size_t p = 0; p < planes;) {
      if (!is_staged(p)) {
        ++p;
        continue;
      }
      // Outputs with the same window are moved together.
      const ArrayWindow& window = window_of(task, p);
      std::size_t last = p + 1;
      while (last < planes && is_staged(last) && window_of(task, last) == window) ++last;
      const std::uint64_t first = std::max({call.frame, window.first, task.frames.first});
      const std::uint64_t end =
          std::min({call.frame + call.frames, window.end(), task.frames.end()});
      if (first < end) {
        from_.resize(planes);
        for (std::size_t q = p; q < last; ++q) from_[q] = call.out[q] + (first - call.frame);
        outputs_.write(first - window.first, static_cast<std::size_t>(end - first), p, last - p,
                       from_.data());
      }
      p = last;
    }
  }

  const ArrayWindow& window_of(const ArrayTask& task, std::size_t plane) const {
    const std::size_t outputs = task.last_output - task.first_output;
    return job_.windows[task.first_output + plane % outputs];
  }

  const ArrayJob& job_;
  const ArrayPlan& plan_;
  InstructionSet set_;
  const ArraySignals* signals_ = nullptr;
  bool keeps_kernels_ = false;
  std::vector<Made> made_;
  ArrayPlanes<Sample> inputs_;
  ArrayPlanes<Sample> outputs_;
  bool staged_inputs_ = false;
  std::size_t stage_frames_ = 0;
  AlignedVector<Sample> in_stage_;
  std::vector<Sample*> staged_in_;
  std::vector<const Sample*> in_;
  std::vector<Call> calls_;
  std::vector<const Sample*> from_;
};

}  // namespace

template <class Sample>
std::unique_ptr<ArrayWorker<Sample>> make_transform_worker(const ArrayJob& job,
                                                           const ArrayPlan& plan,
                                                           InstructionSet set) {
  return std::make_unique<TransformWorker<Sample>>(job, plan, set);
}

template std::unique_ptr<ArrayWorker<float>> make_transform_worker(const ArrayJob&,
                                                                   const ArrayPlan&,
                                                                   InstructionSet);
template std::unique_ptr<ArrayWorker<double>> make_transform_worker(const ArrayJob&,
                                                                    const ArrayPlan&,
                                                                    InstructionSet);

}  // namespace firbank
