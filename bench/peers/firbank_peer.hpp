// FirbankPeer: firbank's engine, driven through its public interface by process().
#pragma once

#include <memory>
#include <string>

#include "bench/peers/peer.hpp"
#include "engine/engine.hpp"

namespace peers {

/// The filters as the engine takes them.
firbank::FilterBank bank_of(const std::vector<std::vector<float>>& filters);

class FirbankPeer final : public Peer {
 public:
  FirbankPeer(const Setting& setting, std::size_t threads);

  std::string name() const override { return "firbank"; }
  std::string detail() const override;
  bool one_thread() const override { return engine_->threads() == 1; }
  void process(const float* const* in, float* const* out) override;

  const firbank::Engine& engine() const { return *engine_; }
  std::size_t resident_growth() const { return resident_growth_; }  // bytes, by its construction

 private:
  std::size_t block_frames_;
  std::unique_ptr<firbank::Engine> engine_;
  std::size_t resident_growth_ = 0;
};

}  // namespace peers
