#include "demos/firbank/monitor/request_body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.hpp"

namespace firbank::program {
namespace {

using testing::HasSubstr;

TEST(RequestBody, BecomesARequest) {
  EXPECT_EQ(std::get<Choose>(parse_body("/api/choice", R"({"choice": 2})")).index, 1u);
  const auto named = std::get<Choose>(parse_body("/api/choice", R"({"choice": "a \u00e9.wav"})"));
  EXPECT_FALSE(named.index);
  EXPECT_EQ(named.name, "a \xc3\xa9.wav");
  EXPECT_EQ(std::get<SetGain>(parse_body("/api/gain", R"({"gain_db": -3.5})")).gain_db, -3.5);
  EXPECT_EQ(std::get<SetGain>(parse_body("/api/gain", R"( {"gain_db":60} )")).gain_db, 60);
  EXPECT_TRUE(std::get<SetBypass>(parse_body("/api/bypass", R"({"bypass": true})")).on);
  EXPECT_FALSE(std::get<SetLimiter>(parse_body("/api/limiter", R"({"limiter": false})")).on);
  EXPECT_EQ(std::get<SetBackend>(parse_body("/api/backend", R"({"backend": "cuda:0"})")).name,
            "cuda:0");
  const auto mark = std::get<MarkBad>(parse_body("/api/bad", R"({"channel": 3, "bad": true})"));
  EXPECT_EQ(mark.channel, 3u);
  EXPECT_TRUE(mark.bad);
  const auto good = std::get<MarkBad>(parse_body("/api/bad", R"({"bad": false, "channel": "x"})"));
  EXPECT_FALSE(good.channel);
  EXPECT_EQ(good.name, "x");
  EXPECT_FALSE(good.bad);
}

TEST(RequestBody, KnowsItsPaths) {
  EXPECT_TRUE(takes_body("/api/gain"));
  for (const char* path : {"/api/state", "/api/gain/", "/api/", "/", ""}) {
    EXPECT_FALSE(takes_body(path)) << path;
  }
}

std::string refusal(const char* path, const std::string& body) {
  try {
    parse_body(path, body);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "not refused";
}

TEST(RequestBody, IsRefusedByWhatIsWrong) {
  EXPECT_THAT(refusal("/api/gain", ""), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("/api/gain", "{\"gain_db\":\n"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("/api/gain", "{\"gain_db\": NaN}"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("/api/gain", "{\"gain_db\": 1e999}"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("/api/gain", "\xff\xfe"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("/api/gain", std::string(3'000, '[')), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("/api/gain", "[1]"), HasSubstr("an object with 'gain_db'"));
  EXPECT_THAT(refusal("/api/gain", "{}"), HasSubstr("an object with 'gain_db'"));
  EXPECT_THAT(refusal("/api/gain", R"({"gain_db":1,"x":2})"), HasSubstr("'gain_db' alone"));
  EXPECT_THAT(refusal("/api/gain", R"({"gain_db":60.1})"), HasSubstr("60.1; allowed: -120 to 60"));
  EXPECT_THAT(refusal("/api/gain", R"({"gain_db":"1"})"), HasSubstr("allowed: -120 to 60"));
  EXPECT_THAT(refusal("/api/bypass", R"({"bypass":1})"), HasSubstr("true or false"));
  EXPECT_THAT(refusal("/api/limiter", R"({"limiter":null})"), HasSubstr("true or false"));
  EXPECT_THAT(refusal("/api/choice", R"({"choice":0})"), HasSubstr("from 1 on"));
  EXPECT_THAT(refusal("/api/choice", R"({"choice":-1})"), HasSubstr("from 1 on"));
  EXPECT_THAT(refusal("/api/choice", R"({"choice":1.5})"), HasSubstr("from 1 on"));
  EXPECT_THAT(refusal("/api/backend", R"({"backend":1})"), HasSubstr("1; allowed: a name"));
  EXPECT_THAT(refusal("/api/backend", R"({"choice":1})"), HasSubstr("'backend' alone"));
  EXPECT_THAT(refusal("/api/bad", R"({"channel":1})"), HasSubstr("with 'channel' and 'bad' alone"));
  EXPECT_THAT(refusal("/api/bad", R"({"channel":1,"x":true})"), HasSubstr("'channel' and 'bad'"));
  EXPECT_THAT(refusal("/api/bad", R"({"channel":-1,"bad":true})"), HasSubstr("from 0 on"));
  EXPECT_THAT(refusal("/api/bad", R"({"channel":1,"bad":1})"), HasSubstr("true or false"));
  EXPECT_THAT(refusal("/api/choice", std::string(4'097, ' ')), HasSubstr("4097 bytes"));
}

}  // namespace
}  // namespace firbank::program
