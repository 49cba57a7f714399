// StreamWork: what a real-time program does with a block: its samples come in, are filtered, and go
// on, with the time that each of these takes.
//
//   Drive::kProcess   in the loop's own thread, by Engine::process(), as an audio callback would;
//   Drive::kPipeline  by push and pull, the engine's own thread computing meanwhile.
//
// The samples are noise, a few blocks of it in turn. They come from memory of their own and go to
// memory of their own, as if it were a driver's.
//
// Thread:   one at a time.
// Realtime: work() is, as far as the engine is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "demos/firbank/bench/latency/paced_loop.hpp"
#include "demos/firbank/planar_buffer.hpp"
#include "engine/engine.hpp"

namespace firbank::program {

enum class Drive { kProcess, kPipeline };

/// Faults on purpose, to see whether they are found.
struct Injected {
  std::int64_t sleep_ns = 0;    // asleep in the midst of every `sleep_every`-th counted block
  std::size_t sleep_every = 0;  // 0: never
  double busy_share = 0;        // every block computes longer by this share of its time
};

template <class Sample>
class StreamWork final : public PacedWork {
 public:
  /// `engine` does nothing else meanwhile, and outlives this.
  StreamWork(BasicEngine<Sample>& engine, std::size_t block_frames, Drive drive, Injected injected);
  ~StreamWork() override;

  /// Works on as many blocks, unpaced, as fill the filters and make everything be touched once.
  void fill();

  void work(BlockTimes& times) noexcept override;

  /// False once the engine could not answer; what it did then is not worth a figure.
  bool is_whole() const noexcept { return whole_; }

 private:
  void process(BlockTimes& times, const Sample* const* in) noexcept;
  void push_and_pull(BlockTimes& times, const Sample* const* in) noexcept;
  /// Notes how long computing took, with the faults that it is to have, and returns the time now.
  std::int64_t end_computing(BlockTimes& times, std::int64_t begin_ns) const noexcept;

  BasicEngine<Sample>& engine_;
  std::size_t block_frames_;
  Drive drive_;
  Injected injected_;
  bool on_device_;
  std::vector<std::unique_ptr<PlanarBuffer<Sample>>> arriving_;  // as a driver's buffers, in turn
  PlanarBuffer<Sample> in_;
  PlanarBuffer<Sample> out_;
  PlanarBuffer<Sample> leaving_;
  std::optional<BasicStreamReader<Sample>> reader_;
  std::size_t turn_ = 0;
  std::int64_t pushed_ = 0;
  bool whole_ = true;
};

extern template class StreamWork<float>;
extern template class StreamWork<double>;

}  // namespace firbank::program
