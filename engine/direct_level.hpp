// DirectLevel: the sum of products itself, for responses too short to repay a transform.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "engine/level.hpp"
#include "engine/partition_plan.hpp"
#include "kernels/backend.hpp"
#include "kernels/worker_pool.hpp"

namespace firbank {

template <class Sample>
class DirectLevel final : public Level<Sample> {
 public:
  /// `backend` must outlive the level.
  DirectLevel(const Backend& backend, const PartitionPlan& plan, const Routing& routing,
              WorkerPool& pool);

  std::unique_ptr<LevelBank> prepare(const FilterBank& filters,
                                     const ResponseTable& responses) const override;
  void replace(LevelBank& bank, std::size_t filter, std::span<const double> taps,
               const ResponseTable& responses) const override;
  std::size_t next_piece(std::size_t frames, bool) const noexcept override {
    return std::min(frames, piece_frames_);
  }
  void ingest(const Intake<Sample>& intake) noexcept override;
  void activate(LevelBank&) noexcept override {}  // its only state is the history
  void render(LevelBank& bank, Sample* const* out, std::size_t frames) noexcept override;
  void advance(const InputHistory<Sample>&, std::span<LevelBank* const>,
               std::size_t) noexcept override {}
  void forget(std::span<LevelBank* const>) noexcept override {}
  bool collect() noexcept override { return true; }
  bool can_collect(std::size_t) const noexcept override { return true; }
  void reset(InputHistory<Sample>& history, std::span<LevelBank* const> banks) noexcept override;

 private:
  static std::vector<Sample> with_gain(const Response& response, std::span<const double> taps);

  struct Bank final : LevelBank {
    std::unique_ptr<DirectBank<Sample>> taps;
  };

  const Backend& backend_;
  std::size_t piece_frames_;
  std::size_t reach_;  // frames that the longest response looks back
  std::size_t outputs_;
  WorkerPool& pool_;
  std::vector<const Sample*> newest_;  // of each input: the piece
};

extern template class DirectLevel<float>;
extern template class DirectLevel<double>;

}  // namespace firbank
