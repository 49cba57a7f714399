#include "bench/instructions/counted_steps.hpp"

void firbank_counted_steps(const std::function<void()>& step, std::size_t steps) {
  for (std::size_t n = 0; n < steps; ++n) step();
}
