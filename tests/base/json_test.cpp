#include "base/json.h"

#include <gmock/gmock.h>

namespace moviechat {
namespace {

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Json, IsReadUpToItsDeepestLevel) {
  EXPECT_TRUE(parse_json(nested(kDeepestJson)).is_array());
  EXPECT_TRUE(parse_json(nested(kDeepestJson + 1)).is_discarded());
  EXPECT_EQ(json_fault(nested(kDeepestJson + 1)),
            "is JSON of more than 100 levels; expected fewer");
  EXPECT_EQ(json_fault("{"), "is not valid JSON");
}

TEST(Json, AMillionLevelsDoNoHarm) {
  for (const std::string& text :
       {nested(1'000'000), std::string(1'000'000, '['), "{\"a\": " + nested(1'000'000) + "}"}) {
    EXPECT_TRUE(parse_json(text).is_discarded());
    EXPECT_TRUE(parse_json<nlohmann::ordered_json>(text).is_discarded());
  }
}

TEST(Json, BracketsInTextAreNoLevels) {
  const std::string text = "[\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') + "\"]";
  EXPECT_TRUE(parse_json(text).is_array());
  std::string row = "[";
  for (int i = 0; i < 1000; ++i) row += "[{}],";
  EXPECT_EQ(parse_json(row + "0]").size(), 1001U);
}

TEST(Json, AFaultIsSaidWithoutTheLibrarysCodes) {
  try {
    parse_json("{}").at("pred");
    FAIL();
  } catch (const nlohmann::json::exception& error) {
    EXPECT_EQ(json_fault(error), "key 'pred' not found");
  }
}

}  // namespace
}  // namespace moviechat
