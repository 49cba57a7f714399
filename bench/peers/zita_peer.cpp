// zita-convolver (GPL), linked into this benchmark only.
//
// A Convproc has at most 64 inputs and 64 outputs, so wider workloads take several, each with 64
// outputs. Its smallest partition is 64 frames and its blocks are powers of two; blocks below that
// would cost latency, which no other peer here adds. Its threads run at ordinary priority, and each
// block waits for what falls due (sync), so that nothing is lost.
#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <zita-convolver.h>

#include "bench/peers/peer.hpp"

namespace peers {
namespace {

/// In which zita's threads surely begin, or end. It does not wait for that itself: a level whose
/// thread has not begun is computed by the caller, and a thread that has not ended writes to it.
constexpr auto kThreadsTurn = std::chrono::milliseconds(50);

struct ZitaOptions {
  std::size_t largest_partition = 0;  // the block: uniform
  bool vector_mode = false;
  float density = 0;  // 0: zita's own guess
};

class ZitaPeer final : public Peer {
 public:
  ZitaPeer(const Setting& setting, const ZitaOptions& options)
      : block_frames_(setting.block_frames), options_(options) {
    for (std::size_t first = 0; first < setting.routing.outputs(); first += Convproc::MAXOUT) {
      groups_.push_back(std::make_unique<Group>(setting, options, first));
    }
    std::this_thread::sleep_for(kThreadsTurn);
  }
  ~ZitaPeer() override {
    for (auto& group : groups_) group->convproc.stop_process();
    std::this_thread::sleep_for(kThreadsTurn);
  }

  std::string name() const override {
    return options_.largest_partition == block_frames_ ? "zita uniform" : "zita non-uniform";
  }
  std::string detail() const override {
    return "partitions to " + std::to_string(options_.largest_partition) +
           (options_.vector_mode ? ", vector mode" : "") +
           (options_.density > 0 ? ", density 1" : "") +
           (groups_.size() > 1 ? ", " + std::to_string(groups_.size()) + " processors" : "");
  }
  bool one_thread() const override { return options_.largest_partition == block_frames_; }

  void process(const float* const* in, float* const* out) override {
    for (auto& group : groups_) group->process(in, out, block_frames_);
  }

 private:
  struct Group {
    Group(const Setting& setting, const ZitaOptions& options, std::size_t first)
        : first_output(first),
          outputs(std::min<std::size_t>(Convproc::MAXOUT, setting.routing.outputs() - first)) {
      const auto mine = [&](const firbank::Edge& edge) {
        return edge.output >= first_output && edge.output < first_output + outputs;
      };
      for (const firbank::Edge& edge : setting.routing.edges()) {
        if (mine(edge)) inputs.push_back(edge.input);
      }
      std::sort(inputs.begin(), inputs.end());
      inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
      const auto block = static_cast<std::uint32_t>(setting.block_frames);
      convproc.set_options(Convproc::OPT_FFTW_MEASURE |
                           (options.vector_mode ? Convproc::OPT_VECTOR_MODE : 0));
      check(convproc.configure(
          static_cast<std::uint32_t>(inputs.size()), static_cast<std::uint32_t>(outputs),
          static_cast<std::uint32_t>(setting.taps), block, block,
          static_cast<std::uint32_t>(options.largest_partition), options.density));
      for (const firbank::Edge& edge : setting.routing.edges()) {
        if (!mine(edge)) continue;
        const auto input = std::lower_bound(inputs.begin(), inputs.end(), edge.input);
        const std::vector<float>& taps = setting.filters[edge.filter];
        // zita reads the taps, though it asks for them writable.
        check(convproc.impdata_create(static_cast<std::uint32_t>(input - inputs.begin()),
                                      static_cast<std::uint32_t>(edge.output - first_output), 1,
                                      const_cast<float*>(taps.data()), 0,
                                      static_cast<std::int32_t>(taps.size())));
      }
      check(convproc.start_process(0, SCHED_OTHER));
    }
    ~Group() { convproc.cleanup(); }

    static void check(int status) {
      if (status != 0)
        throw std::runtime_error("zita-convolver refuses: " + std::to_string(status));
    }

    void process(const float* const* in, float* const* out, std::size_t frames) {
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        std::memcpy(convproc.inpdata(static_cast<std::uint32_t>(i)), in[inputs[i]],
                    frames * sizeof(float));
      }
      if (convproc.process(true) != 0) throw std::runtime_error("zita-convolver came too late");
      for (std::size_t o = 0; o < outputs; ++o) {
        std::memcpy(out[first_output + o], convproc.outdata(static_cast<std::uint32_t>(o)),
                    frames * sizeof(float));
      }
    }

    std::size_t first_output, outputs;
    std::vector<std::size_t> inputs;
    Convproc convproc;
  };

  std::size_t block_frames_;
  ZitaOptions options_;
  std::vector<std::unique_ptr<Group>> groups_;
};

}  // namespace

std::vector<std::unique_ptr<Peer>> make_zita_peers(const Setting& setting) {
  std::vector<std::unique_ptr<Peer>> peers;
  const std::size_t block = setting.block_frames;
  if (!std::has_single_bit(block) || block < Convproc::MINPART || block > Convproc::MAXPART) {
    return peers;
  }
  const auto best_of = [&](std::vector<std::size_t> largest, std::vector<float> densities) {
    std::vector<MakePeer> variants;
    for (const std::size_t partition : largest) {
      for (const float density : densities) {
        for (const bool vector_mode : {false, true}) {
          const ZitaOptions options{partition, vector_mode, density};
          variants.emplace_back(
              [&setting, options] { return std::make_unique<ZitaPeer>(setting, options); });
        }
      }
    }
    return fastest(variants, setting);
  };
  std::vector<std::size_t> larger;
  for (std::size_t partition = Convproc::MAXPART; partition > block && larger.size() < 3;
       partition /= 2) {
    if (partition < setting.taps) larger.push_back(partition);
  }
  if (!larger.empty()) peers.push_back(best_of(larger, {0.0f, 1.0f}));
  peers.push_back(best_of({block}, {0.0f}));
  return peers;
}

}  // namespace peers
