// FilterBank: an immutable list of FIR filters of any mix of lengths.
//
// Taps are kept in double precision; a backend rounds them once, to the precision it computes in.
// Immutable after construction, so any thread may read it, and copies share the taps.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace firbank {

class FilterBank {
 public:
  /// `filters[i]` holds the taps of filter i, `names[i]` (when given) what error messages call it.
  /// Throws: Error when there is no filter, a filter has no taps, or a tap is not finite.
  explicit FilterBank(std::vector<std::vector<double>> filters,
                      std::vector<std::string> names = {});

  /// The same for filters that are written out: FilterBank({{1.0}, {0.5, 0.5}}).
  FilterBank(std::initializer_list<std::vector<double>> filters)
      : FilterBank(std::vector<std::vector<double>>(filters)) {}

  // There is no moving: it would leave a bank without taps behind, and copies are cheap.
  FilterBank(const FilterBank&) = default;
  FilterBank& operator=(const FilterBank&) = default;
  ~FilterBank() = default;

  std::size_t size() const noexcept { return contents_->filters.size(); }
  std::span<const double> taps(std::size_t filter) const noexcept {
    return contents_->filters[filter];
  }
  const std::string& name(std::size_t filter) const noexcept { return contents_->names[filter]; }
  /// Taps [first, last) of every filter; one tap of zero where there are none.
  FilterBank cut(std::size_t first, std::size_t last) const;
  /// Taps that hear anything: of a filter of which cut() left nothing none, though it has a tap.
  std::size_t heard_taps(std::size_t filter) const noexcept {
    return contents_->is_cut_away[filter] ? 0 : taps(filter).size();
  }

  std::size_t longest() const noexcept { return contents_->longest; }    // taps
  std::size_t shortest() const noexcept { return contents_->shortest; }  // taps

 private:
  FilterBank(std::vector<std::vector<double>> filters, std::vector<std::string> names,
             std::vector<bool> is_cut_away);

  struct Contents {
    std::vector<std::vector<double>> filters;
    std::vector<std::string> names;
    std::vector<bool> is_cut_away;
    std::size_t longest = 0;
    std::size_t shortest = 0;
  };
  std::shared_ptr<const Contents> contents_;
};

}  // namespace firbank
