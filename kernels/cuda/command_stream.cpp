#include "kernels/cuda/command_stream.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

namespace firbank::cuda {
namespace {

constexpr std::size_t kBanksHeard = 2;         // while one fades into another
constexpr std::size_t kCommandsOfPiece = 8;    // at most: three banks, and one that joins late
constexpr std::size_t kSpins = 64;             // looks before the thread offers its core
constexpr std::size_t kSpinsBetweenAsks = 16;  // looks between two questions to the device

std::uint32_t narrow(std::size_t value) {
  return static_cast<std::uint32_t>(value);
}

Range narrow(IndexRange range) {
  return {narrow(range.first), narrow(range.last)};
}

bool is_empty(Range range) {
  return range.first == range.last;
}

/// Whether `more` begins where `range` ends, or there is no range yet; then it is taken in.
bool extend(Range& range, IndexRange more) {
  if (!is_empty(range) && range.last != more.first) return false;
  if (is_empty(range)) range.first = narrow(more.first);
  range.last = narrow(more.last);
  return true;
}

}  // namespace

template <class Sample>
CommandStream<Sample>::CommandStream(std::shared_ptr<Accelerator> accelerator,
                                     const StreamShape& shape, std::chrono::milliseconds patience)
    : accelerator_(std::move(accelerator)),
      shape_(shape),
      patience_(patience),
      slots_(shape.pieces + 1),
      commands_(accelerator_, kCommandsOfPiece * slots_),
      progress_(accelerator_, 1),
      staging_(accelerator_, shape, slots_, kBanksHeard * slots_, progress_.data()),
      taken_(accelerator_, 1),
      current_(accelerator_, 1),
      staged_in_(slots_),
      answers_(kBanksHeard * slots_),
      pieces_(slots_) {
  for (Answer& answer : answers_) answer.planes.resize(shape.outputs);
}

template <class Sample>
CommandStream<Sample>::~CommandStream() {
  finish();
}

template <class Sample>
std::uint32_t CommandStream<Sample>::add_level() {
  if (levels_ == kMaxLevels) {
    throw BackendError("a plan of more than " + std::to_string(kMaxLevels) + " levels");
  }
  return levels_++;
}

template <class Sample>
CommandParams CommandStream<Sample>::params() const noexcept {
  return {.ring = commands_.data(),
          .commands = narrow(kCommandsOfPiece * slots_),
          .levels = levels_,
          .taken = taken_.data(),
          .current = current_.data(),
          .progress = progress_.data()};
}

template <class Sample>
void CommandStream<Sample>::forward(std::size_t slot, std::uint32_t window,
                                    const firbank::Window<Sample>& samples) noexcept {
  launch_all();
  const std::size_t stage = forwards_++ % slots_;
  wait_until([&] { return has_finished(staged_in_[stage]); });
  if (accelerator_->has_failed()) return;
  LevelCommand& command = begin(nullptr).first();
  command.inputs = {0, narrow(shape_.inputs)};
  command.slot = narrow(slot);
  command.window = window;
  command.silent = narrow(samples.silent);
  command.fresh = narrow(samples.fresh);
  command.stage_in = narrow(stage);
  command.narrow = staging_.fill(stage, samples) ? 1 : 0;
  window_ = window;
  window_end_ = command.fresh.last;
}

/// The open command of a bank: its own, or the forward's while no bank has that, or a new one.
template <class Sample>
typename CommandStream<Sample>::Open& CommandStream<Sample>::open_for(BankGraphs& bank) noexcept {
  for (std::size_t i = 0; i < opened_; ++i) {
    if (open_[i].bank == &bank) return open_[i];
  }
  if (opened_ > 0 && open_[0].bank == nullptr) {
    open_[0].bank = &bank;
    return open_[0];
  }
  return begin(&bank);
}

template <class Sample>
typename CommandStream<Sample>::Open& CommandStream<Sample>::begin(BankGraphs* bank) noexcept {
  if (opened_ == open_.size()) launch_all();
  Open& open = open_[opened_++];
  open = {};
  open.bank = bank;
  // Who renders without a forward may transform the last one's window again: it is in the rings.
  open.first().window = window_;
  open.first().fresh = {window_end_, window_end_};
  return open;
}

/// What does not fit into the commands that are open.
template <class Sample>
typename CommandStream<Sample>::Open& CommandStream<Sample>::begin_anew(BankGraphs* bank) noexcept {
  launch_all();
  return begin(bank);
}

/// A sum that nobody rendered is an accumulation like any other.
template <class Sample>
void CommandStream<Sample>::settle(Open& open) noexcept {
  if (!open.sum_is_open) return;
  open.sum_is_open = false;
  LevelCommand& command = open.first();
  command.bins = {0, narrow(shape_.bins)};
  command.to = 0;
  command.from = command.render_from;
  command.newest = command.render_newest;
  command.ranges = 1;
  command.partitions[0] = command.render_partitions;
}

template <class Sample>
void CommandStream<Sample>::accumulate(BankGraphs& bank, std::uint32_t to, std::uint32_t from,
                                       std::size_t newest, IndexRange partitions) noexcept {
  Open* open = &open_for(bank);
  settle(*open);
  const bool accumulates = !is_empty(open->first().bins);
  if (to == 0) {
    if (!is_empty(open->first().outputs) || accumulates) open = &begin_anew(&bank);
    LevelCommand& command = open->first();
    command.render_from = from;
    command.render_newest = narrow(newest);
    command.render_partitions = narrow(partitions);
    open->sum_is_open = true;
    return;
  }
  const bool goes_on = accumulates && open->first().to == to && from == to &&
                       open->first().newest == newest && open->first().ranges < kMaxRanges;
  if (accumulates && !goes_on) open = &begin_anew(&bank);
  LevelCommand& command = open->first();
  if (!goes_on) {
    command.bins = {0, narrow(shape_.bins)};
    command.to = to;
    command.from = from;
    command.newest = narrow(newest);
    command.ranges = 0;
  }
  command.partitions[command.ranges++] = narrow(partitions);
}

template <class Sample>
void CommandStream<Sample>::render(BankGraphs& bank, Sample* const* newest,
                                   IndexRange frames) noexcept {
  if (answers_asked_ - answers_home_ == answers_.size()) {
    launch_all();
    bring_home();
  }
  Open* open = &open_for(bank);
  // What later levels were asked for may be what is to be added.
  if (!open->sum_is_open || open->has_later) {
    const LevelCommand& asked = open->first();
    if (open->has_later || !is_empty(asked.outputs) || !is_empty(asked.bins)) {
      open = &begin_anew(&bank);
    }
    open->first().render_from = 0;
    open->first().render_partitions = {0, 0};
  }
  open->sum_is_open = false;
  const std::size_t slot = answers_asked_++ % answers_.size();
  answers_[slot].frames = frames.last - frames.first;
  std::copy_n(newest, shape_.outputs, answers_[slot].planes.begin());
  LevelCommand& command = open->first();
  command.outputs = {0, narrow(shape_.outputs)};
  command.frames = narrow(frames);
  command.stage_out = narrow(slot);
}

/// The forwards of later levels go with that of the first, ahead of all banks.
template <class Sample>
void CommandStream<Sample>::forward(std::uint32_t k, std::size_t slot, std::uint32_t window,
                                    std::size_t silent, IndexRange inputs) noexcept {
  Open* open = opened_ > 0 ? open_.data() : &begin(nullptr);
  const auto comes_too_late = [k](const Open& other) {
    const LevelCommand& asked = other.command.level[k];
    return !is_empty(asked.bins) || !is_empty(asked.outputs);
  };
  const LevelCommand& asked = open->command.level[k];
  const bool goes_on = is_empty(asked.inputs) || asked.slot == slot;
  if (!goes_on || std::any_of(open_.begin(), open_.begin() + opened_, comes_too_late) ||
      !extend(open->command.level[k].inputs, inputs)) {
    open = &begin_anew(nullptr);
    extend(open->command.level[k].inputs, inputs);
  }
  open->has_later = true;
  LevelCommand& command = open->command.level[k];
  command.slot = narrow(slot);
  command.window = window;
  command.silent = narrow(silent);
  // All of the window is in the rings.
  command.fresh = {~std::uint32_t{0}, ~std::uint32_t{0}};
}

template <class Sample>
void CommandStream<Sample>::accumulate(BankGraphs& bank, std::uint32_t k, std::size_t newest,
                                       IndexRange partitions, IndexRange bins) noexcept {
  Open* open = &open_for(bank);
  const LevelCommand& asked = open->command.level[k];
  const Range terms = narrow(partitions);
  const bool goes_on =
      is_empty(asked.bins) || (asked.newest == newest && asked.partitions[0].first == terms.first &&
                               asked.partitions[0].last == terms.last);
  if (!goes_on || !is_empty(asked.outputs) || !extend(open->command.level[k].bins, bins)) {
    open = &begin_anew(&bank);
    extend(open->command.level[k].bins, bins);
  }
  open->has_later = true;
  LevelCommand& command = open->command.level[k];
  command.to = 0;
  command.from = kNone;
  command.newest = narrow(newest);
  command.ranges = 1;
  command.partitions[0] = terms;
}

template <class Sample>
void CommandStream<Sample>::keep(BankGraphs& bank, std::uint32_t k, std::size_t place,
                                 IndexRange outputs, IndexRange frames) noexcept {
  Open* open = &open_for(bank);
  const LevelCommand& asked = open->command.level[k];
  const bool goes_on = is_empty(asked.outputs) || asked.stage_out == place;
  if (!goes_on || !extend(open->command.level[k].outputs, outputs)) {
    open = &begin_anew(&bank);
    extend(open->command.level[k].outputs, outputs);
  }
  open->has_later = true;
  LevelCommand& command = open->command.level[k];
  command.render_from = 0;
  command.render_partitions = {0, 0};
  command.frames = narrow(frames);
  command.stage_out = narrow(place);
}

template <class Sample>
void CommandStream<Sample>::add(BankGraphs& bank, std::uint32_t k, std::size_t place,
                                std::size_t first) noexcept {
  LevelCommand& command = open_for(bank).command.level[k];
  command.add = 1;
  command.add_place = narrow(place);
  command.add_first = narrow(first);
}

template <class Sample>
void CommandStream<Sample>::launch_all() noexcept {
  for (std::size_t i = 0; i < opened_; ++i) {
    settle(open_[i]);
    launch(open_[i]);
  }
  opened_ = 0;
}

template <class Sample>
void CommandStream<Sample>::launch(Open& open) noexcept {
  const std::uint64_t number = launched_ + 1;
  const std::size_t ring = kCommandsOfPiece * slots_;
  if (number > ring) wait_until([&] { return has_finished(number - ring); });
  const LevelCommand& first = open.first();
  const bool renders = !is_empty(first.outputs);
  const bool takes_samples = !is_empty(first.inputs);
  if (renders) {
    answers_[first.stage_out].command = number;
    answers_[first.stage_out].delivery = staging_.asked();
  }
  if (takes_samples) staged_in_[first.stage_in] = number;
  if (accelerator_->has_failed()) return;
  open.command.number = number;
  commands_[number % ring] = open.command;
  const Graph* graph = forward_graph_.get();
  if (open.bank != nullptr) {
    const LevelCommand* const levels = open.command.level;
    const bool transforms = std::any_of(levels, levels + levels_, [](const LevelCommand& level) {
      return !is_empty(level.inputs);
    });
    const bool is_whole = transforms || open.bank->alone == nullptr;
    graph = is_whole ? open.bank->whole.get() : open.bank->alone.get();
    open.bank->last_command = number;
  }
  // The plug-in's launch is a call into the driver, which orders what was written before it.
  std::atomic_thread_fence(std::memory_order_release);
  if (takes_samples && !staging_.send(first.stage_in)) return;
  if (!accelerator_->check(
          accelerator_->api().launch(accelerator_->device(), FIRBANK_LANE_COMPUTE, graph->get()))) {
    return;
  }
  launched_ = number;
  if (renders) staging_.bring(first.stage_out, first.frames.last - first.frames.first);
}

template <class Sample>
void CommandStream<Sample>::submit() noexcept {
  launch_all();
  pieces_[pieces_submitted_++ % pieces_.size()] = answers_asked_;
}

template <class Sample>
bool CommandStream<Sample>::collect() noexcept {
  const std::uint64_t end = pieces_[pieces_collected_++ % pieces_.size()];
  while (answers_home_ < end) bring_home();
  return !accelerator_->has_failed();
}

template <class Sample>
bool CommandStream<Sample>::can_collect(std::size_t pieces) const noexcept {
  if (accelerator_->has_failed()) return true;
  const std::uint64_t end = pieces_[(pieces_collected_ + pieces - 1) % pieces_.size()];
  return end <= answers_home_ || has_come(answers_[(end - 1) % answers_.size()]);
}

/// Copies the oldest answer out.
template <class Sample>
void CommandStream<Sample>::bring_home() noexcept {
  const std::size_t slot = answers_home_++ % answers_.size();
  const Answer& answer = answers_[slot];
  if (!wait_until([&] { return has_come(answer); })) return;
  staging_.copy_out(slot, answer.frames, answer.planes.data());
}

/// Of command 0 always.
template <class Sample>
bool CommandStream<Sample>::has_finished(std::uint64_t number) const noexcept {
  return std::atomic_ref(progress_[0].finished).load(std::memory_order_acquire) >= number;
}

/// Whether an answer can be read. Commands are executed in order: of what a later one has rendered,
/// an earlier one is there as well.
template <class Sample>
bool CommandStream<Sample>::has_come(const Answer& answer) const noexcept {
  if (staging_.copies()) return staging_.has_delivered(answer.delivery);
  const std::uint64_t rendered =
      std::atomic_ref(progress_[0].rendered).load(std::memory_order_acquire);
  return rendered >= answer.command || has_finished(answer.command);
}

/// Whether `condition` came true before the device failed, or kept the caller waiting for too long,
/// which is a failure.
template <class Sample>
template <class Condition>
bool CommandStream<Sample>::wait_until(Condition condition) noexcept {
  using Clock = std::chrono::steady_clock;
  Clock::time_point deadline{};
  for (std::size_t spins = 1; !condition(); ++spins) {
    if (accelerator_->has_failed()) return false;
    if (spins % kSpins != 0) continue;
    std::this_thread::yield();
    if (spins % (kSpins * kSpinsBetweenAsks) != 0) continue;
    const int status = accelerator_->api().status(accelerator_->device());
    if (status != FIRBANK_BUSY && !accelerator_->check(status)) return false;
    const Clock::time_point now = Clock::now();
    if (deadline == Clock::time_point{}) {
      deadline = now + patience_;
    } else if (now > deadline) {
      accelerator_->fail("the device gave no answer within the time that a piece may take");
      return false;
    }
  }
  return true;
}

/// The same without a question to the device, whose state is asked for on the running path's thread
/// only.
template <class Sample>
template <class Condition>
void CommandStream<Sample>::sleep_until(Condition condition) noexcept {
  const auto deadline = std::chrono::steady_clock::now() + patience_;
  while (!condition() && !accelerator_->has_failed() &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

template <class Sample>
void CommandStream<Sample>::finish(std::uint64_t number) noexcept {
  sleep_until([&] { return has_finished(number); });
}

template <class Sample>
void CommandStream<Sample>::finish() noexcept {
  finish(launched_);
  const std::uint64_t asked = staging_.asked();
  if (asked > 0) sleep_until([&] { return staging_.has_delivered(asked - 1); });
}

template class CommandStream<float>;
template class CommandStream<double>;

}  // namespace firbank::cuda
