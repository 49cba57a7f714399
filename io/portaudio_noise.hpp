// What PortAudio's host APIs print by themselves, kept off standard error.
#pragma once

namespace firbank {

/// ALSA and JACK tell every device that is not there on standard error, whoever asked. Both take a
/// function to tell it to instead, and get one that keeps silent: what matters comes as an error
/// from PortAudio as well. To be called before and after PortAudio is initialised, as JACK's is set
/// back then. A library that is not loaded is left alone.
/// Thread: one at a time.
void silence_host_apis() noexcept;

}  // namespace firbank
