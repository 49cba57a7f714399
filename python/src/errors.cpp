#include "python/src/errors.hpp"

#include <exception>
#include <stdexcept>
#include <system_error>

#include <nanobind/nanobind.h>

#include "io/error.hpp"
#include "kernels/backend.hpp"

namespace firbank::python {
namespace {

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    const bool is_argument = error.kind() == ErrorKind::kConfiguration;
    PyErr_SetString(is_argument ? PyExc_ValueError : PyExc_OSError, error.what());
  } catch (const BackendError& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  } catch (const std::length_error&) {
    PyErr_SetString(PyExc_MemoryError, "what is asked for is larger than any memory");
  } catch (const std::system_error& error) {
    PyErr_SetString(PyExc_OSError, error.what());
  }
}

}  // namespace

void register_errors() {
  nanobind::register_exception_translator(translate);
}

}  // namespace firbank::python
