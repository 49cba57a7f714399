// What another project does with an installed firbank: filters an impulse through two filters and
// expects their taps back. Exit code 1, and a line, when the answer is another one.
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <vector>

#include <firbank/engine/engine.hpp>

int main() {
  const std::vector<std::vector<double>> taps = {{0.5, 0.25, -0.125}, {0.0, 1.0}};
  const firbank::FilterBank bank(taps);
  firbank::EngineConfig config;
  config.block_frames = 64;
  firbank::Engine engine(config, bank, firbank::Routing::bank(1, bank.size()));

  constexpr std::size_t kFrames = 48;
  std::vector<float> in(kFrames, 0.0f);
  in[0] = 1.0f;
  std::vector<std::vector<float>> out(engine.outputs(), std::vector<float>(kFrames));
  const float* const inputs[] = {in.data()};
  float* const outputs[] = {out[0].data(), out[1].data()};
  if (engine.process(inputs, outputs, kFrames) != firbank::ProcessStatus::kOk) {
    std::puts("process() refused a call that is allowed");
    return 1;
  }
  for (std::size_t filter = 0; filter < taps.size(); ++filter) {
    for (std::size_t n = 0; n < kFrames; ++n) {
      const double expected = n < taps[filter].size() ? taps[filter][n] : 0.0;
      if (!(std::abs(out[filter][n] - expected) <= 1e-6)) {
        std::printf("output %zu, frame %zu is %g, expected %g\n", filter, n,
                    static_cast<double>(out[filter][n]), expected);
        return 1;
      }
    }
  }
  std::printf("firbank answers on %s\n", engine.backend().c_str());
}
