// The parts of firbank._core; each adds its own names to the module.
#pragma once

#include <nanobind/nanobind.h>

namespace firbank::python {

/// Convolver, which firbank.convolve is built on.
void bind_convolver(nanobind::module_& module);

/// convolve_quickly, its short cut for small arrays.
void bind_quick_convolution(nanobind::module_& module);

/// LiveStreamFloat and LiveStreamDouble, which firbank.Stream is built on.
void bind_stream(nanobind::module_& module);

}  // namespace firbank::python
