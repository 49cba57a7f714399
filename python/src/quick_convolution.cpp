// A short cut for small arrays, where what surrounds a convolution costs more than it does: one
// channel and one kernel, contiguous, both float32 or both float64.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "engine/offline/direct_convolution.hpp"
#include "kernels/cpu/denormals.hpp"
#include "python/src/bindings.hpp"

namespace firbank::python {
namespace {

namespace nb = nanobind;

// Where a transform may be better, there is time to make a plan.
constexpr std::size_t kMostTaps = 256;
constexpr std::size_t kMostProducts = std::size_t{1} << 22;

/// The buffer of an array of NumPy's own type, or none.
class Buffer {
 public:
  Buffer(PyObject* object, int flags) noexcept {
    is_there_ = PyObject_GetBuffer(object, &view_, flags) == 0;
    if (!is_there_) PyErr_Clear();
  }
  ~Buffer() {
    if (is_there_) PyBuffer_Release(&view_);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  /// 'f' or 'd' for one dimension of native floats or doubles; 0 for anything else.
  char type() const noexcept {
    if (!is_there_ || view_.ndim != 1 || view_.format == nullptr) return 0;
    const char type = view_.format[0];
    return (type == 'f' || type == 'd') && view_.format[1] == 0 ? type : '\0';
  }
  std::size_t size() const noexcept { return static_cast<std::size_t>(view_.len / view_.itemsize); }
  template <class Sample>
  Sample* data() const noexcept {
    return static_cast<Sample*>(view_.buf);
  }

 private:
  Py_buffer view_{};
  bool is_there_ = false;
};

struct Numpy {
  PyTypeObject* array;
  PyObject* empty;
  PyObject* float32;
  PyObject* float64;
};

const Numpy& numpy() {
  // Never freed: the interpreter may be gone before static objects are.
  static const Numpy numpy = [] {
    const nb::module_ module = nb::module_::import_("numpy");
    const auto take = [&](const char* name) {
      return nb::object(module.attr(name)).release().ptr();
    };
    const auto dtype = [&](const char* name) {
      return nb::object(module.attr("dtype")(module.attr(name))).release().ptr();
    };
    return Numpy{reinterpret_cast<PyTypeObject*>(take("ndarray")), take("empty"), dtype("float32"),
                 dtype("float64")};
  }();
  return numpy;
}

struct Window {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Count 0 where there is none, as of a mode that is not known.
Window window_of(std::string_view mode, std::size_t samples, std::size_t taps) {
  if (mode == "full") return {0, samples + taps - 1};
  if (mode == "same") return {(taps - 1) / 2, samples};
  if (mode == "causal") return {0, samples};
  if (mode == "valid" && taps <= samples) return {taps - 1, samples - taps + 1};
  return {};
}

template <class Sample>
nb::object convolved(const Buffer& x, const Buffer& h, const Window& window, PyObject* type) {
  const Sample* const taps = h.data<Sample>();
  if (!std::all_of(taps, taps + h.size(), [](Sample tap) { return std::isfinite(tap); })) {
    return nb::none();
  }
  const nb::object count = nb::steal(PyLong_FromSize_t(window.count));
  PyObject* const arguments[] = {count.ptr(), type};
  const nb::object out = nb::steal(PyObject_Vectorcall(numpy().empty, arguments, 2, nullptr));
  if (!out.is_valid()) throw nb::python_error();
  const Buffer to(out.ptr(), PyBUF_WRITABLE | PyBUF_C_CONTIGUOUS | PyBUF_FORMAT);
  const FlushDenormals flush;
  convolve_directly(x.data<Sample>(), x.size(), taps, h.size(), window.first, to.data<Sample>(),
                    window.count);
  return out;
}

/// None where this is no case for a short cut, whatever the reason.
nb::object convolve_quickly(const nb::handle x, const nb::handle h, const nb::handle mode) {
  if (Py_TYPE(x.ptr()) != numpy().array || Py_TYPE(h.ptr()) != numpy().array) return nb::none();
  constexpr int kFlags = PyBUF_C_CONTIGUOUS | PyBUF_FORMAT;
  const Buffer taps(h.ptr(), kFlags);
  if (taps.type() == 0 || taps.size() == 0 || taps.size() > kMostTaps) return nb::none();
  const Buffer samples(x.ptr(), kFlags);
  if (samples.type() != taps.type() || samples.size() == 0 ||
      samples.size() * taps.size() > kMostProducts) {
    return nb::none();
  }
  Py_ssize_t length = 0;
  const char* const text =
      PyUnicode_Check(mode.ptr()) ? PyUnicode_AsUTF8AndSize(mode.ptr(), &length) : nullptr;
  if (text == nullptr) return nb::none();
  const Window window =
      window_of({text, static_cast<std::size_t>(length)}, samples.size(), taps.size());
  if (window.count == 0) return nb::none();
  return samples.type() == 'f' ? convolved<float>(samples, taps, window, numpy().float32)
                               : convolved<double>(samples, taps, window, numpy().float64);
}

}  // namespace

void bind_quick_convolution(nb::module_& module) {
  module.def("convolve_quickly", &convolve_quickly, nb::arg("x").none(), nb::arg("h").none(),
             nb::arg("mode").none());
}

}  // namespace firbank::python
