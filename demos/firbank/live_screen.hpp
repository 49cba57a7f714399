// LiveScreen: meters, load and keys of a live run, drawn over and over in the same lines of a
// terminal. Draws nothing where standard output is none.
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "engine/live_session.hpp"

namespace firbank::program {

/// A line of a meter: "[#########-----|    ]  -23.1 dB", `width` characters between the brackets
/// for -60 to 0 dBFS: # to the RMS, - to the peak, | at the highest.
std::string meter_bar(const LevelReading& level, std::size_t width);

class LiveScreen {
 public:
  /// `filters`: the names of the choices.
  LiveScreen(bool wanted, std::vector<std::string> filters);
  ~LiveScreen();
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  /// Other names of the choices, as many or not.
  void rename(std::vector<std::string> filters) { filters_ = std::move(filters); }

  bool is_drawn() const noexcept { return drawing_; }

  /// Draws, if the last time is long enough ago. `choice` is the filter that was chosen last.
  void update(const LiveSession& session, std::size_t choice);

  /// Takes the lines away, so that something else can be told; the next update draws them again.
  void clear();

 private:
  bool drawing_;
  std::vector<std::string> filters_;
  std::size_t lines_ = 0;  // on the screen
  std::chrono::steady_clock::time_point next_draw_;
};

}  // namespace firbank::program
