#include "demos/firbank/keyboard.hpp"

#include <poll.h>
#include <unistd.h>

namespace firbank::program {

Keyboard::Keyboard(bool from_anything) {
  reading_ = from_anything;
  termios settings{};
  // A program in the background may not touch the terminal: it would be stopped.
  if (isatty(STDIN_FILENO) != 1 || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
      tcgetattr(STDIN_FILENO, &settings) != 0) {
    return;
  }
  before_ = settings;
  settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  reading_ = tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0;
}

Keyboard::~Keyboard() {
  if (before_) tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
}

std::optional<char> Keyboard::wait(int timeout_ms) noexcept {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  const int ready = poll(&input, reading_ ? 1 : 0, timeout_ms);
  if (ready <= 0) return std::nullopt;
  char key = 0;
  if (read(STDIN_FILENO, &key, 1) == 1) return key;
  reading_ = false;
  return std::nullopt;
}

}  // namespace firbank::program
