// Reading: one thing that can cost latency on a machine, as it is here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "demos/firbank/doctor/trial.hpp"

namespace firbank::program {

enum class ReadingState : std::uint8_t {
  kGood,     // it costs nothing
  kCosts,    // it costs latency, or may, and `advice` says what helps
  kUnknown,  // it cannot be read, or not judged
  kAbsent,   // there is no such thing on this machine
};

struct Reading {
  Reading(std::string for_programs, std::string for_people)
      : name(std::move(for_programs)), title(std::move(for_people)) {}

  std::string name;   // for programs: "idle_states"
  std::string title;  // for people: "idle states"
  std::string text = "it cannot be read here";
  ReadingState state = ReadingState::kUnknown;
  std::string advice;          // what to change, by which command, and what that costs; or empty
  std::optional<Trial> trial;  // what the change was worth, where it could be tried

  Reading good(std::string read) && { return std::move(*this).with(ReadingState::kGood, read); }
  Reading absent(std::string read) && { return std::move(*this).with(ReadingState::kAbsent, read); }
  Reading unknown(std::string read) && {
    return std::move(*this).with(ReadingState::kUnknown, read);
  }
  Reading costs(std::string read, std::string change) && {
    advice = std::move(change);
    return std::move(*this).with(ReadingState::kCosts, read);
  }

 private:
  Reading with(ReadingState now, std::string& read) && {
    state = now;
    text = std::move(read);
    return std::move(*this);
  }
};

}  // namespace firbank::program
