// CommandStream: what levels and their banks ask for, packed into as few graph launches as can be.
//
// A command has room for one forward of the first level and, of one bank, for one render and one
// accumulate, in this order; and then, level by level, for a forward, an accumulate and a render of
// each later one, all of which may be of a part. So a piece of a stream with one bank is one
// launch, and the answers of its first level do not wait for the others. Each other bank that takes
// part has a command of its own; what does not fit begins another one. Answers come home by Staging
// and are copied out when the piece is collected.
//
// Thread:   one at a time, but for finished().
// Realtime: everything but construction and destruction is free of allocations and locks; it waits
//           for the device only in collect(), and where more is asked for than `pieces` promised.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/accelerator.hpp"
#include "kernels/cuda/kernel_params.hpp"
#include "kernels/cuda/staging.hpp"

namespace firbank::cuda {

/// The graphs of one bank.
struct BankGraphs {
  std::unique_ptr<Graph> whole;    // with the levels' forwards
  std::unique_ptr<Graph> alone;    // without; or null, where that is no difference
  std::uint64_t last_command = 0;  // that used them
};

template <class Sample>
class CommandStream {
 public:
  CommandStream(std::shared_ptr<Accelerator> accelerator, const StreamShape& shape,
                std::chrono::milliseconds patience);

  /// Waits for all that was launched.
  ~CommandStream();

  /// Set-up: one more level; returns its number. Throws: BackendError beyond kMaxLevels.
  std::uint32_t add_level();

  // What the graphs' kernels read and write.
  CommandParams params() const noexcept;
  const LevelCommand* current(std::uint32_t level) const noexcept {
    return &current_.data()->level[level];
  }
  const std::uint64_t* number() const noexcept { return &current_.data()->number; }
  Progress* progress() const noexcept { return progress_.data(); }
  const Sample* stage_in() const noexcept { return staging_.kernel_in(); }
  Sample* stage_out() const noexcept { return staging_.kernel_out(); }

  /// What is launched for a forward without a bank.
  void set_forward_graph(std::unique_ptr<Graph> graph) { forward_graph_ = std::move(graph); }

  // Of the first level.
  void forward(std::size_t slot, std::uint32_t window,
               const firbank::Window<Sample>& samples) noexcept;
  void accumulate(BankGraphs& bank, std::uint32_t to, std::uint32_t from, std::size_t newest,
                  IndexRange partitions) noexcept;
  /// Renders sum 0.
  void render(BankGraphs& bank, Sample* const* newest, IndexRange frames) noexcept;

  // Of a later level `k`.
  void forward(std::uint32_t k, std::size_t slot, std::uint32_t window, std::size_t silent,
               IndexRange inputs) noexcept;
  /// To sum 0, some of its bins.
  void accumulate(BankGraphs& bank, std::uint32_t k, std::size_t newest, IndexRange partitions,
                  IndexRange bins) noexcept;
  /// Turns sum 0 of some outputs into answers to `frames`, which are always the same.
  void keep(BankGraphs& bank, std::uint32_t k, std::size_t place, IndexRange outputs,
            IndexRange frames) noexcept;
  /// Adds answers, from frame `first` on, to what the first level renders last.
  void add(BankGraphs& bank, std::uint32_t k, std::size_t place, std::size_t first) noexcept;

  void submit() noexcept;
  bool collect() noexcept;
  /// Whether `pieces` calls of collect() would not wait. Never while the device answers nothing and
  /// has not failed.
  bool can_collect(std::size_t pieces) const noexcept;

  /// Waits until the device is done with command `number`, or with all, or lost. Sleeps.
  void finish(std::uint64_t number) noexcept;
  void finish() noexcept;

 private:
  static constexpr std::size_t kBanksAtOnce = 3;  // heard, fading in, coming

  /// Frames on their way home.
  struct Answer {
    std::uint64_t command = 0;
    std::uint64_t delivery = 0;
    std::size_t frames = 0;
    std::vector<Sample*> planes;  // of each output
  };

  /// A command that is being put together.
  struct Open {
    Command command{};
    BankGraphs* bank = nullptr;
    bool sum_is_open = false;  // render's sum is there, but not yet that it is rendered
    bool has_later = false;    // something of a later level

    LevelCommand& first() noexcept { return command.level[0]; }
  };

  Open& open_for(BankGraphs& bank) noexcept;
  Open& begin(BankGraphs* bank) noexcept;
  Open& begin_anew(BankGraphs* bank) noexcept;
  void settle(Open& open) noexcept;
  void launch(Open& open) noexcept;
  void launch_all() noexcept;
  bool has_finished(std::uint64_t number) const noexcept;
  bool has_come(const Answer& answer) const noexcept;
  template <class Condition>
  bool wait_until(Condition condition) noexcept;
  template <class Condition>
  void sleep_until(Condition condition) noexcept;
  void bring_home() noexcept;

  std::shared_ptr<Accelerator> accelerator_;
  StreamShape shape_;
  std::uint32_t levels_ = 1;
  std::chrono::milliseconds patience_;
  std::size_t slots_;  // of each ring below
  PinnedMemory<Command> commands_;
  PinnedMemory<Progress> progress_;
  Staging<Sample> staging_;
  DeviceMemory<std::uint64_t> taken_;
  DeviceMemory<Command> current_;
  std::unique_ptr<Graph> forward_graph_;

  // In the order in which they will be launched: the forward first, then one of each bank.
  std::array<Open, kBanksAtOnce> open_;
  std::size_t opened_ = 0;
  std::uint64_t launched_ = 0;
  std::uint64_t forwards_ = 0;
  std::uint32_t window_ = 0;              // of the last forward of the first level
  std::uint32_t window_end_ = 0;          // how much of that has arrived
  std::vector<std::uint64_t> staged_in_;  // of each slot: the command that reads it

  // Rings; the oldest entry is the next to be collected.
  std::vector<Answer> answers_;
  std::uint64_t answers_asked_ = 0;
  std::uint64_t answers_home_ = 0;
  std::vector<std::uint64_t> pieces_;  // answers asked for when each piece ended
  std::uint64_t pieces_submitted_ = 0;
  std::uint64_t pieces_collected_ = 0;
};

extern template class CommandStream<float>;
extern template class CommandStream<double>;

}  // namespace firbank::cuda
