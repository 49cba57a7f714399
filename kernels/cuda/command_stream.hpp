// CommandStream: what a level and its banks ask for, packed into as few graph launches as can be.
//
// A command has room for one forward and, of one bank, for one render and one accumulate, in this
// order, so that a piece of a stream with one bank is one launch. Each other bank that takes part
// has a command of its own; what does not fit begins another one. Answers come home through slots
// of pinned memory and are copied out when the piece is collected.
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

namespace firbank::cuda {

/// The graphs of one bank.
struct BankGraphs {
  std::unique_ptr<Graph> whole;  // with the level's forward
  std::unique_ptr<Graph> alone;
  std::uint64_t last_command = 0;  // that used them
};

template <class Sample>
class CommandStream {
 public:
  CommandStream(std::shared_ptr<Accelerator> accelerator, const LevelShape& shape,
                std::chrono::milliseconds patience);

  /// Waits for all that was launched.
  ~CommandStream();

  // What the graphs' kernels read and write.
  CommandParams params() const noexcept;
  const Command* current() const noexcept { return current_.data(); }
  Progress* progress() const noexcept { return progress_.data(); }
  const Sample* stage_in() const noexcept { return stage_in_.data(); }
  Sample* stage_out() const noexcept { return stage_out_.data(); }

  /// What is launched for a forward without a bank.
  void set_forward_graph(std::unique_ptr<Graph> graph) { forward_graph_ = std::move(graph); }

  void forward(std::size_t slot, std::uint32_t window,
               const firbank::Window<Sample>& samples) noexcept;
  void accumulate(BankGraphs& bank, std::uint32_t to, std::uint32_t from, std::size_t newest,
                  IndexRange partitions) noexcept;
  /// Renders sum 0.
  void render(BankGraphs& bank, Sample* const* newest, IndexRange frames) noexcept;

  void submit() noexcept;
  bool collect() noexcept;

  /// Waits until the device is done with command `number`, or lost. Sleeps.
  void finish(std::uint64_t number) noexcept;

 private:
  static constexpr std::size_t kBanksAtOnce = 3;  // heard, fading in, coming

  /// Frames on their way home.
  struct Answer {
    std::uint64_t command = 0;
    std::size_t frames = 0;
    std::vector<Sample*> planes;  // of each output
  };

  /// A command that is being put together.
  struct Open {
    Command command{};
    BankGraphs* bank = nullptr;
    bool sum_is_open = false;  // render's sum is there, but not yet that it is rendered
  };

  Open& open_for(BankGraphs& bank) noexcept;
  Open& begin(BankGraphs* bank) noexcept;
  static void settle(Open& open) noexcept;
  void launch(Open& open) noexcept;
  void launch_all() noexcept;
  bool reached(std::uint64_t number, bool rendered) const noexcept;
  bool wait(std::uint64_t number, bool rendered) noexcept;
  void bring_home() noexcept;

  std::shared_ptr<Accelerator> accelerator_;
  LevelShape shape_;
  std::chrono::milliseconds patience_;
  std::size_t slots_;  // of each ring below
  PinnedMemory<Command> commands_;
  PinnedMemory<Progress> progress_;
  PinnedMemory<Sample> stage_in_;
  PinnedMemory<Sample> stage_out_;
  DeviceMemory<std::uint64_t> taken_;
  DeviceMemory<Command> current_;
  std::unique_ptr<Graph> forward_graph_;

  // In the order in which they will be launched: the forward first, then one of each bank.
  std::array<Open, kBanksAtOnce> open_;
  std::size_t opened_ = 0;
  std::uint64_t launched_ = 0;
  std::uint64_t forwards_ = 0;
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
