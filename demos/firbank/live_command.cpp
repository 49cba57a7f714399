#include <memory>

#include "demos/firbank/checks.hpp"
#include "demos/firbank/commands.hpp"
#include "demos/firbank/live_choices.hpp"
#include "demos/firbank/live_options.hpp"
#include "demos/firbank/monitor_options.hpp"

namespace firbank::program {
namespace {

constexpr const char* kExamples = R"(Keys in a terminal:
  b  bypass on and off          n p 1-9  next, previous, first to ninth filter
  + -  gain up and down, 1 dB   l  limiter on and off        q  quit

Examples:
  firbank live --filter hall.wav                     play through a hall
  firbank live --filter hall.wav --filter church.wav --block 64 --limiter
  firbank live --filter room.wav --input-device USB --input-channels 3,4 --record take.wav
  firbank live --filter eq.txt --channels 2 --seconds 10 --json report.json
  firbank live --filter hall.wav --filter church.wav --monitor 8080    a page to play with

SIGHUP has the files read again; a bad one leaves the old filters playing.

Exit codes: 0 done; 2 bad usage or configuration, or a name, rate or number of
channels that the device does not have; 3 no device can be opened, or a file
cannot be read or written, or the monitor's port is taken; 4 samples were lost
or clipped; 130 stopped by Ctrl-C.)";

struct Arguments {
  LiveOptions live;
  JsonReport json;
};

void add_filter_options(CLI::App& command, LiveSettings& settings) {
  settings.bank.add_to(command, true);
  command.get_option("--filter")
      ->description(
          "File with filters: audio or .npy (each channel is one filter), or\n"
          "text with one number a line. Given again: another one to choose");
  command
      .add_option("--channels", settings.channels,
                  "Input channels; unless given, as many as the filters fit")
      ->type_name("N")
      ->check(whole_number(1, 65'536));
  command.add_option("--rate", settings.rate_hz, "Sample rate; unless given, the output device's")
      ->type_name("HZ")
      ->check(positive_number());
  command
      .add_option("--max-peak", settings.max_peak_db,
                  "Warn of filters that raise any frequency by more, in dB (6)")
      ->type_name("DB")
      ->check(number(-200, 200));
  command.add_flag("--normalize", settings.normalize,
                   "Scale each filter file so that it raises no frequency");
}

int run(Arguments& arguments) {
  arguments.live.finish();
  LiveSettings& settings = arguments.live.settings;
  settings.bank.check();
  settings.load = [&settings](double rate_hz, std::size_t input_channels) {
    return load_choices(settings, rate_hz, input_channels);
  };
  std::vector<std::string> others = settings.bank.files;
  if (!settings.record.empty()) {
    refuse_same_file("--record", settings.record, settings.bank.files);
    others.push_back(settings.record);
  }
  arguments.json.open(others);
  return play_and_tell(settings, arguments.json);
}

}  // namespace

void add_live_command(CLI::App& app, int& exit_code) {
  CLI::App* const command =
      app.add_subcommand("live", "Play a sound card through filters, with keys and meters");
  const auto arguments = std::make_shared<Arguments>();
  LiveSettings& settings = arguments->live.settings;
  add_filter_options(*command, settings);
  arguments->live.add_devices_to(*command);
  settings.engine.add_to(*command);
  settings.engine.add_backend_to(*command);
  settings.engine.add_spectra_to(*command);
  settings.engine.add_depth_to(*command);
  arguments->live.add_playing_to(*command);
  add_monitor_options(*command, arguments->live.settings.monitor);
  arguments->json.add_to(*command, "a report");
  command->add_flag("-q,--quiet", settings.quiet, "No screen, no notes and no summary");
  command->group("Commands");
  command->footer(kExamples);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace firbank::program
