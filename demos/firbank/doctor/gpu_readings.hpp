// NVIDIA's GPUs: how they are connected, and whether they are awake.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>

#include "demos/firbank/bench/machine/system_files.hpp"
#include "demos/firbank/doctor/reading.hpp"

namespace firbank::program {

/// Speed and width of their links against the most that the devices can.
Reading link_reading(const SystemFiles& files);

/// What nvidia-smi says of each GPU, a line each: name, persistence mode, clock, highest clock.
/// None where it is not there, or gives no answer in 3 seconds. Changes nothing.
std::optional<std::string> ask_nvidia_smi();

/// `said`: by nvidia-smi.
Reading gpu_clock_reading(const SystemFiles& files, const std::optional<std::string>& said);

}  // namespace firbank::program
