// Pages: how large they are, and whether there are enough.
//
// Thread: any.
#pragma once

#include "demos/firbank/bench/machine/system_files.hpp"
#include "demos/firbank/doctor/reading.hpp"

namespace firbank::program {

Reading huge_page_reading(const SystemFiles& files);
Reading free_memory_reading(const SystemFiles& files);
Reading swap_reading(const SystemFiles& files);

}  // namespace firbank::program
