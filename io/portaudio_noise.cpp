#include "io/portaudio_noise.hpp"

#include <initializer_list>

#include <dlfcn.h>

namespace firbank {
namespace {

using AlsaHandler = void (*)(const char* file, int line, const char* function, int error,
                             const char* format, ...);
using JackHandler = void (*)(const char* message);

// What ALSA calls with any number of arguments can have no other form.
// NOLINTNEXTLINE(cert-dcl50-cpp)
void ignore_alsa(const char* /*file*/, int /*line*/, const char* /*function*/, int /*error*/,
                 const char* /*format*/, ...) {}
void ignore_jack(const char* /*message*/) {}

/// A function of a library that PortAudio may have loaded; firbank links with neither of them.
template <class Function>
Function find(const char* name) noexcept {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

void silence_host_apis() noexcept {
  if (auto* set = find<int (*)(AlsaHandler)>("snd_lib_error_set_handler")) set(ignore_alsa);
  for (const char* name : {"jack_set_error_function", "jack_set_info_function"}) {
    if (auto* set = find<void (*)(JackHandler)>(name)) set(ignore_jack);
  }
}

}  // namespace firbank
