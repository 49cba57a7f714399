// LiveFilters: which filters a live run hears: the choices, the one that is heard, and what takes
// their place when the files are read again.
//
// Thread: one at a time, as LiveSession::swap().
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "demos/firbank/live_choices.hpp"
#include "demos/firbank/live_devices.hpp"
#include "demos/firbank/live_settings.hpp"
#include "demos/firbank/monitor/control_queue.hpp"
#include "engine/live_session.hpp"
#include "io/file_watch.hpp"

namespace firbank::program {

class LiveFilters {
 public:
  /// Reads the files. `settings` and `devices` outlive it. Throws: Error, also when the devices
  /// have too few channels.
  LiveFilters(const LiveSettings& settings, const LiveDevices& devices);

  std::size_t choice() const noexcept { return choice_; }
  const std::vector<std::string>& names() const noexcept { return choices_.names; }
  const Routing& routing() const noexcept { return choices_.routing; }
  const FilterBank& bank() const noexcept { return choices_.banks[choice_]; }
  /// Taps that there is room for.
  std::size_t most_taps() const noexcept { return most_taps_; }

  ControlAnswer choose(const Choose& wanted, LiveSession& session);

  /// Whether a file has changed since it was read.
  bool have_changed() { return watch_.changed(); }

  /// Reads everything again. What connects channels as before is swapped; other connections come
  /// with another engine. Throws: Error, when that cannot be heard in the place of the old, which
  /// plays on then.
  void reload(LiveSession& session);

  /// Calls told(name, frame) for each choice that is heard since the last call.
  void tell_heard(LiveSession& session,
                  const std::function<void(const std::string&, std::int64_t)>& told);

 private:
  /// Not heard yet.
  struct Pending {
    std::string name;
    std::optional<std::uint64_t> ticket;  // of a swap; none: it comes with another engine
    std::uint64_t engine_changes = 0;     // that have been by then
  };

  void refuse_missing_channels() const;
  void refuse_other_shape(const LiveChoices& fresh) const;
  std::size_t same_choice(const LiveChoices& fresh) const;
  void hear(LiveSession& session, const LiveChoices& choices, std::size_t choice);

  const LiveSettings& settings_;
  const LiveDevices& devices_;
  LiveChoices choices_;
  std::size_t choice_;
  std::size_t most_taps_;
  FileWatch watch_;
  std::vector<Pending> pending_;
};

}  // namespace firbank::program
