// The engine inside another program: two channels, in place, as an audio callback would do it.
#include <cstdio>

#include <firbank/engine/engine.hpp>

int main() {
  const firbank::FilterBank bank({{0.25, 0.5, 0.25}});  // filters, of any mix of lengths
  const firbank::Routing routing = firbank::Routing::rows(2, bank.size());  // one on both channels
  firbank::Engine engine({.block_frames = 64}, bank, routing);  // planned for; any size works

  float left[64] = {1.0f}, right[64] = {0.0f, 1.0f};
  float* const planes[] = {left, right};
  engine.process(planes, planes, 64);  // in the audio callback: no allocation, no lock, no latency
  std::printf("left %g %g %g %g, right %g %g %g %g\n", left[0], left[1], left[2], left[3], right[0],
              right[1], right[2], right[3]);
}
