#include "demos/firbank/filter_run.hpp"

#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/bank_options.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/level_meter.hpp"
#include "demos/firbank/progress_bar.hpp"
#include "demos/firbank/wording.hpp"
#include "io/error.hpp"

namespace firbank::program {
namespace {

double process_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double linear(double db) {
  return std::pow(10.0, db / 20);
}

/// The largest amplitude that the output's format holds with dither added.
double full_scale(const std::string& output, const CreateOptions& create) {
  double bits = 0;
  switch (create.encoding.value_or(default_encoding(output))) {
    case SampleEncoding::kInt16:
      bits = 16;
      break;
    case SampleEncoding::kInt24:
      bits = 24;
      break;
    case SampleEncoding::kInt32:
      bits = 32;
      break;
    case SampleEncoding::kFloat32:
    case SampleEncoding::kFloat64:
      return 1.0;
  }
  const double least_significant = std::exp2(1 - bits);
  return 1.0 - least_significant * (create.dither ? 2.0 : 1.0);
}

/// The largest factor of this precision that brings `peak` to no more than `target`.
template <class Sample>
Sample scale_to(double target, double peak) {
  if (peak == 0) return Sample{1};
  const auto sample_peak = static_cast<Sample>(peak);
  auto scale = static_cast<Sample>(target / peak);
  while (static_cast<double>(scale * sample_peak) > target)
    scale = std::nextafter(scale, Sample{0});
  return scale;
}

template <class Sample>
class FilterRun {
 public:
  explicit FilterRun(const FilterSettings& settings)
      : settings_(settings),
        source_(open_input(settings.input, settings.open, settings.rate_hz)),
        format_(source_->format()),
        filters_(settings.load_filters(format_)),
        costs_(settings.engine.chosen_costs(settings.notice)),
        config_(engine_config()),
        engine_(make_engine()) {
    if (config_.memory_limit_bytes > 0) settings.notice(told_limit());
    pass_options_.mode = convolution_mode(settings.mode);
    pass_options_.longest_taps = filters_.response_frames != 0
                                     ? filters_.response_frames
                                     : static_cast<std::int64_t>(filters_.bank.longest());
    pass_options_.pace = settings.pace;
    pass_options_.depth = settings.engine.is_hybrid() ? 0 : config_.depth_blocks;
    pass_options_.block_frames = engine_->plan().call_frames;
    pass_options_.sample_rate_hz = format_.sample_rate_hz;
  }

  FilterReport run(double start_seconds) {
    FilterReport report = describe_setup();
    const double ready_seconds = clock_seconds();
    const double ready_cpu_seconds = process_cpu_seconds();
    report.start_up_seconds = ready_seconds - start_seconds;

    auto scale = Sample{1};
    if (settings_.normalize) {
      const std::optional<double> peak = find_peak();
      if (!peak) {
        report.pass.interrupted = true;
        return report;
      }
      scale = scale_to<Sample>(
          linear(settings_.gain_db) * full_scale(settings_.output, settings_.create), *peak);
      report.gain_db = 20 * std::log10(static_cast<double>(scale));
    }
    write_output(scale, report);
    report.cpu_seconds = process_cpu_seconds() - ready_cpu_seconds;
    report.wall_seconds = clock_seconds() - ready_seconds;
    return report;
  }

 private:
  EngineConfig engine_config() const {
    EngineConfig config = settings_.engine.config(
        format_.sample_rate_hz,
        settings_.pace == Pace::kOffline ? PlanGoal::kOffline : PlanGoal::kLive);
    config.costs = costs_.model;
    // Only a clock makes a tail or a block late.
    const bool is_paced = settings_.pace == Pace::kRealtime;
    config.late_tail = is_paced ? LateTail::kLeaveOut : LateTail::kWait;
    if (is_paced && settings_.engine.on_overload.empty()) {
      config.on_overload = Overload::kTruncate;
    }
    config.expected_frames = static_cast<std::uint64_t>(progress_total().value_or(0));
    return config;
  }

  std::unique_ptr<BasicEngine<Sample>> make_engine() const {
    // With --normalize the gain is a target for the peak, not a factor.
    const double gain = settings_.normalize ? 1.0 : linear(settings_.gain_db);
    std::vector<Edge> edges = filters_.routing.edges();
    for (Edge& edge : edges) edge.gain *= gain;
    const Routing routing(filters_.routing.inputs(), filters_.routing.outputs(), std::move(edges));
    const SignalsForMainThread guard;
    return std::make_unique<BasicEngine<Sample>>(config_, filters_.bank, routing);
  }

  /// What the plan takes of --memory-limit, which in the hybrid mode is the GPU's.
  std::string told_limit() const {
    const auto taken = [](const PartitionPlan& plan) {
      return bytes(static_cast<double>(plan.memory_samples * sizeof(Sample)));
    };
    const std::string allowed = bytes(static_cast<double>(config_.memory_limit_bytes));
    const PartitionPlan* const tail = engine_->tail_plan();
    if (tail == nullptr) {
      return fmt::format("the plan takes {} of the {} that are allowed", taken(engine_->plan()),
                         allowed);
    }
    return fmt::format(
        "the tails take {} of the {} that are allowed on the GPU, and the heads {} of the host's",
        taken(*tail), allowed, taken(engine_->plan()));
  }

  std::size_t prefetch(FrameReader<Sample>& reader) const {
    const std::size_t frames = reader.prefetch(frames_to_prefetch(pass_options_));
    if (frames == 0 && !interrupt_requested()) {
      throw Error(ErrorKind::kInput, fmt::format("{}: it holds 0 frames; at least 1 is needed",
                                                 input_name(settings_.input)));
    }
    return frames;
  }

  std::optional<std::int64_t> progress_total() const {
    if (!format_.frames) return std::nullopt;
    return *format_.frames * (settings_.normalize ? 2 : 1);
  }

  /// A first pass over the input, for the output's peak; empty when it was interrupted.
  std::optional<double> find_peak() {
    FrameReader<Sample> reader(*source_);
    const std::size_t prefetched = prefetch(reader);
    LevelMeter meter;
    PassOptions options = pass_options_;
    options.pace = Pace::kOffline;
    const PassResult pass = run_pass<Sample>(
        *engine_, reader, prefetched, options,
        [&](const BasicBlock<Sample>& block) { meter.add(read_only(block)); },
        [&](std::int64_t frames) { progress_.update(frames); });
    if (pass.interrupted) return std::nullopt;
    progress_before_ = pass.frames_in;
    engine_->reset();
    source_ = open_input(settings_.input, settings_.open, settings_.rate_hz);
    return meter.peak();
  }

  void write_output(Sample scale, FilterReport& report) {
    FrameReader<Sample> reader(*source_);
    const std::size_t prefetched = prefetch(reader);
    StreamFormat format;
    format.channels = engine_->outputs();
    format.sample_rate_hz = format_.sample_rate_hz;
    if (format_.frames) {
      const FrameWindow kept =
          frame_window(pass_options_.mode, *format_.frames, pass_options_.longest_taps);
      format.frames = kept.last - kept.first;
    }
    const std::unique_ptr<Sink> sink = create_sink(settings_.output, format, settings_.create);
    LevelMeter meter;
    report.pass = run_pass<Sample>(
        *engine_, reader, prefetched, pass_options_,
        [&](const BasicBlock<Sample>& block) {
          if (scale != Sample{1}) apply(scale, block);
          const BasicBlock<const Sample> samples = read_only(block);
          meter.add(samples);
          sink->write(samples);
        },
        [&](std::int64_t frames) { progress_.update(progress_before_ + frames); });
    if (!report.pass.interrupted) {
      report.incomplete_frame_bytes = source_->incomplete_frame_bytes();
    }
    report.peak = meter.peak();
    const Stats stats = engine_->stats();
    report.lost_frames = stats.lost_frames;
    report.first_lost_frame = stats.first_lost_frame;
    report.late_frames = stats.late_frames;
    report.first_late_frame = stats.first_late_frame;
    report.truncated_frames = stats.truncated_frames;
    report.truncated_taps = stats.truncated_taps;
    report.failure = engine_->failure();
    if (stats.fail_over_frame != Stats::kNone) report.fail_over_frame = stats.fail_over_frame;
    report.last_backend = engine_->backend();
    report.spoiled_frames = meter.spoiled_frames();
    report.first_spoiled_frame = meter.first_spoiled_frame();
    if (report.has_output()) sink->finish();
    report.clipped = sink->clipped();
  }

  BasicBlock<const Sample> read_only(const BasicBlock<Sample>& block) {
    planes_.assign(block.planes, block.planes + block.channels);
    BasicBlock<const Sample> result;
    result.planes = planes_.data();
    result.channels = block.channels;
    result.frames = block.frames;
    result.first_frame = block.first_frame;
    return result;
  }

  static void apply(Sample scale, const BasicBlock<Sample>& block) {
    for (std::size_t c = 0; c < block.channels; ++c) {
      for (std::size_t n = 0; n < block.frames; ++n) block.planes[c][n] *= scale;
    }
  }

  FilterReport describe_setup() const {
    FilterReport report;
    report.input = settings_.input;
    report.input_encoding = format_.encoding;
    report.output = settings_.output;
    report.filter_files = settings_.filter_files;
    const FilterBank& bank = filters_.bank;
    report.filters = describe(size_of(bank), filters_.routing_name, format_.sample_rate_hz);
    report.filter_count = bank.size();
    report.longest_taps = bank.longest();
    report.shortest_taps = bank.shortest();
    report.routing = filters_.routing_name;
    report.mode = settings_.mode;
    report.precision = settings_.engine.precision;
    report.pace = settings_.pace;
    report.sample_rate_hz = format_.sample_rate_hz;
    report.channels_in = engine_->inputs();
    report.channels_out = engine_->outputs();
    report.block_frames = pass_options_.block_frames;
    // What a file's blocks under way delay is made up for.
    report.latency_frames = settings_.pace == Pace::kOffline ? 0 : engine_->latency_frames();
    report.backend = engine_->backend();
    report.instruction_set = engine_->instruction_set();
    report.threads = engine_->threads();
    report.plan = engine_->plan();
    report.plan.latency_frames = report.latency_frames;
    report.costs = costs_;
    report.hybrid = settings_.engine.is_hybrid();
    report.gain_db = settings_.gain_db;
    return report;
  }

  const FilterSettings& settings_;
  std::unique_ptr<Source> source_;
  StreamFormat format_;
  RunFilters filters_;
  ChosenCosts costs_;
  EngineConfig config_;
  std::unique_ptr<BasicEngine<Sample>> engine_;
  PassOptions pass_options_;
  std::vector<const Sample*> planes_;
  ProgressBar progress_{progress_total(), format_.sample_rate_hz, settings_.progress};
  std::int64_t progress_before_ = 0;
};

/// What the output turned out to be, read back where it has a header.
std::string encoding_of(const std::string& path, const CreateOptions& create) {
  std::error_code ignored;
  try {
    // Opening a pipe would wait for another writer.
    if (path != "-" && std::filesystem::is_regular_file(path, ignored)) {
      return open_source(path)->format().encoding;
    }
  } catch (const Error&) {
  }
  return fmt::format("raw {}", name(create.encoding.value_or(SampleEncoding::kFloat32)));
}

}  // namespace

std::unique_ptr<Source> open_input(const std::string& path, const OpenOptions& options,
                                   const std::optional<double>& rate_hz) {
  OpenOptions with_rate = options;
  if (rate_hz) with_rate.npy_sample_rate_hz = *rate_hz;
  std::unique_ptr<Source> source = open_source(path, with_rate);
  const double rate = source->format().sample_rate_hz;
  if (rate_hz && rate != *rate_hz) {
    throw Error(
        ErrorKind::kConfiguration,
        fmt::format("--rate {}: {} has its own rate, {} Hz; --rate is for .npy files, which "
                    "have none",
                    *rate_hz, input_name(path), rate));
  }
  return source;
}

FilterReport run_filter(const FilterSettings& settings) {
  const double start_seconds = clock_seconds();
  FilterReport report = settings.engine.precision == "double"
                            ? FilterRun<double>(settings).run(start_seconds)
                            : FilterRun<float>(settings).run(start_seconds);
  if (report.has_output()) {
    report.output_encoding = encoding_of(settings.output, settings.create);
  }
  return report;
}

}  // namespace firbank::program
