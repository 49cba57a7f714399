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
  Plane added{base + view.offset(units, unit, plane) * bytes, view.type, view.frame_stride, 1};
  // The run that it goes on, if it does, is counted from each of its planes.
  std::size_t first = planes_.size();
  while (first > 0) {
    const Plane& before = planes_[first - 1];
    const auto places = static_cast<std::ptrdiff_t>(planes_.size() - (first - 1));
    if (before.type != added.type || before.stride != added.stride || added.stride == 1 ||
        before.base + places * bytes != added.base) {
      break;
    }
    --first;
  }
  for (std::size_t p = first; p < planes_.size(); ++p) ++planes_[p].adjacent;
  planes_.push_back(added);
  if (moved_.size() < planes_.size()) moved_.resize(planes_.size());
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
  for (std::size_t p = 0; p < planes_.size(); p += planes_[p].adjacent) {
    const Plane& plane = planes_[p];
    if (plane.adjacent == 1) {
      copy_.gather(element(plane, frame), plane.type, plane.stride, to[p] + before, count);
      continue;
    }
    for (std::size_t c = 0; c < plane.adjacent; ++c) moved_[c] = to[p + c] + before;
    copy_.gather_frames(element(plane, frame), plane.type, plane.stride, plane.adjacent,
                        moved_.data(), count);
  }
}

template <class Sample>
void ArrayPlanes<Sample>::write(std::uint64_t first, std::size_t frames, std::size_t plane,
                                std::size_t count, const Sample* const* from) noexcept {
  for (std::size_t p = plane; p < plane + count;) {
    const Plane& to = planes_[p];
    const std::size_t together = std::min(to.adjacent, plane + count - p);
    if (together == 1) {
      copy_.scatter(from[p], element(to, first), to.type, to.stride, frames);
    } else {
      copy_.scatter_frames(from + p, together, element(to, first), to.type, to.stride, frames,
                           streaming_);
    }
    p += together;
  }
}

template class ArrayPlanes<float>;
template class ArrayPlanes<double>;

}  // namespace firbank
