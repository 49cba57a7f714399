// firbank._core: what the Python package is built on. Checks of arguments are the package's own, in
// Python; what is refused here is refused by the library.
#include <nanobind/nanobind.h>

#include "python/src/bindings.hpp"
#include "python/src/errors.hpp"

NB_MODULE(_core, module) {
  // Threads that are still at work when the interpreter ends hold what they use.
  nanobind::set_leak_warnings(false);
  module.doc() = "The engine of firbank, for the package's own use.";
  module.attr("__version__") = FIRBANK_VERSION;
  firbank::python::register_errors();
  firbank::python::bind_convolver(module);
  firbank::python::bind_quick_convolution(module);
  firbank::python::bind_stream(module);
}
