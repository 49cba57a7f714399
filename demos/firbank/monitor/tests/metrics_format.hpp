// Whether a text is what Prometheus reads, by its documentation:
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <cstddef>
#include <string>

namespace firbank::program {

/// Fails the running test for each line that is not of the format; returns how many families there
/// are.
std::size_t check_metrics_format(const std::string& text);

}  // namespace firbank::program
