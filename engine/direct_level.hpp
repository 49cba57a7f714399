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
  /// `pieces` of them may be under way at once. `pool` shares what the backend computes, `copiers`
  /// what it copies.
  DirectLevel(const Backend& backend, const PartitionPlan& plan, const Routing& routing,
              WorkerPool& pool, WorkerPool& copiers, std::size_t pieces);

  std::unique_ptr<LevelBank> prepare(const FilterBank& filters,
                                     const ResponseTable& responses) const override;
  void replace(LevelBank& bank, std::size_t filter, std::span<const double> taps,
               const ResponseTable& responses) const override;
  std::size_t next_piece(std::size_t frames, bool) const noexcept override {
    return std::min(frames, piece_frames_);
  }
  void ingest(const Intake<Sample>& intake) noexcept override;
  void activate(LevelBank&) noexcept override {}  // its only state is the input
  void render(LevelBank& bank, Sample* const* out, std::size_t frames) noexcept override;
  void advance(const InputHistory<Sample>&, std::span<LevelBank* const>,
               std::size_t) noexcept override {
    level_->submit();
  }
  void forget(std::span<LevelBank* const>) noexcept override {}
  bool collect() noexcept override { return level_->collect(); }
  bool can_collect(std::size_t pieces) const noexcept override {
    return level_->can_collect(pieces);
  }
  void reset(InputHistory<Sample>& history, std::span<LevelBank* const> banks) noexcept override;

 private:
  static std::vector<Sample> with_gain(const Response& response, std::span<const double> taps);

  struct Bank final : LevelBank {
    std::unique_ptr<DirectBank<Sample>> taps;
  };

  std::size_t piece_frames_;
  std::size_t reach_;  // frames that the longest response looks back
  std::size_t outputs_;
  std::unique_ptr<SampleLevel<Sample>> level_;
  WorkerPool& pool_;
  bool keeps_samples_;                 // the backend does, and the history stays empty
  bool begins_ = true;                 // no piece was taken since the stream began
  std::vector<const Sample*> newest_;  // of each input: the piece
};

extern template class DirectLevel<float>;
extern template class DirectLevel<double>;

}  // namespace firbank
