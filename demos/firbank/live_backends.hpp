// LiveBackends: what can compute a live run's filters here, and the change from one to another
// while they are heard.
//
// Thread: one at a time, as LiveSession::change_engine().
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "demos/firbank/live_settings.hpp"
#include "demos/firbank/monitor/control_queue.hpp"
#include "engine/live_session.hpp"

namespace firbank::program {

class LiveBackends {
 public:
  /// Looks which there are. `settings` outlive it.
  explicit LiveBackends(const LiveSettings& settings);

  /// Of those that can compute here, as `firbank backends` lists them.
  const std::vector<std::string>& names() const noexcept { return names_; }

  /// Has the session go on with the backend of that name. Takes as long as it needs to make its
  /// spectra and to hear the past; refused, with the reason, where it cannot.
  ControlAnswer change(const std::string& name, LiveSession& session);

  /// Calls told(facts) where another backend is heard alone since the last call.
  void tell_heard(const LiveSession& session,
                  const std::function<void(const LiveEngineFacts&)>& told);

 private:
  const LiveSettings& settings_;
  std::vector<std::string> names_;
  std::string told_;
};

/// The frames that a change from one filter or engine to the next takes.
std::size_t crossfade_frames(const LiveSettings& settings, const LiveSession& session);

}  // namespace firbank::program
