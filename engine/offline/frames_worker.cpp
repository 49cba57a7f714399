#include "engine/offline/array_worker.hpp"

namespace firbank {

template <class Sample>
std::unique_ptr<ArrayWorker<Sample>> make_frames_worker(const ArrayJob& job, const ArrayPlan& plan,
                                                        InstructionSet set) {
  return make_direct_worker<Sample>(job, plan, set);
}

template std::unique_ptr<ArrayWorker<float>> make_frames_worker(const ArrayJob&, const ArrayPlan&,
                                                                InstructionSet);
template std::unique_ptr<ArrayWorker<double>> make_frames_worker(const ArrayJob&, const ArrayPlan&,
                                                                 InstructionSet);

}  // namespace firbank
