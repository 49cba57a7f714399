// A case as an Engine takes it, and what the engine says of it: its plan and the bytes that it has
// to read.
//
// Thread: any.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bench/gpu/cases.hpp"
#include "bench/gpu/figures.hpp"
#include "engine/engine.hpp"
#include "engine/responses.hpp"
#include "kernels/cuda/call_bytes.hpp"
#include "kernels/cuda/plugin_loader.hpp"

namespace firbank::bench {

inline FilterBank make_filters(const Case& which) {
  std::vector<std::vector<double>> filters(which.filters());
  for (std::size_t f = 0; f < filters.size(); ++f) {
    const float scale = tap_scale(which, f);
    filters[f].resize(which.taps_of(f));
    for (std::size_t k = 0; k < filters[f].size(); ++k) filters[f][k] = tap_of(f, k, scale);
  }
  return FilterBank(std::move(filters));
}

inline Routing make_routing(const Case& which) {
  switch (which.wiring) {
    case Wiring::kRows:
      return Routing::rows(which.inputs, which.filters());
    case Wiring::kBank:
      return Routing::bank(which.inputs, which.filters());
    case Wiring::kMatrix:
      break;
  }
  return Routing::matrix(which.inputs, which.outputs, which.filters());
}

/// Frames of the longest block that is computed as one.
inline std::size_t longest_block(const Engine& engine) {
  std::size_t longest = 1;
  for (const PartitionPlan* plan : {&engine.plan(), engine.tail_plan()}) {
    if (plan == nullptr) continue;
    for (const LevelPlan& level : plan->levels) longest = std::max(longest, level.block_frames);
  }
  return longest;
}

inline void tell_plan(const Engine& engine) {
  const auto tell = [](const std::string& name, const PartitionPlan& plan) {
    tell_text(name, plan.describe());
    const double samples = static_cast<double>(plan.memory_samples);
    tell_figure(name + ", memory", "GB", samples * sizeof(float) * 1e-9);
  };
  const PartitionPlan* const tail = engine.tail_plan();
  tell(tail == nullptr ? "plan" : "plan of the head, on the CPU", engine.plan());
  if (tail != nullptr) tell("plan of the tail", *tail);
}

/// What the device reads for each `unit`, a nominal call; nothing where filters are not on a device
/// as a whole.
inline void tell_bytes(const Case& which, const Engine& engine, const std::string& unit) {
  const firbank_device_api* api = device_plugin().api;
  firbank_device_info info{};
  if (!engine.backend().starts_with("cuda:") || api == nullptr) return;
  if (engine.tail_plan() != nullptr) return;
  if (api->describe(std::stoi(engine.backend().substr(5)), &info) != FIRBANK_OK) return;
  const PartitionPlan& plan = engine.plan();
  std::vector<cuda::LevelExtent> levels;
  for (const LevelPlan& level : plan.levels) {
    levels.push_back({level.bins(), level.block_frames, level.partition_taps, level.first_tap,
                      level.partitions});
  }
  const ResponseTable responses(make_routing(which));
  cuda::BankExtent extent{.taps = {}, .terms = responses.terms(), .compact = plan.compact_spectra};
  for (const Response& response : responses.responses()) {
    extent.taps.push_back({response.delay, response.delay + which.taps_of(response.filter)});
  }
  const cuda::CallBytes bytes =
      plan.kind == PlanKind::kDirect
          ? cuda::direct_call_bytes(plan.piece_frames, plan.call_frames, extent,
                                    info.multiprocessors)
          : cuda::call_bytes(levels, plan.call_frames, extent, info.multiprocessors);
  tell_figure(fmt::format("bytes read a {}", unit), "B", bytes.loaded);
  tell_figure(fmt::format("floor of bytes read a {}", unit), "B", bytes.floor);
  if (bytes.cached > 0) {
    tell_figure(fmt::format("of the bytes read a {}: from the cache", unit), "B", bytes.cached);
  }
  tell_figure("bytes read over their floor", "ratio", (bytes.loaded - bytes.cached) / bytes.floor);
}

}  // namespace firbank::bench
