// PlanEstimate: completes a plan whose levels have their sizes, and says what it would cost.
//
// Costs follow from a CostModel and from counts: transforms, products of spectra and what else is
// read between two readings of a level's spectra.
//
// Thread: any; set-up only.
#pragma once

#include "engine/cost_model.hpp"
#include "engine/partition_plan.hpp"
#include "engine/plan_demand.hpp"

namespace firbank {

/// The costs and the demand must outlive it.
class PlanEstimate {
 public:
  /// `shares`: Backend::has_shares().
  PlanEstimate(const CostModel& costs, const PlanDemand& demand, bool shares)
      : costs_(costs), demand_(demand), shares_(shares) {}

  /// Sets first taps, numbers of partitions, costs and memory. False when a level would have
  /// nothing to do.
  bool complete(PartitionPlan& plan) const;

  /// The direct form of what `base` says of all plans.
  PartitionPlan direct_form(const PartitionPlan& base) const;

  /// Of a device: what the answer to a nominal call waits for. With transforms that is its own
  /// block, partition 0 and the sum of the others, which was prepared; in direct form all.
  double answer_ns(const PartitionPlan& plan) const;

 private:
  /// Of a level, a frame.
  struct Price {
    double mean_ns = 0;
    double worst_ns = 0;  // in the dearest call
    double flops = 0;
  };

  Price first_level(PartitionPlan& plan, const PlanDemand::Partitions& partitions) const;
  Price later_level(const PartitionPlan& plan, LevelPlan& level,
                    const PlanDemand::Partitions& partitions) const;
  Price fused_level(const PartitionPlan& plan, const PlanDemand::Partitions& partitions) const;
  double first_products_ns(PartitionPlan& plan, const PlanDemand::Partitions& partitions) const;
  double lines_read() const;
  double direct_ns(const PartitionPlan& plan) const;
  double direct_on_device_ns(const PartitionPlan& plan) const;
  void price_whole_job(PartitionPlan& plan, double set_up_ns) const;

  const CostModel& costs_;
  const PlanDemand& demand_;
  bool shares_;
};

}  // namespace firbank
