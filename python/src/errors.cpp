// Error becomes ValueError where something is not allowed, and OSError where something cannot be
// read or written. std::bad_alloc is MemoryError by nanobind's own doing.
#include <exception>
#include <system_error>

#include "io/error.hpp"
#include "python/src/bindings.hpp"

namespace firbank::python {

void bind_errors(nanobind::module_&) {
  nanobind::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      PyErr_SetString(error.kind() == ErrorKind::kConfiguration ? PyExc_ValueError : PyExc_OSError,
                      error.what());
    } catch (const std::system_error& error) {
      PyErr_SetString(PyExc_OSError, error.what());
    }
  });
}

}  // namespace firbank::python
