#include "engine/routing.hpp"

#include <functional>
#include <limits>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using Triple = std::tuple<std::size_t, std::size_t, std::size_t>;

std::vector<Triple> triples(const Routing& routing) {
  std::vector<Triple> result;
  for (const Edge& edge : routing.edges()) {
    EXPECT_EQ(edge.gain, 1.0);
    EXPECT_EQ(edge.delay, 0u);
    result.emplace_back(edge.input, edge.filter, edge.output);
  }
  return result;
}

std::string refusal(const std::function<Routing()>& make) {
  try {
    make();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kConfiguration);
    return error.what();
  }
  return "accepted";
}

TEST(Routing, RowsPairChannelsWithFilters) {
  const Routing routing = Routing::rows(3, 3);
  EXPECT_EQ(routing.inputs(), 3u);
  EXPECT_EQ(routing.outputs(), 3u);
  EXPECT_THAT(triples(routing), ElementsAre(Triple{0, 0, 0}, Triple{1, 1, 1}, Triple{2, 2, 2}));
}

TEST(Routing, RowsShareASingleFilter) {
  EXPECT_THAT(triples(Routing::rows(2, 1)), ElementsAre(Triple{0, 0, 0}, Triple{1, 0, 1}));
}

TEST(Routing, BankPutsFiltersOfAChannelSideBySide) {
  const Routing routing = Routing::bank(2, 2);
  EXPECT_EQ(routing.inputs(), 2u);
  EXPECT_EQ(routing.outputs(), 4u);
  EXPECT_THAT(triples(routing),
              ElementsAre(Triple{0, 0, 0}, Triple{0, 1, 1}, Triple{1, 0, 2}, Triple{1, 1, 3}));
}

TEST(Routing, MatrixSumsOverInputs) {
  const Routing routing = Routing::matrix(2, 3, 6);
  EXPECT_EQ(routing.inputs(), 2u);
  EXPECT_EQ(routing.outputs(), 3u);
  EXPECT_THAT(triples(routing), ElementsAre(Triple{0, 0, 0}, Triple{0, 1, 1}, Triple{0, 2, 2},
                                            Triple{1, 3, 0}, Triple{1, 4, 1}, Triple{1, 5, 2}));
}

TEST(Routing, KnowsItsLongestDelay) {
  EXPECT_EQ(Routing(1, 1, {}).max_delay(), 0u);
  EXPECT_EQ(Routing(1, 2, {{.delay = 5}, {.output = 1, .delay = 9}, {.delay = 1}}).max_delay(), 9u);
}

TEST(Routing, KnowsWhetherAnOutputHasSeveralEdges) {
  EXPECT_TRUE(Routing(1, 1, {}).has_single_edges());
  EXPECT_TRUE(Routing::rows(3, 3).has_single_edges());
  EXPECT_TRUE(Routing::bank(2, 3).has_single_edges());
  EXPECT_TRUE(Routing(2, 3, {{.input = 1, .output = 2}, {.input = 1}}).has_single_edges());
  EXPECT_FALSE(Routing::matrix(2, 1, 2).has_single_edges());
  EXPECT_FALSE(Routing(1, 2, {{.output = 1}, {}, {.output = 1}}).has_single_edges());
}

TEST(Routing, RefusesWhatDoesNotFit) {
  EXPECT_THAT(refusal([] { return Routing(0, 1, {}); }), HasSubstr("0 inputs"));
  EXPECT_THAT(refusal([] { return Routing(1, 0, {}); }), HasSubstr("0 outputs"));
  EXPECT_THAT(refusal([] {
                return Routing(2, 1, {{}, {.input = 2}});
              }),
              AllOf(HasSubstr("edge 1"), HasSubstr("input 2"), HasSubstr("0 to 1")));
  EXPECT_THAT(refusal([] { return Routing(2, 3, {{.output = 7}}); }),
              AllOf(HasSubstr("edge 0"), HasSubstr("output 7"), HasSubstr("0 to 2")));
  EXPECT_THAT(
      refusal([] { return Routing(1, 1, {{.gain = std::numeric_limits<double>::infinity()}}); }),
      AllOf(HasSubstr("edge 0"), HasSubstr("gain"), HasSubstr("inf")));
  EXPECT_THAT(refusal([] { return Routing::rows(2, 3); }),
              AllOf(HasSubstr("rows"), HasSubstr("3 filters"), HasSubstr("2 channels")));
  EXPECT_THAT(refusal([] { return Routing::rows(2, 0); }), HasSubstr("0 filters"));
  EXPECT_THAT(refusal([] { return Routing::bank(2, 0); }), HasSubstr("0 filters"));
  EXPECT_THAT(refusal([] { return Routing::matrix(2, 3, 5); }),
              AllOf(HasSubstr("matrix"), HasSubstr("5 filters"), HasSubstr("6")));
  // A product that would be 2 in 64 bits.
  const std::size_t half = std::numeric_limits<std::size_t>::max() / 2 + 1;
  EXPECT_THAT(refusal([half] { return Routing::matrix(2, half + 1, 2); }),
              AllOf(HasSubstr("2 filters"), HasSubstr("more than there can be")));
}

}  // namespace
}  // namespace firbank
