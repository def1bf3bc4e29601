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

enum class Shape { star, moon };

struct Sight {
  std::string name;
  Shape shape = Shape::star;
  std::optional<double> size;
  std::optional<Seconds> time;
  std::optional<std::string> note;
  std::vector<int64_t> frames;
};
template <class Visitor>
void visit_fields(Sight& o, Visitor& field) {
  field("name", o.name);
  field("shape", o.shape);
  field("size", o.size);
  field("time", o.time);
  field.if_any("note", o.note);
  field("frames", o.frames);
}

}  // namespace

template <>
struct EnumNames<Shape> {
  static constexpr std::array values{std::pair{std::string_view("star"), Shape::star},
                                     std::pair{std::string_view("moon"), Shape::moon}};
};

namespace {

TEST(JsonFields, AreWrittenInTheirOrderAndReadBack) {
  const std::vector<Sight> sights = {{"a", Shape::moon, 0.5, Seconds(2), "far", {1, 2}},
                                     {"b", Shape::star, {}, {}, {}, {}}};
  const nlohmann::ordered_json json = sights;
  EXPECT_EQ(json.dump(),
            R"([{"name":"a","shape":"moon","size":0.5,"time":2.0,"note":"far","frames":[1,2]},)"
            R"({"name":"b","shape":"star","size":null,"time":null,"frames":[]}])");
  const auto back = json.get<std::vector<Sight>>();
  EXPECT_EQ(nlohmann::ordered_json(back), json);
  EXPECT_EQ(back[0].time, Seconds(2));
  EXPECT_FALSE(back[1].size);
}

TEST(JsonFields, ThatAreMissingOrOfAnotherTypeAreRefused) {
  const auto read = [](const char* text) { return nlohmann::json::parse(text).get<Sight>(); };
  EXPECT_NO_THROW(read(R"({"name": "a", "shape": "star", "frames": []})"));
  EXPECT_THROW(read(R"({"name": "a", "shape": "star"})"), nlohmann::json::out_of_range);
  EXPECT_THROW(read(R"({"name": 1, "shape": "star", "frames": []})"), nlohmann::json::type_error);
  EXPECT_THROW(read(R"({"name": "a", "shape": "sun", "frames": []})"), InputError);
}

}  // namespace
}  // namespace moviechat
