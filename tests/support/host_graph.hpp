// HostGraph: a graph of kernel calls on the host: which may run at the same time, and in which
// orders.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/cuda/device_api.h"

namespace firbank::test {

class HostGraph {
 public:
  /// Copies all that the calls point to. Each comes after such only as are before it in the list.
  HostGraph(const firbank_kernel_call* calls, std::size_t count);

  std::size_t size() const { return nodes_.size(); }
  const firbank_kernel_call& call(std::size_t number) const { return nodes_[number].call; }

  /// Whether a path of edges leads from call `earlier` to call `later`.
  bool leads(std::size_t earlier, std::size_t later) const {
    return nodes_[later].waits_for[earlier];
  }
  /// Whether nothing keeps two calls from running at the same time.
  bool side_by_side(std::size_t a, std::size_t b) const {
    return a != b && !leads(a, b) && !leads(b, a);
  }
  /// Whether no other call runs at the same time.
  bool runs_alone(std::size_t number) const;

  /// All calls, each after those that it waits for, in an order drawn with `seed`.
  std::vector<std::size_t> order(std::uint64_t seed) const;

 private:
  struct Node {
    firbank_kernel_call call;  // its pointers are to what follows
    std::unique_ptr<std::byte[]> params;
    std::vector<std::uint32_t> after;
    std::vector<bool> waits_for;  // of each call, at the end of a path or at once
  };
  std::vector<Node> nodes_;
};

}  // namespace firbank::test
