#include "io/portaudio_jack.hpp"

#include <chrono>

#include <dlfcn.h>

namespace firbank {
namespace {

using ShutdownHandler = void (*)(void* argument);

// PortAudio has one JACK client at most, while it is initialised.
std::atomic<ShutdownHandler> shutdown_handler{nullptr};
std::atomic<void*> shutdown_argument{nullptr};
std::atomic<bool> server_gone{false};

void tell_portaudio() {
  const ShutdownHandler handler = shutdown_handler;
  if (handler != nullptr) handler(shutdown_argument);
}

void on_shutdown(void* /*argument*/) {
  server_gone = true;
  tell_portaudio();
}

template <class Result, class... Arguments>
auto jack_function(const char* name) {
  return reinterpret_cast<Result (*)(Arguments...)>(dlsym(RTLD_NEXT, name));
}

}  // namespace

LostJackReminder::LostJackReminder() {
  if (!server_gone) return;
  thread_ = std::thread([this] {
    while (!stop_) {
      tell_portaudio();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
}

LostJackReminder::~LostJackReminder() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace firbank

// Types that firbank need not know: pointers to JACK's clients and ports. What PortAudio asserts
// always succeeds: where the server has gone there is nothing left to undo.
extern "C" {

void jack_on_shutdown(void* client, firbank::ShutdownHandler handler, void* argument) {
  firbank::shutdown_argument = argument;
  firbank::shutdown_handler = handler;
  firbank::server_gone = false;
  const auto set =
      firbank::jack_function<void, void*, firbank::ShutdownHandler, void*>("jack_on_shutdown");
  if (set != nullptr) set(client, firbank::on_shutdown, nullptr);
}

int jack_port_unregister(void* client, void* port) {
  const auto unregister = firbank::jack_function<int, void*, void*>("jack_port_unregister");
  if (unregister != nullptr) unregister(client, port);
  return 0;
}

int jack_deactivate(void* client) {
  const auto deactivate = firbank::jack_function<int, void*>("jack_deactivate");
  if (deactivate != nullptr) deactivate(client);
  return 0;
}

int jack_client_close(void* client) {
  firbank::shutdown_handler = nullptr;
  const auto close = firbank::jack_function<int, void*>("jack_client_close");
  if (close != nullptr) close(client);
  return 0;
}

}  // extern "C"
