#include "kernels/cuda/convolve_layout.hpp"

#include <algorithm>
#include <set>

namespace firbank::cuda {
namespace {

// Threads that a multiprocessor has at a time, at most; and listeners that repay a transform of
// their own so well that more would not be noticed.
constexpr std::uint64_t kThreadsPerMultiprocessor = 2'048;
constexpr std::uint64_t kMostListeners = 64;

std::uint32_t narrow(std::size_t value) {
  return static_cast<std::uint32_t>(value);
}

/// Who hears an input, those with the same response side by side.
std::vector<std::vector<Listener>> listeners_of_inputs(const SpectralBankShape& shape,
                                                       const BankLayout& responses,
                                                       std::size_t inputs) {
  std::vector<std::vector<Listener>> heard(inputs + 1);  // the last ones hear nothing
  for (std::size_t output = 0; output < shape.terms.size(); ++output) {
    if (shape.terms[output].empty()) {
      heard[inputs].push_back({narrow(output), kNone});
      continue;
    }
    const ResponseTerm& term = shape.terms[output].front();
    const IndexRange& range = shape.partitions[term.response];
    const bool is_silent = range.first == range.last;
    heard[term.input].push_back(
        {narrow(output), is_silent ? kNone : narrow(responses.response_spectra[term.response])});
  }
  for (std::vector<Listener>& listeners : heard) {
    std::stable_sort(listeners.begin(), listeners.end(),
                     [](const Listener& a, const Listener& b) { return a.response < b.response; });
  }
  return heard;
}

}  // namespace

ConvolveLayout convolve_layout(const SpectralBankShape& shape, const BankLayout& responses,
                               std::size_t inputs, std::uint32_t listeners) {
  const auto heard = listeners_of_inputs(shape, responses, inputs);
  ConvolveLayout layout;
  std::vector<std::uint32_t> first(heard.size());  // of each input's listeners, in the layout
  for (std::size_t input = 0; input < heard.size(); ++input) {
    first[input] = narrow(layout.listeners.size());
    layout.listeners.insert(layout.listeners.end(), heard[input].begin(), heard[input].end());
  }
  // The first items of all inputs, then their second ones, and so on.
  bool has_more = true;
  for (std::size_t k = 0; has_more; ++k) {
    has_more = false;
    for (std::size_t input = 0; input < heard.size(); ++input) {
      const bool is_there = input < inputs;
      const std::size_t count = heard[input].size();
      const std::size_t items =
          std::max<std::size_t>((count + listeners / 2) / listeners, is_there || count > 0 ? 1 : 0);
      if (k >= items) continue;
      has_more = true;
      const std::size_t begin = count * k / items;
      const std::size_t end = count * (k + 1) / items;
      layout.items.push_back({is_there ? narrow(input) : kNone, is_there && k == 0 ? 1U : 0U,
                              narrow(first[input] + begin), narrow(end - begin)});
    }
  }
  std::stable_sort(
      layout.items.begin(), layout.items.end(),
      [](const ConvolveItem& a, const ConvolveItem& b) { return a.listeners > b.listeners; });
  return layout;
}

std::uint32_t listeners_of_items(std::size_t outputs, std::uint32_t bins,
                                 std::uint32_t multiprocessors) {
  const std::uint64_t items = multiprocessors * kThreadsPerMultiprocessor * 8 / bins;
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(outputs / std::max<std::uint64_t>(items, 1), 1, kMostListeners));
}

BlockBytes convolve_bytes(const ConvolveLayout& layout, std::uint32_t bins, std::size_t value_bytes,
                          bool compact) {
  const std::uint64_t window = bins * value_bytes;
  const std::uint64_t response =
      compact ? sizeof(Multiple) * bins + sizeof(Scale) * bins / kGroupBins : window;
  std::uint64_t windows = 0;
  std::set<std::uint32_t> inputs;
  for (const ConvolveItem& item : layout.items) {
    if (item.input == kNone) continue;
    ++windows;
    if (item.listeners > 0) inputs.insert(item.input);
  }
  std::uint64_t met = 0;
  std::set<std::uint32_t> responses;
  for (const Listener& listener : layout.listeners) {
    if (listener.response == kNone) continue;
    ++met;
    responses.insert(listener.response);
  }
  const std::uint64_t again = (met - responses.size()) * response;
  return {windows * window + met * response, inputs.size() * window + responses.size() * response,
          again};
}

}  // namespace firbank::cuda
