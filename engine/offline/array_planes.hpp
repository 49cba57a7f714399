// ArrayPlanes: some channels of an array in memory, read into contiguous planes and written from
// them. Channels that lie side by side are moved together, which reads each cache line once.
//
// Thread:   one at a time, of each object.
// Realtime: no.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/offline/array_job.hpp"
#include "kernels/cpu/array_copy.hpp"

namespace firbank {

template <class Sample>
class ArrayPlanes {
 public:
  explicit ArrayPlanes(const ArrayCopy<Sample>& copy) : copy_(copy) {}

  void clear() noexcept;
  /// Plane `plane` of unit `unit`, behind those that were added before.
  void add(const ArrayView& view, const std::vector<std::size_t>& units, std::size_t unit,
           std::size_t plane);

  /// Whether write() may go past the caches: what is written is not read soon.
  void set_past_caches(bool past_caches) noexcept { past_caches_ = past_caches; }

  std::size_t size() const noexcept { return planes_.size(); }
  /// Whether samples may be used where they lie.
  bool is_plain(std::size_t plane) const noexcept;
  /// Of a plain plane.
  Sample* at(std::size_t plane, std::uint64_t frame) const noexcept;

  /// to[p][0..frames) = frames [first, first + frames) of plane p, those before 0 and from `length`
  /// on being zero.
  void read(std::int64_t first, std::size_t frames, std::uint64_t length,
            Sample* const* to) noexcept;
  /// Frames [first, first + frames) of planes [plane, plane + count) = from[plane][0..frames).
  void write(std::uint64_t first, std::size_t frames, std::size_t plane, std::size_t count,
             const Sample* const* from) noexcept;

 private:
  struct Plane {
    std::byte* base = nullptr;  // of frame 0
    ElementType type = ElementType::kFloat32;
    std::ptrdiff_t stride = 1;
    std::size_t first = 0;  // of those that lie side by side with this one
  };
  /// Planes from `plane` on that lie side by side.
  std::size_t adjacent(std::size_t plane) const noexcept;
  std::byte* element(const Plane& plane, std::uint64_t frame) const noexcept;

  const ArrayCopy<Sample>& copy_;
  std::vector<Plane> planes_;
  std::vector<Sample*> moved_;
  bool past_caches_ = false;
};

}  // namespace firbank
