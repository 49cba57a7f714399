#include "engine/offline/array_planes.hpp"

#include <algorithm>

namespace firbank {
namespace {

template <class Sample>
constexpr ElementType element_type_of() {
  return sizeof(Sample) == sizeof(float) ? ElementType::kFloat32 : ElementType::kFloat64;
}

}  // namespace

template <class Sample>
void ArrayPlanes<Sample>::clear() noexcept {
  planes_.clear();
}

template <class Sample>
void ArrayPlanes<Sample>::add(const ArrayView& view, const std::vector<std::size_t>& units,
                              std::size_t unit, std::size_t plane) {
  const auto bytes = static_cast<std::ptrdiff_t>(element_bytes(view.type));
  // An output's view is written through; ArrayView says so.
  auto* const base = static_cast<std::byte*>(const_cast<void*>(view.base));
  Plane added{base + view.offset(units, unit, plane) * bytes, view.type, view.frame_stride,
              planes_.size()};
  if (!planes_.empty() && added.stride != 1) {
    const Plane& before = planes_.back();
    const bool goes_on = before.type == added.type && before.stride == added.stride &&
                         before.base + bytes == added.base;
    if (goes_on) added.first = before.first;
  }
  planes_.push_back(added);
  if (moved_.size() < planes_.size()) moved_.resize(planes_.size());
}

template <class Sample>
std::size_t ArrayPlanes<Sample>::adjacent(std::size_t plane) const noexcept {
  const auto behind = std::find_if(
      planes_.begin() + static_cast<std::ptrdiff_t>(plane), planes_.end(),
      [first = planes_[plane].first](const Plane& other) { return other.first != first; });
  return static_cast<std::size_t>(behind - planes_.begin()) - plane;
}

template <class Sample>
bool ArrayPlanes<Sample>::is_plain(std::size_t plane) const noexcept {
  const Plane& of = planes_[plane];
  return of.type == element_type_of<Sample>() && of.stride == 1 &&
         reinterpret_cast<std::uintptr_t>(of.base) % alignof(Sample) == 0;
}

template <class Sample>
Sample* ArrayPlanes<Sample>::at(std::size_t plane, std::uint64_t frame) const noexcept {
  return reinterpret_cast<Sample*>(element(planes_[plane], frame));
}

template <class Sample>
std::byte* ArrayPlanes<Sample>::element(const Plane& plane, std::uint64_t frame) const noexcept {
  const auto bytes = static_cast<std::ptrdiff_t>(element_bytes(plane.type));
  return plane.base + static_cast<std::ptrdiff_t>(frame) * plane.stride * bytes;
}

template <class Sample>
void ArrayPlanes<Sample>::read(std::int64_t first, std::size_t frames, std::uint64_t length,
                               Sample* const* to) noexcept {
  const std::int64_t last = first + static_cast<std::int64_t>(frames);
  const std::int64_t from = std::clamp<std::int64_t>(0, first, last);
  const std::int64_t until =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(length), from, last);
  const auto before = static_cast<std::size_t>(from - first);
  const auto count = static_cast<std::size_t>(until - from);
  for (std::size_t p = 0; p < planes_.size(); ++p) {
    std::fill_n(to[p], before, Sample{0});
    std::fill(to[p] + before + count, to[p] + frames, Sample{0});
  }
  if (count == 0) return;
  const auto frame = static_cast<std::uint64_t>(from);
  for (std::size_t p = 0; p < planes_.size();) {
    const Plane& plane = planes_[p];
    const std::size_t together = adjacent(p);
    if (together == 1) {
      copy_.gather(element(plane, frame), plane.type, plane.stride, to[p] + before, count);
    } else {
      for (std::size_t c = 0; c < together; ++c) moved_[c] = to[p + c] + before;
      copy_.gather_frames(element(plane, frame), plane.type, plane.stride, together, moved_.data(),
                          count);
    }
    p += together;
  }
}

template <class Sample>
void ArrayPlanes<Sample>::write(std::uint64_t first, std::size_t frames, std::size_t plane,
                                std::size_t count, const Sample* const* from) noexcept {
  for (std::size_t p = plane; p < plane + count;) {
    const Plane& to = planes_[p];
    const std::size_t together = std::min(adjacent(p), plane + count - p);
    if (together == 1) {
      copy_.scatter(from[p], element(to, first), to.type, to.stride, frames);
    } else {
      copy_.scatter_frames(from + p, together, element(to, first), to.type, to.stride, frames,
                           past_caches_);
    }
    p += together;
  }
}

template class ArrayPlanes<float>;
template class ArrayPlanes<double>;

}  // namespace firbank
