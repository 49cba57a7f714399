#include "demos/probe/truth_file.hpp"

#include <fmt/format.h>

#include "io/error.hpp"
#include "io/files.hpp"

namespace firbank::probe {

void write_table(const std::string& path, const std::vector<Row>& rows, std::size_t columns) {
  StreamFormat format;
  format.channels = columns;
  const auto sink = create_sink(path, format, {.encoding = SampleEncoding::kFloat64});
  std::vector<std::vector<double>> planes(columns, std::vector<double>(rows.size()));
  std::vector<const double*> starts;
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t n = 0; n < rows.size(); ++n) planes[c][n] = rows[n][c];
    starts.push_back(planes[c].data());
  }
  BasicBlock<const double> block;
  block.planes = starts.data();
  block.channels = columns;
  block.frames = rows.size();
  if (!rows.empty()) sink->write(block);
  sink->finish();
}

std::vector<Row> read_table(const std::string& path, std::size_t columns) {
  const auto source = open_source(path);
  if (source->format().channels != columns) {
    throw Error(ErrorKind::kInput, fmt::format("{}: it has {} columns; {} are needed", path,
                                               source->format().channels, columns));
  }
  const auto planes = read_all(*source);
  std::vector<Row> rows(planes[0].size(), Row(columns));
  for (std::size_t n = 0; n < rows.size(); ++n) {
    for (std::size_t c = 0; c < columns; ++c) rows[n][c] = planes[c][n];
  }
  return rows;
}

}  // namespace firbank::probe
