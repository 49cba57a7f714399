// ServeFileNames: the names of recordings; none is given twice, and no file that exists is lost.
//
// Thread: any.
#pragma once

#include <mutex>
#include <set>
#include <string>

namespace firbank::program {

class ServeFileNames {
 public:
  /// `path`, or with the first number that is free: "take.wav", "take-2.wav". A device or a pipe is
  /// what it is. Throws: Error (kOutput) when no number is free.
  std::string take(const std::string& path);

 private:
  bool is_free(const std::string& path) const;

  std::mutex mutex_;
  std::set<std::string> given_;
};

}  // namespace firbank::program
