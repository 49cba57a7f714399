#include "demos/firbank/serve_delivery.hpp"

#include <algorithm>
#include <chrono>

#include "demos/firbank/interrupt.hpp"

namespace firbank::program {
namespace {

constexpr std::chrono::milliseconds kTick(100);

}  // namespace

const std::vector<std::string>& ServeDelivery::event_columns() {
  static const std::vector<std::string> columns = {"frame", "crossing", "channel", "value"};
  return columns;
}

ServeDelivery::ServeDelivery(AcquisitionStream& stream,
                             std::span<const std::unique_ptr<ServeLine>> lines, ServeWatch* watch)
    : stream_(stream), watch_(watch) {
  for (const auto& line : lines) {
    if (line->kind() == ServedKind::kFiltered) filtered_lines_.push_back(line.get());
    if (line->kind() == ServedKind::kEvents) event_lines_.push_back(line.get());
  }
}

ServeDelivery::~ServeDelivery() {
  gives_up_ = true;
  if (thread_.joinable()) thread_.join();
}

void ServeDelivery::begin_stream() {
  arrivals_.clear();
  marks_.clear();
  gives_up_ = is_done_ = false;
  if (watch_ != nullptr) watch_->begin_stream();
  const SignalsForMainThread guard;
  thread_ = std::thread([this] {
    deliver();
    is_done_ = true;
  });
}

void ServeDelivery::end_stream() {
  gives_up_ = true;
  thread_.join();
}

void ServeDelivery::deliver() {
  AcquiredBlock block;
  while (!gives_up_) {
    if (!stream_.read(block)) {
      stream_.wait(kTick);
      continue;
    }
    if (block.filtered.gap_before > ServeLine::kMostSilence) {
      for (ServeLine* const line : filtered_lines_) line->begin_file();
    }
    const std::int64_t first_frame = block.filtered.first_frame;
    block.samples.flags |=
        marks_.of(first_frame, first_frame + static_cast<std::int64_t>(block.filtered.frames));
    for (ServeLine* const line : filtered_lines_) line->write(block.samples);
    deliver_events(block);
    if (watch_ != nullptr) watch_->add(block.samples, block.events);
    if (has(block.filtered.flags, BlockFlags::kEndOfStream)) return;
  }
}

void ServeDelivery::deliver_events(const AcquiredBlock& block) {
  const auto came =
      arrivals_.of(block.filtered.first_frame + static_cast<std::int64_t>(block.filtered.frames));
  const std::size_t rows = block.events.size();
  if (rows == 0) return;
  columns_.assign(event_columns().size(), std::vector<double>(rows));
  for (std::size_t i = 0; i < rows; ++i) {
    const Event& event = block.events[i];
    columns_[0][i] = static_cast<double>(event.frame);
    columns_[1][i] = static_cast<double>(event.crossing);
    columns_[2][i] = event.channel;
    columns_[3][i] = static_cast<double>(event.value);
  }
  std::vector<const double*> planes;
  for (const auto& column : columns_) planes.push_back(column.data());
  BasicBlock<const double> table;
  table.planes = planes.data();
  table.channels = planes.size();
  table.frames = rows;
  table.first_frame = events_before_;
  table.timestamp_ns = block.filtered.timestamp_ns;
  for (ServeLine* const line : event_lines_) line->write(table);
  events_before_ += static_cast<std::int64_t>(rows);
  if (block.filtered.frames == 0) return;  // the end: nothing came with these
  const auto ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(ServeArrivals::Clock::now() - came)
          .count();
  latency_.record(static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 1)), rows);
}

}  // namespace firbank::program
