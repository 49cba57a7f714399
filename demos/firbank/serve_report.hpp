// ServeReport: what `firbank serve` tells when it stops; for people and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "demos/firbank/serve_status.hpp"

namespace firbank::program {

struct ServeReport {
  ServeStatus status;
  std::vector<InputLoss> losses;  // as many as are listed; all are counted
  std::uint64_t unlisted_losses = 0;
  bool interrupted = false;

  /// Whether the input ended without one stream that was understood.
  bool understood_nothing() const { return status.packets.streams == 0 && !interrupted; }
  /// Whether anything was lost or spoiled on the way, or anybody let go of.
  bool has_losses() const;
  /// Whether an output has stopped before the others.
  bool has_output_failure() const;
};

nlohmann::ordered_json to_json(const ServeReport& report);

/// A few lines for people.
std::string summary(const ServeReport& report);

}  // namespace firbank::program
