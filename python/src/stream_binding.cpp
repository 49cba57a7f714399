// LiveStreamFloat and LiveStreamDouble: LiveStream for firbank.Stream, which checks what it is
// given and sees to it that one thread at a time comes in. The interpreter's lock is let go of
// wherever the engine computes.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "io/error.hpp"
#include "python/src/bindings.hpp"
#include "python/src/live_stream.hpp"

namespace firbank::python {
namespace {

namespace nb = nanobind;

using Kernel = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

FilterBank bank_of(const std::vector<Kernel>& kernels) {
  std::vector<std::vector<double>> filters;
  filters.reserve(kernels.size());
  for (const Kernel& kernel : kernels) {
    filters.emplace_back(kernel.data(), kernel.data() + kernel.size());
  }
  return FilterBank(std::move(filters));
}

/// A matrix has the kernels of an output one after another, as arrays of outputs x channels do.
Routing routing_of(const std::string& name, std::size_t channels, std::size_t outputs,
                   std::size_t kernels) {
  if (name == "rows") return Routing::rows(channels, kernels);
  if (name == "bank") return Routing::bank(channels, kernels);
  std::vector<Edge> edges;
  edges.reserve(channels * outputs);
  for (std::size_t output = 0; output < outputs; ++output) {
    for (std::size_t input = 0; input < channels; ++input) {
      edges.push_back({.input = input, .filter = output * channels + input, .output = output});
    }
  }
  return Routing(channels, outputs, std::move(edges));
}

/// Of an array of channels x frames, or of channels x outputs of each x frames.
template <class Array>
auto channels_of(const Array& array) {
  const bool has_columns = array.ndim() == 3;
  return StridedChannels<std::remove_pointer_t<decltype(array.data())>>{
      .data = array.data(),
      .rows = array.shape(0),
      .columns = has_columns ? array.shape(1) : 1,
      .row_stride = static_cast<std::ptrdiff_t>(array.stride(0)),
      .column_stride = has_columns ? static_cast<std::ptrdiff_t>(array.stride(1)) : 0,
      .frame_stride = static_cast<std::ptrdiff_t>(array.stride(array.ndim() - 1))};
}

template <class Sample>
nb::dict stats_of(const LiveStream<Sample>& stream) {
  const LiveStreamStats stats = stream.stats();
  const auto frame = [](std::int64_t position) -> nb::object {
    return position == Stats::kNone ? nb::none() : nb::object(nb::int_(position));
  };
  nb::dict result;
  result["frames"] = stats.engine.frames;
  result["spoiled_frames"] = stats.engine.spoiled_frames;
  result["first_spoiled_frame"] = frame(stats.first_spoiled_frame);
  result["swaps"] = stats.engine.swaps;
  result["lost_frames"] = stats.engine.lost_frames;
  result["first_lost_frame"] = frame(stats.engine.first_lost_frame);
  result["fail_over_frame"] = frame(stats.engine.fail_over_frame);
  result["backend"] = stream.engine().backend();
  result["plan"] = stream.engine().plan().describe();
  return result;
}

template <class Sample>
void bind(nb::module_& module, const char* name) {
  using Live = LiveStream<Sample>;
  using In = nb::ndarray<const Sample, nb::ndim<2>, nb::device::cpu>;
  using Out = nb::ndarray<Sample, nb::ndim<3>, nb::device::cpu>;
  using Unlocked = nb::call_guard<nb::gil_scoped_release>;

  nb::class_<Live>(module, name)
      .def(
          "__init__",
          [](Live* stream, const std::vector<Kernel>& kernels, const std::string& routing,
             std::size_t channels, std::size_t outputs, std::size_t block, std::size_t max_taps,
             const std::string& device, std::size_t threads, double sample_rate_hz) {
            const nb::gil_scoped_release unlocked;
            EngineConfig config;
            config.sample_rate_hz = sample_rate_hz;
            config.block_frames = block;
            config.max_taps = max_taps;
            config.threads = threads;
            config.backend = device;
            new (stream) Live(config, bank_of(kernels),
                              routing_of(routing, channels, outputs, kernels.size()));
          },
          nb::kw_only(), nb::arg("kernels"), nb::arg("routing"), nb::arg("channels"),
          nb::arg("outputs"), nb::arg("block"), nb::arg("max_taps"), nb::arg("device"),
          nb::arg("threads"), nb::arg("sample_rate_hz"))
      .def(
          "process",
          [](Live& stream, const In& in, const Out& out) {
            const nb::gil_scoped_release unlocked;
            stream.process(channels_of(in), channels_of(out), in.shape(1));
          },
          nb::arg("chunk").noconvert(), nb::arg("out").noconvert())
      .def(
          "flush",
          [](Live& stream, const Out& out) {
            const nb::gil_scoped_release unlocked;
            return stream.flush(channels_of(out), out.shape(2));
          },
          nb::arg("out").noconvert())
      .def("reset", &Live::reset, Unlocked())
      .def(
          "swap",
          [](Live& stream, const std::vector<Kernel>& kernels, std::optional<std::int64_t> at,
             std::size_t crossfade) {
            const nb::gil_scoped_release unlocked;
            return stream.swap(bank_of(kernels), at, crossfade);
          },
          nb::arg("kernels"), nb::arg("at").none(), nb::arg("crossfade"))
      .def(
          "update",
          [](Live& stream, std::size_t index, const Kernel& kernel) {
            const nb::gil_scoped_release unlocked;
            stream.update(index, {kernel.data(), kernel.size()});
          },
          nb::arg("index"), nb::arg("kernel"))
      .def_prop_ro("can_update",
                   [](const Live& stream) { return stream.engine().backend().starts_with("cpu"); })
      .def("live_frame", &Live::live_frame, nb::arg("ticket"))
      .def_prop_ro("position", &Live::position)
      .def_prop_ro("heard_frames", &Live::heard_frames)
      .def_prop_ro("silent_frames", &Live::silent_frames)
      .def_prop_ro("past_frames", &Live::past_frames)
      .def(
          "copy_past",
          [](const Live& stream, const Out& out) { stream.copy_past(channels_of(out)); },
          nb::arg("out").noconvert())
      .def(
          "restore",
          [](Live& stream, const In& past, std::size_t silent, std::int64_t position,
             std::int64_t heard) {
            const nb::gil_scoped_release unlocked;
            stream.restore(channels_of(past), past.shape(1), silent, position, heard);
          },
          nb::arg("past").noconvert(), nb::arg("silent"), nb::arg("position"), nb::arg("heard"))
      .def("stats", &stats_of<Sample>);
}

}  // namespace

void bind_stream(nb::module_& module) {
  bind<float>(module, "LiveStreamFloat");
  bind<double>(module, "LiveStreamDouble");
}

}  // namespace firbank::python
