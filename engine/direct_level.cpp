#include "engine/direct_level.hpp"

#include <utility>

namespace firbank {

template <class Sample>
DirectLevel<Sample>::DirectLevel(const Backend& backend, const PartitionPlan& plan,
                                 const Routing& routing, WorkerPool& pool, WorkerPool& copiers,
                                 std::size_t pieces)
    : piece_frames_(plan.piece_frames),
      reach_(plan.max_response - 1),
      outputs_(routing.outputs()),
      level_(backend.make_sample_level<Sample>({.inputs = routing.inputs(),
                                                .outputs = outputs_,
                                                .piece_frames = piece_frames_,
                                                .reach = reach_,
                                                .pieces = pieces,
                                                .copies = plan.by_copies,
                                                .copiers = &copiers})),
      pool_(pool),
      keeps_samples_(backend.keeps_samples()),
      newest_(routing.inputs()) {}

template <class Sample>
std::unique_ptr<LevelBank> DirectLevel<Sample>::prepare(const FilterBank& filters,
                                                        const ResponseTable& responses) const {
  DirectBankShape shape;
  for (const Response& response : responses.responses()) {
    shape.responses.push_back({response.delay, filters.taps(response.filter).size()});
  }
  shape.terms = responses.terms();
  auto bank = std::make_unique<Bank>();
  bank->taps = level_->make_bank(std::move(shape));
  for (std::size_t r = 0; r < responses.responses().size(); ++r) {
    const Response& response = responses.responses()[r];
    bank->taps->load(r, with_gain(response, filters.taps(response.filter)));
  }
  bank->taps->end_load();
  return bank;
}

template <class Sample>
std::vector<Sample> DirectLevel<Sample>::with_gain(const Response& response,
                                                   std::span<const double> taps) {
  std::vector<Sample> result;
  result.reserve(taps.size());
  for (const double tap : taps) result.push_back(static_cast<Sample>(response.gain * tap));
  return result;
}

template <class Sample>
void DirectLevel<Sample>::replace(LevelBank& bank, std::size_t filter, std::span<const double> taps,
                                  const ResponseTable& responses) const {
  for (std::size_t r = 0; r < responses.responses().size(); ++r) {
    const Response& response = responses.responses()[r];
    if (response.filter != filter) continue;
    static_cast<Bank&>(bank).taps->replace(r, with_gain(response, taps));
  }
}

template <class Sample>
void DirectLevel<Sample>::ingest(const Intake<Sample>& intake) noexcept {
  const IntakeSamples<Sample> samples(intake);
  SamplePiece<Sample> piece{.frames = intake.frames(), .begins = std::exchange(begins_, false)};
  if (keeps_samples_) {
    piece.samples = &samples;
  } else {
    const InputHistory<Sample>& history = intake.history();
    for (std::size_t input = 0; input < newest_.size(); ++input) {
      intake.write(input, 0, intake.frames());
      newest_[input] = history.at(input, history.clock(), reach_);
    }
    piece.newest = newest_.data();
  }
  level_->take(piece);
}

template <class Sample>
void DirectLevel<Sample>::render(LevelBank& bank, Sample* const* out, std::size_t frames) noexcept {
  pool_.run(outputs_, [&](IndexRange range, std::size_t) noexcept {
    static_cast<Bank&>(bank).taps->run(out, frames, range);
  });
}

template <class Sample>
void DirectLevel<Sample>::reset(InputHistory<Sample>& history,
                                std::span<LevelBank* const>) noexcept {
  history.clear_past(reach_);
  begins_ = true;
}

template class DirectLevel<float>;
template class DirectLevel<double>;

}  // namespace firbank
