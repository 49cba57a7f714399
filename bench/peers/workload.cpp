#include "bench/peers/workload.hpp"

#include "bench/peers/noise.hpp"

namespace peers {

using firbank::Routing;

std::vector<StreamWorkload> stream_workloads() {
  return {
      {"W1",
       "stereo reverb, 480,000 taps, 48 kHz",
       Routing::rows(2, 2),
       2,
       480'000,
       48'000,
       false,
       {{64, 80, 4}, {128, 115, 4}, {256, 115, 4}, {512, 125, 4}, {1'024, 120, 4}}},
      {"W2",
       "one channel, 2,048 taps, 48 kHz",
       Routing::rows(1, 1),
       1,
       2'048,
       48'000,
       false,
       {{32, 700, 2.5}, {64, 1'400, 2.5}, {128, 2'600, 2.5}}},
      {"W3",
       "16 x 16 matrix of 8,192 taps, 48 kHz",
       Routing::matrix(16, 16, 256),
       256,
       8'192,
       48'000,
       true,
       {{128, 7.3, 3}, {256, 8.8, 3}}},
      {"W4",
       "384 channels, own 512 taps, 30 kHz",
       Routing::rows(384, 384),
       384,
       512,
       30'000,
       true,
       {{32, 7.3, 2.5}, {256, 20, 2}, {300, 16, 2}}},
      {"W5",
       "one input, 1,000 filters of 1,024 taps, 48 kHz",
       Routing::bank(1, 1'000),
       1'000,
       1'024,
       48'000,
       true,
       {{256, 4.4, 2.5}}},
  };
}

std::vector<OfflineWorkload> offline_workloads() {
  std::vector<std::size_t> lengths;
  for (std::size_t taps = 100; taps <= 9'900; taps += 100) lengths.push_back(taps);
  return {
      {"W6", "16 channels x 10,000,000, own 8,191 taps", Routing::rows(16, 16),
       std::vector<std::size_t>(16, 8'191), 10'000'000, false},
      {"W7a", "99 filters of 100..9,900 taps on 50,000 samples", Routing::bank(1, 99), lengths,
       50'000, true},
      {"W7b", "1,000 rows x 100,000, own 200 taps", Routing::rows(1'000, 1'000),
       std::vector<std::size_t>(1'000, 200), 100'000, true},
      {"W7c", "100 channels x 1,000,000, 8 kernels of 100 taps", Routing::bank(100, 8),
       std::vector<std::size_t>(8, 100), 1'000'000, true},
  };
}

std::vector<std::vector<float>> filters_of(const StreamWorkload& workload) {
  std::vector<std::vector<float>> filters;
  for (std::size_t f = 0; f < workload.filters; ++f) {
    filters.push_back(noise_taps(f, workload.taps));
  }
  return filters;
}

std::vector<std::vector<float>> filters_of(const OfflineWorkload& workload) {
  std::vector<std::vector<float>> filters;
  for (std::size_t f = 0; f < workload.taps.size(); ++f) {
    filters.push_back(noise_taps(f, workload.taps[f]));
  }
  return filters;
}

}  // namespace peers
