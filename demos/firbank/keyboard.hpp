// Keyboard: single keys from a terminal, without waiting for the end of a line.
//
// While it lives the terminal neither echoes nor collects lines; Ctrl-C stays a signal. Standard
// input that is no terminal is read only when it is asked for.
//
// Thread: one at a time.
#pragma once

#include <optional>

#include <termios.h>

namespace firbank::program {

class Keyboard {
 public:
  /// `from_anything`: keys also from a pipe or a file.
  explicit Keyboard(bool from_anything);
  ~Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  bool is_read() const noexcept { return reading_; }

  /// Waits up to `timeout_ms` for a key; nothing when none came, a signal did, or the input ended.
  std::optional<char> wait(int timeout_ms) noexcept;

 private:
  bool reading_ = false;
  std::optional<termios> before_;  // of a terminal
};

}  // namespace firbank::program
