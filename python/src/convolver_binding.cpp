// ArrayConvolver in Python. Arrays come as addresses and strides, which the package has worked out;
// it keeps them alive while they are used.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "engine/offline/array_convolver.hpp"
#include "io/error.hpp"
#include "python/src/bindings.hpp"

namespace firbank::python {
namespace {

namespace nb = nanobind;
using nb::literals::operator""_a;

/// Address, type, strides of the units, offsets of a unit's planes, stride of the frames.
using View = std::tuple<std::uintptr_t, int, std::vector<std::ptrdiff_t>,
                        std::vector<std::ptrdiff_t>, std::ptrdiff_t>;

ArrayView view_of(const View& view) {
  const auto& [address, type, units, offsets, frames] = view;
  return {reinterpret_cast<const void*>(address), static_cast<ElementType>(type), units, offsets,
          frames};
}

ArraySignals signals_of(const View& input, const View& kernels, const std::vector<View>& outputs) {
  ArraySignals signals{view_of(input), view_of(kernels), {}};
  for (const View& output : outputs) signals.outputs.push_back(view_of(output));
  return signals;
}

ArrayJob job_of(std::vector<std::size_t> units, std::size_t inputs, std::vector<std::size_t> taps,
                const std::vector<std::tuple<std::size_t, std::size_t, std::size_t, double>>& edges,
                const std::vector<std::tuple<std::uint64_t, std::uint64_t>>& windows,
                bool own_kernels, std::uint64_t frames) {
  ArrayJob job;
  job.units = std::move(units);
  job.inputs = inputs;
  job.taps = std::move(taps);
  for (const auto& [input, kernel, output, gain] : edges) {
    job.edges.push_back({input, kernel, output, gain});
  }
  for (const auto& [first, count] : windows) job.windows.push_back({first, count});
  job.own_kernels = own_kernels;
  job.frames = frames;
  return job;
}

const char* name(ArrayMethod method) {
  switch (method) {
    case ArrayMethod::kDirect:
      return "direct";
    case ArrayMethod::kFrames:
      return "frames";
    case ArrayMethod::kTransforms:
      break;
  }
  return "fft";
}

std::optional<ArrayMethod> method_of(const std::string& method) {
  if (method == "direct") return ArrayMethod::kDirect;
  if (method == "frames") return ArrayMethod::kFrames;
  if (method == "fft") return ArrayMethod::kTransforms;
  return std::nullopt;
}

nb::dict described(const ArrayJob& job, const ArrayPlan& plan) {
  nb::dict facts;
  facts["method"] = name(plan.method);
  facts["device"] = plan.backend;
  facts["threads"] = plan.threads;
  facts["samples_at_once"] = plan.frames_at_once;
  facts["channels_at_once"] = plan.units_at_once;
  facts["outputs_at_once"] = plan.outputs_at_once;
  facts["tasks"] = plan.tasks(job);
  facts["memory_bytes"] = plan.memory_bytes;
  facts["seconds"] = plan.nanoseconds * 1e-9;
  facts["products"] = plan.products;
  const bool transforms = !plan.partition.levels.empty();
  facts["transform_samples"] = transforms ? plan.partition.levels.front().transform_frames : 0;
  facts["partitions"] = transforms ? plan.partition.levels.front().partitions : 0;
  return facts;
}

/// Of float or of double samples, which the package does not have to tell apart.
class Convolver {
 public:
  Convolver(bool is_double, ArrayJob job, const ArraySignals& signals,
            const ArrayOptions& options) {
    if (is_double) {
      const ArrayTraits traits = traits_of<double>(job, signals);
      double_ = std::make_unique<ArrayConvolver<double>>(std::move(job), traits, options);
    } else {
      const ArrayTraits traits = traits_of<float>(job, signals);
      float_ = std::make_unique<ArrayConvolver<float>>(std::move(job), traits, options);
    }
  }

  template <class Use>
  decltype(auto) with(Use&& use) {
    return float_ ? use(*float_) : use(*double_);
  }

 private:
  std::unique_ptr<ArrayConvolver<float>> float_;
  std::unique_ptr<ArrayConvolver<double>> double_;
};

/// Runs without the interpreter's lock; now and then with it, to hear of signals and to tell.
void run(Convolver& convolver, const View& input, const View& kernels,
         const std::vector<View>& outputs, const nb::object& progress, bool keeps_kernels) {
  const ArraySignals signals = signals_of(input, kernels, outputs);
  const ArrayProgress tell = [&](std::uint64_t done, std::uint64_t total) {
    const nb::gil_scoped_acquire lock;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (!progress.is_none()) progress(done, total);
    return true;
  };
  const nb::gil_scoped_release unlocked;
  convolver.with([&](auto& of) { of.run(signals, tell, keeps_kernels); });
}

}  // namespace

void bind_convolver(nb::module_& module) {
  nb::class_<Convolver>(module, "Convolver")
      .def(
          "__init__",
          [](Convolver* self, bool is_double, std::vector<std::size_t> units, std::size_t inputs,
             std::vector<std::size_t> taps,
             const std::vector<std::tuple<std::size_t, std::size_t, std::size_t, double>>& edges,
             const std::vector<std::tuple<std::uint64_t, std::uint64_t>>& windows, bool own_kernels,
             std::uint64_t frames, const View& input, const View& kernels,
             const std::vector<View>& outputs, const std::string& device, std::size_t threads,
             std::uint64_t memory_limit, std::uint64_t samples_at_once,
             std::size_t channels_at_once, std::size_t outputs_at_once, const std::string& method) {
            ArrayOptions options;
            options.backend = device;
            options.threads = threads;
            options.memory_limit_bytes = memory_limit;
            options.frames_at_once = samples_at_once;
            options.units_at_once = channels_at_once;
            options.outputs_at_once = outputs_at_once;
            options.method = method_of(method);
            new (self) Convolver(is_double,
                                 job_of(std::move(units), inputs, std::move(taps), edges, windows,
                                        own_kernels, frames),
                                 signals_of(input, kernels, outputs), options);
          },
          "is_double"_a, "units"_a, "inputs"_a, "taps"_a, "edges"_a, "windows"_a, "own_kernels"_a,
          "frames"_a, "input"_a, "kernels"_a, "outputs"_a, "device"_a, "threads"_a,
          "memory_limit"_a, "samples_at_once"_a, "channels_at_once"_a, "outputs_at_once"_a,
          "method"_a)
      .def("run", &run, "input"_a, "kernels"_a, "outputs"_a, "progress"_a.none(), "keeps_kernels"_a)
      .def(
          "replace",
          [](Convolver& self, std::size_t kernel) {
            self.with([&](auto& of) { of.replace(kernel); });
          },
          "kernel"_a)
      .def("plan", [](Convolver& self) {
        return self.with([](auto& of) { return described(of.job(), of.plan()); });
      });
}

}  // namespace firbank::python
