#include "unclip/base/config.h"

#include <gmock/gmock.h>

namespace unclip {
enum class Colour { red, green };
template <>
struct EnumNames<Colour> {
  static constexpr std::array<std::pair<Colour, std::string_view>, 2> value{
      {{Colour::red, "red"}, {Colour::green, "green"}}};
};

namespace {

using ::testing::HasSubstr;

struct Inner {
  int64_t depth = 3;
  static void fields(auto& self, auto&& field) { field("depth", self.depth, "blocks"); }
};

struct Outer {
  int64_t width = 64;
  double rate = 0.5;
  bool flag = false;
  std::string name = "x";
  std::vector<int64_t> levels{1, 2};
  std::optional<double> clamp;
  Colour colour = Colour::red;
  Inner inner;
  static void fields(auto& self, auto&& field) {
    field("width", self.width, "residual width");
    field("rate", self.rate, "a rate");
    field("flag", self.flag, "a flag");
    field("name", self.name, "a name");
    field("levels", self.levels, "a list");
    field("clamp", self.clamp, "an optional number");
    field("colour", self.colour, "an enum");
    field("inner", self.inner, "nested");
  }
};

std::string error_of(const std::string& json) {
  try {
    config_from_json<Outer>(json, "config.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    return error.what();
  }
  return "no error";
}

TEST(Config, RoundTripsThroughJson) {
  Outer config;
  config.width = 7;
  config.clamp = 1.5;
  config.colour = Colour::green;
  config.inner.depth = 9;
  config.levels = {4, 5, 6};
  const auto read = config_from_json<Outer>(config_to_json(config), "text");
  EXPECT_EQ(config_to_json(read), config_to_json(config));
  EXPECT_EQ(read.inner.depth, 9);
  EXPECT_EQ(read.colour, Colour::green);
}

TEST(Config, NamesWhatIsWrong) {
  EXPECT_THAT(error_of(R"({"widht": 3})"),
              HasSubstr("config.json: unknown setting 'widht', did you mean 'width'?"));
  EXPECT_THAT(error_of(R"({"width": "wide"})"), HasSubstr("'width'"));
  EXPECT_THAT(error_of(R"({"width": 1.5})"), HasSubstr("whole number"));
  EXPECT_THAT(error_of(R"({"colour": "blue"})"), HasSubstr("expected one of: red, green"));
  EXPECT_THAT(error_of(R"({"inner": {"deep": 1}})"), HasSubstr("'inner'"));
  EXPECT_THAT(error_of(R"({"inner": 4})"), HasSubstr("JSON object"));
  EXPECT_THAT(error_of(R"({"width": 3, "width": 4})"), HasSubstr("config.json: 'width' appears twice"));
  EXPECT_THAT(error_of(R"({"inner": {"depth": 1, "depth": 2}})"), HasSubstr("'depth' appears twice"));
  EXPECT_THAT(error_of("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(error_of(std::string(100000, '[')), HasSubstr("config.json"));
}

TEST(Config, SetsFieldsByName) {
  Outer config;
  const auto fields = fields_of(config);
  set_field(fields, "inner.depth", "12");
  set_field(fields, "levels", "3,4");
  set_field(fields, "clamp", "0.25");
  set_field(fields, "colour", "green");
  set_field(fields, "name", "a,b");
  EXPECT_EQ(config.inner.depth, 12);
  EXPECT_EQ(config.levels, (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(config.clamp, 0.25);
  EXPECT_EQ(config.colour, Colour::green);
  EXPECT_EQ(config.name, "a,b");
  EXPECT_THROW(set_field(fields, "inner", "1"), Error);
  EXPECT_THROW(set_field(fields, "width.x", "1"), Error);
  EXPECT_THROW(set_field(fields, "width", "{"), Error);
}

}  // namespace
}  // namespace unclip
