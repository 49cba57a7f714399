// Peer: a convolver under measurement, firbank among them, driven in blocks of one size.
//
// Output frame n holds tap 0 of input frame n: no adapter adds latency.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/peers/workload.hpp"

namespace peers {

/// What a peer is built for. The filters outlive it.
struct Setting {
  const firbank::Routing& routing;
  const std::vector<std::vector<float>>& filters;
  std::size_t taps = 0;  // of the longest filter
  std::size_t block_frames = 0;
  double trial_seconds = 0.05;  // how long a peer's variants are tried out
};

class Peer {
 public:
  virtual ~Peer() = default;

  virtual std::string name() const = 0;    // "zita non-uniform"
  virtual std::string detail() const = 0;  // what it was configured with
  /// All its work happens in the caller's thread, so that a block may be timed alone.
  virtual bool one_thread() const = 0;

  /// Filters one block: a plane an input, a plane an output.
  virtual void process(const float* const* in, float* const* out) = 0;
};

/// The peers that can run a setting, each with the fastest of its own options, found by a trial.
/// A peer that cannot run it (its block sizes, its routing) is left out.
std::vector<std::unique_ptr<Peer>> make_zita_peers(const Setting& setting);
std::vector<std::unique_ptr<Peer>> make_fftw_peers(const Setting& setting);

/// Of several variants the one that a short trial finds fastest, built anew: it has heard nothing.
using MakePeer = std::function<std::unique_ptr<Peer>()>;
std::unique_ptr<Peer> fastest(const std::vector<MakePeer>& variants, const Setting& setting);

}  // namespace peers
