// firbank bench capacity: the largest stream that stays in time, by block size and backend.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "demos/firbank/bench/bench_commands.hpp"
#include "demos/firbank/bench/capacity/capacity_backends.hpp"
#include "demos/firbank/bench/capacity/capacity_report.hpp"
#include "demos/firbank/bench/machine/environment.hpp"
#include "demos/firbank/bench/report/report_options.hpp"
#include "demos/firbank/bench/stream_options.hpp"
#include "demos/firbank/checks.hpp"
#include "demos/firbank/console.hpp"
#include "demos/firbank/exit_code.hpp"
#include "demos/firbank/interrupt.hpp"
#include "demos/firbank/progress_bar.hpp"
#include "demos/firbank/text_file.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Examples:
  How many channels, each with 512 taps of its own, in blocks of 32 to 512:
    firbank bench capacity --taps 512 --rate 30000
  How many filters on one channel, on the CPU and on each GPU, as a picture:
    firbank bench capacity --routing bank --channels 1 --html capacity.html
  How long the filters of a 16 x 16 matrix may be, in blocks of 128:
    firbank bench capacity --routing matrix --channels 16 --outputs 16 \
        --vary taps --blocks 128

A stream is in time when the 99th percentile of a block's work is within the deadline,
the time that the block lasts; there is nothing left for anything else then (--within).
On one thread of a CPU the processor's time counts, so that other programs do not, and
blocks follow one another; else they come at the pace of the stream, and the clock counts.

Exit codes: 0 measured; 2 bad usage; 3 a file cannot be read or written; 4 measured,
but too noisy to judge; 130 after Ctrl-C.)";

struct Arguments {
  StreamOptions stream;
  std::string vary;  // empty: what the routing leaves open
  std::string blocks = "32,64,128,256,512";
  std::size_t most = 0;  // 0: as is usual for what is varied
  double seconds = 1;
  double within_percent = 100;
  bool quiet = false;
  ReportOptions report;
  std::string csv;
};

std::vector<std::size_t> sizes_of(const std::string& text) {
  std::vector<std::size_t> sizes;
  std::string_view rest = text;
  while (true) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    const bool ends = end == rest.data() + rest.size();
    if (error != std::errc{} || size < 1 || size > 65'536 || (!ends && *end != ',')) {
      refuse(
          fmt::format("--blocks '{}' is not allowed; whole numbers from 1 to 65536 with commas "
                      "between them, such as 32,64,256, are",
                      text));
    }
    sizes.push_back(size);
    if (ends) break;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
  }
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

/// A stream in which one size is left open.
class VariedStream {
 public:
  explicit VariedStream(const Arguments& arguments)
      : options_(arguments.stream), vary_(arguments.vary) {
    const std::string& routing = options_.bank.routing;
    options_.bank.check();
    if (vary_.empty()) vary_ = routing == "bank" ? "filters" : "channels";
    if (vary_ == "filters" && routing != "bank") {
      refuse(
          fmt::format("--vary filters does not go with --routing {}, which has as many as its "
                      "channels need; allowed are channels and taps",
                      routing));
    }
    if (vary_ == "channels" && options_.channels) {
      refuse("--channels has no use with --vary channels, which --routing rows and matrix have");
    }
    if (vary_ == "filters" && options_.filters) {
      refuse("--filters has no use with --vary filters, which --routing bank has");
    }
    most_ = arguments.most > 0 ? arguments.most : vary_ == "taps" ? 1u << 21 : 1u << 14;
  }

  const std::string& varied() const { return vary_; }
  std::size_t least() const { return vary_ == "taps" ? 16 : 1; }
  std::size_t most() const { return std::max(most_, least()); }

  /// What the value is not; nothing for what is varied.
  std::optional<std::size_t> channels() const {
    if (vary_ == "channels") return std::nullopt;
    return options_.noise_channels();
  }
  std::optional<std::size_t> filters() const {
    if (vary_ == "filters") return std::nullopt;
    if (vary_ == "channels" && options_.bank.routing != "bank") return std::nullopt;
    return options_.filters.value_or(options_.noise_filters_of(channels().value_or(1)));
  }
  std::optional<std::size_t> taps() const {
    if (vary_ == "taps") return std::nullopt;
    return options_.taps;
  }

  StreamCase at(std::size_t value, std::size_t block_frames, const std::string& backend) {
    options_.engine.block_frames = block_frames;
    options_.engine.backend = backend;
    const std::size_t all = channels().value_or(value);
    const std::size_t each = vary_ == "filters" ? value
                             : vary_ == "channels" && options_.bank.routing != "bank"
                                 ? options_.noise_filters_of(value)
                                 : filters().value_or(1);
    StreamCase stream = options_.make_noise(all, each, taps().value_or(value));
    stream.config.costs = options_.engine.chosen_costs([](const std::string&) {}).model;
    return stream;
  }

 private:
  StreamOptions options_;
  std::string vary_;
  std::size_t most_ = 0;
};

std::size_t products_per_frame(const StreamCase& stream) {
  std::size_t products = 0;
  for (const Edge& edge : stream.routing.edges()) products += stream.bank.taps(edge.filter).size();
  return products;
}

int run(Arguments& arguments) {
  VariedStream stream(arguments);
  const std::vector<std::size_t> blocks = sizes_of(arguments.blocks);
  const std::string asked = arguments.stream.engine.backend;
  const std::vector<std::string> backends = backends_to_try(asked == "auto" ? "" : asked);
  arguments.report.open({arguments.csv});
  const auto csv = arguments.csv.empty() ? nullptr : std::make_unique<TextFile>(arguments.csv);
  install_interrupt_handlers(2);
  const bool tells =
      !arguments.quiet && !arguments.report.takes_standard_output() && arguments.csv != "-";

  CapacityReport report;
  report.head = begin_report("capacity");
  report.varied = stream.varied();
  report.routing = arguments.stream.bank.routing;
  report.channels = stream.channels();
  report.filters = stream.filters();
  report.taps = stream.taps();
  report.outputs = arguments.stream.bank.outputs;
  report.sample_rate_hz = arguments.stream.sample_rate_hz;
  report.threads = arguments.stream.engine.threads_for(PlanGoal::kLive);
  report.limit.seconds = arguments.seconds;
  report.limit.deadline_share = arguments.within_percent / 100;
  if (tells) print_head(report);
  ProgressBar progress(static_cast<std::int64_t>(blocks.size() * backends.size()), "measuring",
                       !arguments.quiet);
  for (const std::string& backend : backends) {
    for (const std::size_t block_frames : blocks) {
      if (interrupt_requested()) break;
      FrontierPoint point;
      point.backend = backend;
      point.block_frames = block_frames;
      CapacitySearch search;
      search.least = stream.least();
      search.most = stream.most();
      search.stopped = [] { return interrupt_requested(); };
      search.told = [&](const CapacityStep&) {
        progress.update(static_cast<std::int64_t>(report.frontier.size()));
      };
      search.measure = [&](std::size_t value) {
        const StreamCase sized = stream.at(value, block_frames, backend);
        return measure_step(sized.config, sized.bank, sized.routing, report.limit, search.stopped);
      };
      point.steps = find_capacity(search);
      point.capacity = capacity_of(point.steps);
      point.at_limit = point.capacity == stream.most();
      if (point.capacity > 0) {
        point.products_per_frame =
            products_per_frame(stream.at(point.capacity, block_frames, backend));
      }
      if (interrupt_requested()) break;
      report.frontier.push_back(point);
      if (tells) print_row(report, point);
    }
  }
  report.stopped = interrupt_requested();
  if (tells) print_end(report);
  arguments.report.finish(to_json(report));
  if (csv) csv->finish(to_csv(report));
  if (report.stopped) return kExitInterrupted;
  return is_usable(report) ? kExitDone : kExitLoss;
}

}  // namespace

void add_capacity_bench(CLI::App& bench, int& exit_code) {
  CLI::App* const command =
      bench.add_subcommand("capacity", "The largest channels, filters or taps that stay in time");
  const auto arguments = std::make_shared<Arguments>();
  arguments->stream.add_shape_to(*command);
  // Filters are made of the size that is wanted.
  for (const char* option : {"--filter", "--no-resample"}) {
    command->remove_option(command->get_option(option));
  }
  arguments->stream.engine.add_plan_to(*command);
  arguments->stream.engine.add_backend_to(*command);
  arguments->stream.engine.add_spectra_to(*command);
  command
      ->add_option("--vary", arguments->vary,
                   "What is made larger: channels (default with --routing rows and\n"
                   "matrix), filters (default with bank) or taps")
      ->type_name("channels|filters|taps")
      ->check(one_of({"channels", "filters", "taps"}));
  command
      ->add_option("--blocks", arguments->blocks,
                   fmt::format("Frames a block to try ({})", arguments->blocks))
      ->type_name("N,N...");
  command
      ->add_option("--most", arguments->most, "The largest value to try (16384; of taps, 2097152)")
      ->type_name("N")
      ->check(whole_number(1, 16'777'216));
  command
      ->add_option("--within", arguments->within_percent,
                   "Percent of the deadline that the work may take (100)")
      ->type_name("PERCENT")
      ->check(number(1, 100));
  command
      ->add_option("--seconds", arguments->seconds,
                   "Seconds of blocks a step (1): 334 to 2000 blocks")
      ->type_name("S")
      ->check(number(0.001, 60));
  arguments->report.add_to(*command, "every step");
  command->add_option("--csv", arguments->csv, "Write every step as a line")->type_name("FILE");
  command->add_flag("-q,--quiet", arguments->quiet, "No table, no progress bar");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
