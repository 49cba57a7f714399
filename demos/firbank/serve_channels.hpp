// ServeChannels: the channels of an acquisition's input: by which names they are known, and which
// of them are bad.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "demos/firbank/monitor/control_queue.hpp"
#include "engine/acquisition/acquisition_stream.hpp"

namespace firbank::program {

class ServeChannels {
 public:
  using Names = std::shared_ptr<const std::vector<std::string>>;

  /// `names` are the configuration's; `bad` are so already. `stream` outlives it.
  ServeChannels(AcquisitionStream& stream, const std::vector<std::string>& names,
                const std::vector<std::size_t>& bad)
      : stream_(stream),
        own_names_(std::make_shared<const std::vector<std::string>>(names)),
        names_(own_names_),
        bad_(bad.begin(), bad.end()) {}

  /// Those of a sender; where it has none, the configuration's are back.
  void rename(const std::vector<std::string>& names) {
    names_ = names.empty() ? own_names_ : std::make_shared<const std::vector<std::string>>(names);
  }
  const Names& names() const noexcept { return names_; }

  std::vector<std::size_t> bad() const { return {bad_.begin(), bad_.end()}; }

  /// Silences a channel, or has it heard again, from the next packet on.
  ControlAnswer mark(const MarkBad& request);

 private:
  AcquisitionStream& stream_;
  const Names own_names_;
  Names names_;
  std::set<std::size_t> bad_;
};

}  // namespace firbank::program
