// What the library throws, as exceptions that Python knows.
#pragma once

namespace firbank::python {

/// Error of a configuration and BackendError become ValueError; Error of something that cannot be
/// read or written becomes OSError; std::length_error, which a size beyond all memory gives,
/// becomes MemoryError, as std::bad_alloc does by itself. Once, when the module is made.
void register_errors();

}  // namespace firbank::python
