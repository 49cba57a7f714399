#include "bench/peers/firbank_peer.hpp"

#include <fstream>

#include <malloc.h>
#include <unistd.h>

namespace peers {
namespace {

std::size_t resident_bytes() {
  malloc_trim(0);
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

firbank::FilterBank bank_of(const std::vector<std::vector<float>>& filters) {
  std::vector<std::vector<double>> bank;
  bank.reserve(filters.size());
  for (const auto& taps : filters) bank.emplace_back(taps.begin(), taps.end());
  return firbank::FilterBank(std::move(bank));
}

FirbankPeer::FirbankPeer(const Setting& setting, std::size_t threads)
    : block_frames_(setting.block_frames) {
  firbank::EngineConfig config;
  config.block_frames = block_frames_;
  config.threads = threads;
  const firbank::FilterBank bank = bank_of(setting.filters);
  const std::size_t before = resident_bytes();
  engine_ = std::make_unique<firbank::Engine>(config, bank, setting.routing);
  const std::size_t after = resident_bytes();
  resident_growth_ = after > before ? after - before : 0;
}

std::string FirbankPeer::detail() const {
  return engine_->backend() + ", " + engine_->plan().describe();
}

void FirbankPeer::process(const float* const* in, float* const* out) {
  engine_->process(in, out, block_frames_);
}

}  // namespace peers
