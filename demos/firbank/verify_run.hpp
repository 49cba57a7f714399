// Proving an engine against the double-precision oracle on this machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/config.hpp"
#include "engine/filter_bank.hpp"
#include "engine/reference.hpp"
#include "engine/routing.hpp"

namespace firbank::program {

/// One way to run the engine, and how far it was from the oracle.
struct VerifyCase {
  std::string backend;
  std::string instruction_set;
  bool double_precision = false;
  bool pipeline = false;         // start/push/pull instead of process
  bool compact_spectra = false;  // in 16 bits
  GpuMode gpu_mode = GpuMode::kWhole;

  double error_limit() const {
    return double_precision ? 1e-13 : compact_spectra ? 3.16e-5 : 1e-6;  // -90 dB with 16 bits
  }
  const char* precision() const { return double_precision ? "double" : "float"; }
  const char* spectra() const { return compact_spectra ? "int16" : "full"; }
  const char* way() const {
    switch (gpu_mode) {
      case GpuMode::kHybrid:
        return pipeline ? "hybrid push/pull" : "hybrid process";
      case GpuMode::kThroughput:
        return pipeline ? "throughput push/pull" : "throughput process";
      default:
        return pipeline ? "push/pull" : "process";
    }
  }
};

/// Every backend that can run here, in both precisions and with all spectra that it has, driven in
/// both ways; and every GPU in all its modes.
std::vector<VerifyCase> verify_cases();

/// Runs `in` and the tail through an engine, in calls whose sizes change at random from 1 to twice
/// the nominal block, and returns the worst channel's relative L2 error against `expected`, which
/// is as long as the input and the longest filter together, less one frame. Infinite when the
/// output is shorter or longer, or a frame is not finite. `progress` is told the frames done.
/// Throws: Error, also when the pipeline stands still.
double verify(const VerifyCase& verify_case, EngineConfig config, const FilterBank& bank,
              const Routing& routing, const Signal& in, const Signal& expected, std::uint64_t seed,
              const std::function<void(std::size_t frames)>& progress);

}  // namespace firbank::program
