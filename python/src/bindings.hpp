// What module.cpp puts together, a function for each part of firbank._core.
#pragma once

#include <nanobind/nanobind.h>

namespace firbank::python {

void bind_errors(nanobind::module_& module);
void bind_convolver(nanobind::module_& module);
void bind_quick_convolution(nanobind::module_& module);

}  // namespace firbank::python
