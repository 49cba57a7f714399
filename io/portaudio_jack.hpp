// What PortAudio lacks to survive the end of a JACK server: without this it waits for ten minutes
// for a server that has gone, and then ends the program by an assertion.
//
// The program's own definitions of a few of JACK's functions come before those of libjack, which
// they call (portaudio_jack.cpp): PortAudio is told what it asserts, and what it says it wants to
// be told when the server goes is kept, to be told again.
#pragma once

#include <atomic>
#include <thread>

namespace firbank {

/// While it lives, and only where the JACK server has gone, PortAudio is told so time and again,
/// so that a wait for it ends. Around Pa_AbortStream.
/// Thread: one at a time.
class LostJackReminder {
 public:
  LostJackReminder();
  ~LostJackReminder();
  LostJackReminder(const LostJackReminder&) = delete;
  LostJackReminder& operator=(const LostJackReminder&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace firbank
