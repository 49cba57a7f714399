#include "capi/stream.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace firbank::capi {
namespace {

/// How outputs are called that have no names of their own.
std::vector<std::string> names_of_outputs(const StreamParts& parts) {
  std::vector<std::vector<const Edge*>> heard(parts.routing.outputs());
  std::vector<std::size_t> outputs_of(parts.routing.inputs());
  for (const Edge& edge : parts.routing.edges()) {
    heard[edge.output].push_back(&edge);
    ++outputs_of[edge.input];
  }
  std::vector<std::string> names;
  for (const std::vector<const Edge*>& edges : heard) {
    std::string name;
    std::vector<std::size_t> inputs;
    for (const Edge* edge : edges) {
      if (std::find(inputs.begin(), inputs.end(), edge->input) != inputs.end()) continue;
      inputs.push_back(edge->input);
      name += (name.empty() ? "" : "+") + parts.input_names[edge->input];
    }
    if (edges.size() == 1 && outputs_of[edges[0]->input] > 1) {
      name += ":" + parts.bank.name(edges[0]->filter);
    }
    names.push_back(std::move(name));
  }
  std::map<std::string, std::size_t> uses;
  for (const std::string& name : names) ++uses[name];
  for (std::size_t output = 0; output < names.size(); ++output) {
    if (uses[names[output]] > 1) names[output] += fmt::format("#{}", output + 1);
  }
  return names;
}

firbank_status status_of(ProcessStatus status) {
  switch (status) {
    case ProcessStatus::kOk:
      return FIRBANK_OK;
    case ProcessStatus::kTooManyFrames:
      return FIRBANK_TOO_MANY_FRAMES;
    case ProcessStatus::kRunning:
      return FIRBANK_WRONG_STATE;
    case ProcessStatus::kBackendFailed:
      return FIRBANK_BACKEND_LOST;
  }
  return FIRBANK_FAILED;
}

firbank_status status_of(PushStatus status) {
  switch (status) {
    case PushStatus::kOk:
      return FIRBANK_OK;
    case PushStatus::kNotRunning:
      return FIRBANK_WRONG_STATE;
    case PushStatus::kBackwardJump:
      return FIRBANK_BACKWARD_JUMP;
    case PushStatus::kOutOfRange:
      return FIRBANK_OUT_OF_RANGE;
    case PushStatus::kWrongShape:
      return FIRBANK_FAILED;
  }
  return FIRBANK_FAILED;
}

static_assert(static_cast<unsigned>(BlockFlags::kFilled) == FIRBANK_FILLED &&
              static_cast<unsigned>(BlockFlags::kReset) == FIRBANK_RESET &&
              static_cast<unsigned>(BlockFlags::kSpoiled) == FIRBANK_SPOILED &&
              static_cast<unsigned>(BlockFlags::kEndOfStream) == FIRBANK_END &&
              static_cast<unsigned>(BlockFlags::kLost) == FIRBANK_LOST &&
              static_cast<unsigned>(BlockFlags::kTransient) == FIRBANK_TRANSIENT &&
              static_cast<unsigned>(BlockFlags::kMissed) == FIRBANK_MISSED);
static_assert(Stats::kNone == FIRBANK_NO_FRAME);

static_assert(static_cast<int>(Spectra::kFull) == FIRBANK_SPECTRA_FULL &&
              static_cast<int>(Spectra::kInt16) == FIRBANK_SPECTRA_INT16);

/// A count that readers and the processing thread add to, and where in the stream the first was.
template <class Number>
class PlacedCount {
 public:
  void add(Number amount, std::int64_t frame) noexcept {
    if (amount == 0) return;
    if (count_.fetch_add(amount, std::memory_order_relaxed) == 0) {
      first_frame_.store(frame, std::memory_order_relaxed);
    }
  }
  Number count() const noexcept { return count_.load(std::memory_order_relaxed); }
  std::int64_t first_frame() const noexcept { return first_frame_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Number> count_{0};
  std::atomic<std::int64_t> first_frame_{Stats::kNone};
};

struct Counts {
  PlacedCount<std::uint64_t> limited_samples;
  PlacedCount<std::int64_t> missed_frames;
};

template <class Sample>
class TypedReader final : public Reader {
 public:
  TypedReader(BasicStreamReader<Sample> reader, const NativeFormat& format, Counts& counts)
      : reader_(std::move(reader)), format_(format), counts_(counts) {}

  void pull(void* out, std::size_t frames, firbank_block& block) noexcept override {
    const BasicBlock<const Sample> read =
        reader_.read(frames, [&](const BasicBlock<const Sample>& next, std::size_t offset) {
          counts_.limited_samples.add(
              to_native(format_, next.planes, next.channels, offset, next.frames, out),
              next.first_frame);
        });
    block = {read.frames, read.first_frame, read.timestamp_ns, read.gap_before,
             static_cast<std::uint32_t>(read.flags)};
    const std::int64_t missed = reader_.missed_frames();
    counts_.missed_frames.add(missed - missed_frames_, read.first_frame - read.gap_before);
    missed_frames_ = missed;
  }

  bool wait(std::int64_t timeout_ns) noexcept override {
    return reader_.wait(std::chrono::nanoseconds(std::max<std::int64_t>(timeout_ns, 0)));
  }

 private:
  BasicStreamReader<Sample> reader_;
  const NativeFormat& format_;
  Counts& counts_;
  std::int64_t missed_frames_ = 0;  // that are counted
};

template <class Sample>
class TypedStream final : public Stream {
 public:
  explicit TypedStream(StreamParts parts)
      : Stream(std::move(parts)),
        engine_(parts_.engine, parts_.bank, parts_.routing),
        in_(engine_.inputs(), engine_.max_frames()),
        out_(engine_.outputs(), engine_.max_frames()) {}

  firbank_status process(const void* in, void* out, std::size_t frames) noexcept override {
    if (is_running()) return FIRBANK_WRONG_STATE;
    if (frames > engine_.max_frames()) {
      silence(out, frames);
      return FIRBANK_TOO_MANY_FRAMES;
    }
    from_native(parts_.in, in, engine_.inputs(), 0, frames, in_.planes.data());
    const std::int64_t position = engine_.position();
    const firbank_status status =
        status_of(engine_.process(in_.planes.data(), out_.planes.data(), frames));
    give(out, 0, frames, position);
    return status;
  }

  firbank_status flush(void* out, std::size_t frames, std::size_t& written) noexcept override {
    written = 0;
    if (is_running()) return FIRBANK_WRONG_STATE;
    const std::int64_t lost_before = engine_.stats().lost_frames;
    while (written < frames) {
      const std::int64_t position = engine_.position();
      const std::size_t part =
          engine_.flush(out_.planes.data(), std::min(frames - written, engine_.max_frames()));
      if (part == 0) break;
      give(out, written, part, position);
      written += part;
    }
    return engine_.stats().lost_frames > lost_before ? FIRBANK_BACKEND_LOST : FIRBANK_OK;
  }

  firbank_status reset() noexcept override {
    if (is_running()) return FIRBANK_WRONG_STATE;
    engine_.reset();
    return FIRBANK_OK;
  }

  void start() override {
    engine_.reset();  // what processed before is another stream
    engine_.start();
    engine_.stop_pulling();
    is_running_.store(true, std::memory_order_release);
  }
  void stop() noexcept override {
    is_running_.store(false, std::memory_order_release);
    engine_.stop();
  }

  firbank_status push(const void* in, std::size_t frames, std::int64_t first_frame,
                      std::int64_t timestamp_ns, firbank_pushed& pushed) noexcept override {
    const PushMarks marks{.channels = engine_.inputs(),
                          .frames = frames,
                          .first_frame = first_frame,
                          .timestamp_ns = timestamp_ns};
    const PushResult result =
        engine_.push(marks, [&](Sample* const* planes, std::size_t offset, std::size_t count) {
          from_native(parts_.in, in, engine_.inputs(), offset, count, planes);
        });
    pushed = {result.frames, result.expected_frame};
    return status_of(result.status);
  }
  bool end() noexcept override { return engine_.flush(); }

  std::unique_ptr<Reader> open_reader(ReaderPolicy policy) override {
    return std::make_unique<TypedReader<Sample>>(engine_.open_reader(policy), parts_.out, counts_);
  }

  std::uint64_t swap(const FilterBank& bank, std::int64_t at_frame,
                     std::size_t crossfade_frames) override {
    const std::uint64_t ticket = engine_.swap(bank, at_frame, crossfade_frames);
    parts_.bank = bank;
    return ticket;
  }
  void set_bad_channel(std::size_t input, bool bad) noexcept override {
    engine_.set_bad_channel(input, bad);
  }
  std::optional<std::int64_t> live_frame(std::uint64_t ticket) const noexcept override {
    return engine_.live_frame(ticket);
  }

  firbank_stats stats() const noexcept override {
    const Stats stats = engine_.stats();
    return {.struct_size = sizeof(firbank_stats),
            .frames = stats.frames,
            .gaps = stats.gaps,
            .gap_frames = stats.gap_frames,
            .first_gap_frame = stats.first_gap_frame,
            .backward_jumps = stats.backward_jumps,
            .first_backward_frame = stats.first_backward_frame,
            .spoiled_frames = stats.spoiled_frames,
            .first_spoiled_frame = stats.first_spoiled_frame,
            .lost_frames = stats.lost_frames,
            .first_lost_frame = stats.first_lost_frame,
            .limited_samples = counts_.limited_samples.count(),
            .swaps = stats.swaps,
            .missed_frames = counts_.missed_frames.count(),
            .first_limited_frame = counts_.limited_samples.first_frame(),
            .first_missed_frame = counts_.missed_frames.first_frame()};
  }

  std::size_t max_frames() const noexcept override { return engine_.max_frames(); }
  std::size_t latency_frames() const noexcept override { return engine_.latency_frames(); }
  std::size_t tail_frames() const noexcept override { return engine_.tail_frames(); }
  const std::string& backend() const noexcept override { return engine_.backend(); }

 private:
  struct Planes {
    Planes(std::size_t channels, std::size_t frames)
        : samples(channels * frames), planes(channels) {
      for (std::size_t channel = 0; channel < channels; ++channel) {
        planes[channel] = samples.data() + channel * frames;
      }
    }
    std::vector<Sample> samples;
    std::vector<Sample*> planes;
  };

  /// Frames [first, first + frames) of what the caller gets; the first one's index is `position`.
  void give(void* out, std::size_t first, std::size_t frames, std::int64_t position) noexcept {
    counts_.limited_samples.add(
        to_native(parts_.out, out_.planes.data(), engine_.outputs(), first, frames, out), position);
  }

  void silence(void* out, std::size_t frames) noexcept {
    for (Sample* plane : out_.planes) std::fill_n(plane, engine_.max_frames(), Sample{0});
    for (std::size_t first = 0; first < frames; first += engine_.max_frames()) {
      give(out, first, std::min(frames - first, engine_.max_frames()), engine_.position());
    }
  }

  Counts counts_;
  BasicEngine<Sample> engine_;
  Planes in_;
  Planes out_;
};

}  // namespace

Stream::Stream(StreamParts parts)
    : parts_(std::move(parts)),
      output_names_(parts_.output_names.empty() ? names_of_outputs(parts_) : parts_.output_names) {}

std::unique_ptr<Stream> make_stream(StreamParts parts) {
  parts.in.check("in");
  parts.out.check("out");
  if (parts.in_double) return std::make_unique<TypedStream<double>>(std::move(parts));
  return std::make_unique<TypedStream<float>>(std::move(parts));
}

}  // namespace firbank::capi
