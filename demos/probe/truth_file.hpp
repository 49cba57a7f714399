// Tables of numbers as .npy files: what a simulated probe sent and lost, and what was found.
#pragma once

#include <string>
#include <vector>

namespace firbank::probe {

using Row = std::vector<double>;

/// Rows of equal length; a table without rows has no file, as .npy needs at least one.
/// Throws: Error (kOutput).
void write_table(const std::string& path, const std::vector<Row>& rows, std::size_t columns);

/// Throws: Error (kInput) when it cannot be read, or has another number of columns.
std::vector<Row> read_table(const std::string& path, std::size_t columns);

}  // namespace firbank::probe
