#include "engine/config/fourier.hpp"

#include <cmath>
#include <numbers>
#include <utility>

namespace firbank {

void fourier_transform(std::vector<std::complex<double>>& values, bool inverse) {
  const std::size_t size = values.size();
  for (std::size_t i = 1, reversed = 0; i < size; ++i) {
    std::size_t bit = size >> 1;
    for (; (reversed & bit) != 0; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (i < reversed) std::swap(values[i], values[reversed]);
  }
  std::vector<std::complex<double>> twiddles(size / 2);
  const double turn = (inverse ? 2 : -2) * std::numbers::pi / static_cast<double>(size);
  for (std::size_t k = 0; k < twiddles.size(); ++k) {
    twiddles[k] = std::polar(1.0, turn * static_cast<double>(k));
  }
  for (std::size_t half = 1; half < size; half *= 2) {
    const std::size_t stride = size / (2 * half);
    for (std::size_t first = 0; first < size; first += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const std::complex<double> w = twiddles[k * stride];
        const std::complex<double> x = values[first + half + k];
        // Written out: the operator would also look for infinities.
        const std::complex<double> product(w.real() * x.real() - w.imag() * x.imag(),
                                           w.real() * x.imag() + w.imag() * x.real());
        values[first + half + k] = values[first + k] - product;
        values[first + k] += product;
      }
    }
  }
}

}  // namespace firbank
