// ServeSettings: what the table [serve] of a configuration says: where a stream of packets comes
// from, what is done with it besides the filters, and where it goes. README.md in this folder has
// every key.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/config.hpp"
#include "engine/stages/common_reference.hpp"
#include "engine/stages/envelope.hpp"
#include "engine/stages/event_detector.hpp"

namespace firbank {

/// A way for packets: "tcp://HOST:PORT", "shm:NAME", "zmq:ENDPOINT", "-", or a file.
struct PacketWay {
  enum class Kind { kStandardStream, kTcp, kSharedMemory, kZeromq, kFile };
  Kind kind = Kind::kStandardStream;
  std::string name = "-";       // without the scheme; of a file its path
  bool connects = false;        // of kTcp and kZeromq: to who waits there, instead of waiting
  std::string topic = {};       // of kZeromq
  std::size_t queue_bytes = 0;  // of an output of kTcp that waits, for each receiver; 0: for 2 s
  bool group_may_read = false;  // of an output of kSharedMemory
  bool any_owner = false;       // of an input of kSharedMemory
  std::string place = {};       // in the configuration, for messages
};

enum class ServedKind {
  kRaw,       // the input as it came, without what is lost
  kFiltered,  // behind filters, envelope and decimation
  kEvents,    // one row an event
};

struct ServeOutput {
  ServedKind kind = ServedKind::kFiltered;
  PacketWay to;
};

struct ServeEnvelope {
  EnvelopeKind kind = EnvelopeKind::kRms;
  double seconds = 0;      // of its window
  std::string place = {};  // of that in the configuration, for messages
};

struct ServeEvents {
  std::optional<double> level;  // in the stream's unit, or ...
  double sigmas = 5;            // ... times the noise of the channel
  Crossing crossing = Crossing::kFall;
  double refractory_seconds = 0.001;
  double peak_seconds = 0;  // how long the peak is looked for
};

struct ServeSettings {
  PacketWay input;
  bool once = false;        // ends with the first stream
  double idle_seconds = 5;  // of silence, after which another sender may take over; 0: never
  std::string unit;         // of the samples, for those who read outputs; empty: not told
  GapPolicy gaps = GapPolicy::kZero;
  std::vector<std::size_t> bad_channels;
  std::optional<ReferenceKind> reference;
  std::vector<std::vector<std::size_t>> reference_groups;  // of inputs; empty: one of all
  /// Magnitude up to which samples count in it; else of integers nearly all.
  std::optional<double> reference_largest;
  std::optional<ServeEnvelope> envelope;
  std::size_t decimate = 1;
  std::optional<ServeEvents> events;
  std::vector<ServeOutput> outputs;
};

}  // namespace firbank
