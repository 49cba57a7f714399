// The stages round the filters, one call a step. They run on the best instruction set that there
// is.
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "bench/instructions/counted_case.hpp"
#include "bench/instructions/noise.hpp"
#include "engine/stages/common_reference.hpp"
#include "engine/stages/decimator.hpp"
#include "engine/stages/envelope.hpp"
#include "engine/stages/event_detector.hpp"
#include "engine/stages/template_distance.hpp"

namespace firbank::bench {
namespace {

constexpr std::size_t kChannels = 384;
constexpr std::size_t kFrames = 32;

CountedCase reference(const char* name, ReferenceKind kind) {
  return {name, "32 frames of 384 channels", [kind](InstructionSet) {
            struct Rig {
              explicit Rig(ReferenceKind kind) : stage({.channels = kChannels, .kind = kind}) {}
              CommonReference stage;
              NoisePlanes<float> planes{kChannels, kFrames};
            };
            const auto rig = std::make_shared<Rig>(kind);
            return CountedRun{[rig] { rig->stage.process(rig->planes.planes(), kFrames); }};
          }};
}

/// Noise with a spike in some of the channels, and levels by the noise: estimates are made anew in
/// every cycle of 200 calls, of other channels in each.
CountedCase events() {
  return {"events", "32 frames of 384 channels, 16 events", [](InstructionSet) {
            struct Rig {
              Rig() {
                for (std::size_t c = 0; c < kChannels; c += 24)
                  planes.planes()[c][kFrames / 2] = -10;
              }
              void step() noexcept {
                stage.process(planes.planes(), kFrames, first_frame, found.data(), found.size());
                first_frame += kFrames;
              }
              EventDetector stage{{.channels = kChannels,
                                   .noise_window_frames = 800 * kFrames,
                                   .refractory_frames = 20,
                                   .peak_frames = 15}};
              NoisePlanes<float> planes{kChannels, kFrames};
              std::vector<Event> found = std::vector<Event>(kChannels);
              std::int64_t first_frame = 0;
            };
            const auto rig = std::make_shared<Rig>();
            return CountedRun{[rig] { rig->step(); }, 1'200, 200};
          }};
}

CountedCase envelope(const char* name, EnvelopeKind kind) {
  return {
      name, "32 frames of 384 channels, 151 taps", [kind](InstructionSet) {
        struct Rig {
          explicit Rig(EnvelopeKind kind)
              : stage({.channels = kChannels, .kind = kind, .taps = 151, .block_frames = kFrames}) {
          }
          void step() noexcept {
            stage.process(in.planes(), out.planes(), kFrames, first_frame);
            first_frame += kFrames;
          }
          Envelope stage;
          NoisePlanes<float> in{kChannels, kFrames}, out{kChannels, kFrames};
          std::int64_t first_frame = 0;
        };
        const auto rig = std::make_shared<Rig>(kind);
        return CountedRun{[rig] { rig->step(); }, 16};
      }};
}

CountedCase decimation() {
  return {"decimate", "32 frames of 384 channels, to a tenth by 200 taps", [](InstructionSet) {
            struct Rig {
              void step() noexcept {
                stage.process(in.planes(), kFrames, first_frame, out.planes());
                first_frame += kFrames;
              }
              Decimator stage{{.channels = kChannels, .factor = 10, .block_frames = kFrames},
                              FilterBank(noise_filters(1, 200))};
              NoisePlanes<float> in{kChannels, kFrames}, out{kChannels, kFrames};
              std::int64_t first_frame = 0;
            };
            const auto rig = std::make_shared<Rig>();
            // 5 calls bring a whole number of tens.
            return CountedRun{[rig] { rig->step(); }, 40, 80};
          }};
}

CountedCase distance() {
  return {"distance", "32 frames of 384 channels, 32 templates of 61 frames on 12 of them",
          [](InstructionSet) {
            constexpr std::size_t kTemplates = 32;
            constexpr std::size_t kWidth = 12;
            TemplateDistanceConfig config{.channels = kChannels, .block_frames = kFrames};
            const std::vector<std::vector<double>> samples = noise_filters(kTemplates * kWidth, 61);
            for (std::size_t k = 0; k < kTemplates; ++k) {
              Template& one = config.templates.emplace_back();
              for (std::size_t i = 0; i < kWidth; ++i) {
                one.channels.push_back(k * kWidth + i);
                one.samples.push_back(samples[k * kWidth + i]);
              }
            }
            struct Rig {
              explicit Rig(const TemplateDistanceConfig& config) : stage(config) {}
              void step() noexcept {
                stage.process(in.planes(), out.planes(), kFrames, first_frame);
                first_frame += kFrames;
              }
              TemplateDistance stage;
              NoisePlanes<float> in{kChannels, kFrames}, out{kTemplates, kFrames};
              std::int64_t first_frame = 0;
            };
            const auto rig = std::make_shared<Rig>(config);
            return CountedRun{[rig] { rig->step(); }, 16};
          }};
}

}  // namespace

std::vector<CountedCase> stage_cases() {
  return {reference("reference-mean", ReferenceKind::kMean),
          reference("reference-median", ReferenceKind::kMedian),
          events(),
          envelope("envelope-rms", EnvelopeKind::kRms),
          envelope("envelope-analytic", EnvelopeKind::kAnalytic),
          decimation(),
          distance()};
}

}  // namespace firbank::bench
