// Copies between arrays and planes: of one channel, and of adjacent channels, whose frames the
// planes hold 8,192 at a time. Items are samples of all channels.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "kernels/aligned_vector.hpp"
#include "kernels/cpu/array_copy.hpp"

namespace {

using namespace firbank;

constexpr std::size_t kBlockFrames = 8'192;
/// Arrays that no cache holds, of all channels together.
constexpr std::size_t kArrayBytes = std::size_t{256} << 20;

/// An array in memory, and planes of one block that a cache holds.
template <class Sample>
struct Copy {
  std::size_t channels;
  std::size_t frames;  // of the array
  std::size_t frame_bytes;
  AlignedVector<std::byte> array;
  AlignedVector<Sample> samples;
  std::vector<Sample*> planes;

  Copy(ElementType type, std::size_t channel_count)
      : channels(channel_count),
        frames(kArrayBytes / (channels * element_bytes(type)) / kBlockFrames * kBlockFrames),
        frame_bytes(channels * element_bytes(type)),
        array(frames * frame_bytes),
        samples(channels * (kBlockFrames + 16)) {
    for (std::size_t c = 0; c < channels; ++c) {
      planes.push_back(samples.data() + c * (kBlockFrames + 16));
    }
  }

  /// Runs `block(place in the array)` for the blocks of the array in turn.
  template <class Block>
  void run(benchmark::State& state, const Block& block) {
    std::size_t first = 0;
    for (auto _ : state) {
      block(array.data() + first * frame_bytes);
      benchmark::ClobberMemory();
      first = (first + kBlockFrames) % frames;
    }
    const auto total = state.iterations() * static_cast<std::int64_t>(kBlockFrames * channels);
    state.SetItemsProcessed(total);
    state.SetBytesProcessed(total / static_cast<std::int64_t>(channels) *
                            static_cast<std::int64_t>(frame_bytes));
  }
};

template <class Sample>
void gather_frames(benchmark::State& state, InstructionSet set, ElementType type) {
  Copy<Sample> copy(type, static_cast<std::size_t>(state.range(0)));
  copy.run(state, [&](const std::byte* from) {
    array_copy<Sample>(set)->gather_frames(from, type, state.range(0), copy.channels,
                                           copy.planes.data(), kBlockFrames);
  });
}

template <class Sample>
void scatter_frames(benchmark::State& state, InstructionSet set, ElementType type, bool uncached) {
  Copy<Sample> copy(type, static_cast<std::size_t>(state.range(0)));
  copy.run(state, [&](std::byte* to) {
    array_copy<Sample>(set)->scatter_frames(copy.planes.data(), copy.channels, to, type,
                                            state.range(0), kBlockFrames, uncached);
  });
}

template <class Sample>
void gather(benchmark::State& state, InstructionSet set, ElementType type) {
  Copy<Sample> copy(type, 1);
  copy.run(state, [&](const std::byte* from) {
    array_copy<Sample>(set)->gather(from, type, 1, copy.planes[0], kBlockFrames);
  });
}

const int registered = [] {
  struct Type {
    ElementType type;
    const char* name;
  };
  constexpr Type kFloats[] = {{ElementType::kFloat32, "float32"},
                              {ElementType::kFloat64, "float64"},
                              {ElementType::kFloat16, "float16"}};
  constexpr Type kSources[] = {{ElementType::kFloat32, "float32"},
                               {ElementType::kFloat16, "float16"},
                               {ElementType::kInt16, "int16"}};
  for (const InstructionSet set : kInstructionSets) {
    if (!is_supported(set)) continue;
    const std::string name = backend_name(set);
    for (const Type& type : kSources) {
      const std::string axes = std::string(type.name) + "/" + name;
      benchmark::RegisterBenchmark(("gather/" + axes).c_str(), gather<float>, set, type.type);
      benchmark::RegisterBenchmark(("gather_frames/" + axes).c_str(), gather_frames<float>, set,
                                   type.type)
          ->ArgNames({"channels"})
          ->Arg(2)
          ->Arg(8)
          ->Arg(384)
          ->Arg(1'024);
    }
    for (const Type& type : kFloats) {
      for (const bool uncached : {false, true}) {
        const std::string axes =
            std::string(type.name) + (uncached ? "/uncached/" : "/cached/") + name;
        benchmark::RegisterBenchmark(("scatter_frames/" + axes).c_str(), scatter_frames<float>, set,
                                     type.type, uncached)
            ->ArgNames({"kernels"})
            ->Arg(2)
            ->Arg(5)
            ->Arg(8)
            ->Arg(64);
      }
    }
  }
  return 0;
}();

}  // namespace
