// What a request to change something says in its body.
#pragma once

#include <string_view>

#include "demos/firbank/monitor/control_queue.hpp"

namespace firbank::program {

/// The longest body that is looked at.
constexpr std::size_t kMostBodyBytes = 4'096;

/// Whether parse_body() knows what belongs to `path`.
bool takes_body(std::string_view path);

/// The body of a POST to `path`, for which takes_body() holds: a JSON object with just these
/// members.
///   /api/choice   {"choice": 2}, from 1 on, or {"choice": "church.wav"}
///   /api/gain     {"gain_db": -3.5}, -120 to 60
///   /api/bypass   {"bypass": true}
///   /api/limiter  {"limiter": false}
///   /api/backend  {"backend": "cpu-avx2"}
///   /api/bad      {"channel": 3, "bad": true}, from 0 on, or {"channel": "in-4", "bad": false}
/// Throws: Error (kInput), with one line that names what is wrong.
ControlRequest parse_body(std::string_view path, std::string_view body);

}  // namespace firbank::program
