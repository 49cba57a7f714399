// MonitoredRun: what a monitor shows of a run, and which changes the run takes. The server behind
// the page knows nothing else of it, so that every kind of run has a page of its own and all of
// them one way there.
//
// Thread:   any, several at once.
// Realtime: no; a run must never wait for who looks at it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace firbank::program {

struct PageFile {
  std::string_view path;  // "/" for the page itself
  std::string_view content_type;
  std::string_view bytes;
};

/// One who watches a run: what it is told depends on what it was told before.
/// Thread: one at a time.
class RunWatcher {
 public:
  virtual ~RunWatcher() = default;

  /// One event of /api/events: what is new.
  virtual nlohmann::ordered_json moment() = 0;
};

class MonitoredRun {
 public:
  virtual ~MonitoredRun() = default;

  /// The page and what it loads. The bytes outlive the run.
  virtual std::span<const PageFile> page() const = 0;

  /// The paths of the changes that it takes, of those that parse_body() knows.
  virtual std::span<const std::string_view> changes() const = 0;

  /// /api/state: what it consists of, and how its controls stand.
  virtual nlohmann::ordered_json state() = 0;

  /// /api/stats: what was counted and measured so far.
  virtual nlohmann::ordered_json stats() = 0;

  /// /metrics: the counts as Prometheus reads them.
  virtual std::string metrics() = 0;

  /// Somebody watches from now on. `query` is what a request for /api/events has behind its '?'.
  /// Throws: Error (kInput), one line, when it asks for what there is not.
  virtual std::unique_ptr<RunWatcher> watch(std::string_view query) = 0;
};

}  // namespace firbank::program
