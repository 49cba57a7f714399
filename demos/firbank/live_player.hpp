// LivePlayer: between the device's callback and the session.
#pragma once

#include <cstddef>

#include "engine/live_session.hpp"
#include "io/portaudio_device.hpp"
#include "io/stream_recorder.hpp"

namespace firbank::program {

class LivePlayer final : public AudioProcessor {
 public:
  /// `recorder` may be null.
  LivePlayer(LiveSession& session, StreamRecorder* recorder)
      : session_(session), recorder_(recorder) {}

  void process(const float* const* in, float* const* out, std::size_t frames,
               const AudioGlitches& glitches) noexcept override {
    session_.note_glitch({glitches.input_overflow, glitches.input_underflow,
                          glitches.output_underflow, glitches.output_overflow});
    session_.process(in, out, frames);
    if (recorder_ != nullptr) {
      recorder_->offer(in, session_.inputs(), out, session_.outputs(), frames);
    }
  }

 private:
  LiveSession& session_;
  StreamRecorder* recorder_;
};

}  // namespace firbank::program
