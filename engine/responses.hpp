// ResponseTable: the distinct things that edges do to their inputs, shared where edges agree.
//
// A response is a filter, its gain and its delay. Edges that agree in all three share one, so that
// its spectra are stored once. The table depends on the routing alone and serves every bank.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/routing.hpp"
#include "kernels/backend.hpp"

namespace firbank {

struct Response {
  std::size_t filter = 0;
  double gain = 1.0;
  std::size_t delay = 0;  // frames
};

class ResponseTable {
 public:
  explicit ResponseTable(const Routing& routing);

  const std::vector<Response>& responses() const noexcept { return responses_; }
  /// For each output: which response meets which input.
  const std::vector<std::vector<ResponseTerm>>& terms() const noexcept { return terms_; }

 private:
  std::vector<Response> responses_;
  std::vector<std::vector<ResponseTerm>> terms_;
};

}  // namespace firbank
