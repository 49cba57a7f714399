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

/// Address, type, strides of the units, sizes and strides of the axes that a unit's planes run
/// along, first and number of the parts of a complex number, stride of the frames; and the offsets
/// of a unit's planes where they follow no axes, in numbers of all parts.
using View = std::tuple<std::uintptr_t, int, std::vector<std::ptrdiff_t>, std::vector<std::size_t>,
                        std::vector<std::ptrdiff_t>, std::size_t, std::size_t, std::ptrdiff_t,
                        std::vector<std::ptrdiff_t>>;

/// A unit's planes lie in C order of their axes, parts of one number side by side.
ArrayView view_of(const View& view) {
  const auto& [address, type, units, sizes, strides, first_part, parts, frames, given] = view;
  std::vector<std::ptrdiff_t> offsets = given.empty() ? std::vector<std::ptrdiff_t>{0} : given;
  for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
    std::vector<std::ptrdiff_t> finer;
    finer.reserve(offsets.size() * sizes[axis]);
    for (const std::ptrdiff_t offset : offsets) {
      for (std::size_t i = 0; i < sizes[axis]; ++i) {
        finer.push_back(offset + static_cast<std::ptrdiff_t>(i) * strides[axis]);
      }
    }
    offsets = std::move(finer);
  }
  std::vector<std::ptrdiff_t> planes;
  planes.reserve(offsets.size() * parts);
  for (const std::ptrdiff_t offset : offsets) {
    for (std::size_t part = first_part; part < first_part + parts; ++part) {
      planes.push_back(offset + static_cast<std::ptrdiff_t>(part));
    }
  }
  return {reinterpret_cast<const void*>(address), static_cast<ElementType>(type), units,
          std::move(planes), frames};
}

ArraySignals signals_of(const View& input, const View& kernels, const std::vector<View>& outputs) {
  ArraySignals signals{view_of(input), view_of(kernels), {}};
  for (const View& output : outputs) signals.outputs.push_back(view_of(output));
  return signals;
}

/// 2 for complex numbers, whose parts are planes of their own, else 1.
struct Parts {
  std::size_t input = 1;
  std::size_t kernel = 1;
  std::size_t output = 1;
};

/// The edges of a product, of complex numbers where they are: part by part.
void add_edges(ArrayJob& job, const Parts& parts, std::size_t input, std::size_t kernel,
               std::size_t output) {
  for (std::size_t a = 0; a < parts.input; ++a) {
    for (std::size_t b = 0; b < parts.kernel; ++b) {
      job.edges.push_back({input * parts.input + a, kernel * parts.kernel + b,
                           output * parts.output + (a + b) % 2, a + b == 2 ? -1.0 : 1.0});
    }
  }
}

/// `channels` inputs a unit; `taps` of each kernel, or one number for all of a matrix; `windows` of
/// each output.
ArrayJob job_of(bool is_matrix, std::vector<std::size_t> units, std::size_t channels,
                const std::tuple<std::size_t, std::size_t, std::size_t>& of_parts,
                const std::vector<std::size_t>& taps,
                const std::vector<std::tuple<std::uint64_t, std::uint64_t>>& windows,
                bool own_kernels, std::uint64_t frames) {
  const Parts parts{std::get<0>(of_parts), std::get<1>(of_parts), std::get<2>(of_parts)};
  ArrayJob job;
  job.units = std::move(units);
  job.inputs = channels * parts.input;
  job.own_kernels = own_kernels;
  job.frames = frames;
  const std::size_t products = windows.size() * (is_matrix ? channels : 1);
  job.taps.reserve(products * parts.kernel);
  job.edges.reserve(products * parts.input * parts.kernel);
  for (std::size_t output = 0; output < windows.size(); ++output) {
    const auto& [first, count] = windows[output];
    job.windows.insert(job.windows.end(), parts.output, {first, count});
    if (is_matrix) {
      job.taps.insert(job.taps.end(), channels * parts.kernel, taps.front());
      for (std::size_t i = 0; i < channels; ++i) {
        add_edges(job, parts, i, output * channels + i, output);
      }
    } else {
      job.taps.insert(job.taps.end(), parts.kernel, taps[output]);
      add_edges(job, parts, 0, output, output);
    }
  }
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

nb::dict described(const ArrayPlan& plan, std::uint64_t tasks) {
  nb::dict facts;
  facts["method"] = name(plan.method);
  facts["device"] = plan.backend;
  facts["threads"] = plan.threads * plan.copy_threads;
  facts["samples_at_once"] = plan.frames_at_once;
  facts["channels_at_once"] = plan.units_at_once;
  facts["outputs_at_once"] = plan.outputs_at_once;
  facts["tasks"] = tasks;
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
          [](Convolver* self, bool is_double, bool is_matrix, std::vector<std::size_t> units,
             std::size_t channels, const std::tuple<std::size_t, std::size_t, std::size_t>& parts,
             const std::vector<std::size_t>& taps,
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
            const nb::gil_scoped_release unlocked;
            new (self) Convolver(is_double,
                                 job_of(is_matrix, std::move(units), channels, parts, taps, windows,
                                        own_kernels, frames),
                                 signals_of(input, kernels, outputs), options);
          },
          nb::arg("is_double"), nb::arg("is_matrix"), nb::arg("units"), nb::arg("channels"),
          nb::arg("parts"), nb::arg("taps"), nb::arg("windows"), nb::arg("own_kernels"),
          nb::arg("frames"), nb::arg("input"), nb::arg("kernels"), nb::arg("outputs"),
          nb::arg("device"), nb::arg("threads"), nb::arg("memory_limit"),
          nb::arg("samples_at_once"), nb::arg("channels_at_once"), nb::arg("outputs_at_once"),
          nb::arg("method"))
      .def("run", &run, nb::arg("input"), nb::arg("kernels"), nb::arg("outputs"),
           nb::arg("progress").none(), nb::arg("keeps_kernels"))
      .def(
          "replace",
          [](Convolver& self, std::size_t kernel) {
            self.with([&](auto& of) { of.replace(kernel); });
          },
          nb::arg("kernel"))
      .def("plan", [](Convolver& self) {
        return self.with([](auto& of) { return described(of.plan(), of.tasks()); });
      });
}

}  // namespace firbank::python
