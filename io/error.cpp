#include "io/error.hpp"

#include "io/one_line.hpp"

namespace firbank {

Error::Error(ErrorKind kind, const std::string& message)
    : std::runtime_error(printable(message)), kind_(kind) {}

}  // namespace firbank
