#include "unclip/data/table.h"

#include <gmock/gmock.h>

#include <functional>

#include "support/error_of.h"

namespace unclip::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> flat(const std::vector<CaptionRow>& rows) {
  std::vector<std::string> result;
  for (const CaptionRow& row : rows) result.push_back(row.file_name + " → " + row.text);
  return result;
}

std::string error_of(const std::function<void()>& read) { return testing::error_of(ErrorKind::data, read); }

TEST(CaptionCsv, ReadsQuotesLineBreaksAndOtherColumns) {
  const auto rows = read_caption_csv(
      "\xEF\xBB\xBFid,text,file_name\r\n"
      "1,a cat,a.png\r\n"
      "2,\"red, \"\"round\"\"\nball\",\"b,c.png\"\r\n"
      "\r\n"
      "3,,d.png",
      "m.csv");
  EXPECT_THAT(flat(rows), ElementsAre("a.png → a cat", "b,c.png → red, \"round\"\nball", "d.png → "));
}

TEST(CaptionCsv, NamesTheDamagedLine) {
  EXPECT_THAT(error_of([] { read_caption_csv("", "m.csv"); }), HasSubstr("file_name"));
  EXPECT_THAT(error_of([] { read_caption_csv("file_name,caption\n", "m.csv"); }),
              HasSubstr("no column 'text'"));
  EXPECT_THAT(error_of([] { read_caption_csv("file_name,text\na,b\nc,d,e\n", "m.csv"); }),
              HasSubstr("line 3"));
  EXPECT_THAT(error_of([] { read_caption_csv("file_name,text\na,\"b\nc", "m.csv"); }), HasSubstr("line 2"));
  EXPECT_THAT(error_of([] { read_caption_csv("file_name,text\na,\"b\"c\n", "m.csv"); }), HasSubstr("line 2"));
}

TEST(CaptionJsonl, ReadsObjectsAndNamesTheDamagedLine) {
  const auto rows = read_caption_jsonl(
      "{\"file_name\": \"a.png\", \"text\": \"é\"}\n\n{\"text\": \"b\", \"file_name\": \"b\", \"x\": 1}",
      "m.jsonl");
  EXPECT_THAT(flat(rows), ElementsAre("a.png → é", "b → b"));
  for (const char* bad :
       {"{\"file_name\": \"a\"}", "[1]", "{\"file_name\": \"a\", \"text\": 1}", "nonsense"}) {
    const std::string text = "{\"file_name\": \"a\", \"text\": \"b\"}\n" + std::string(bad);
    EXPECT_THAT(error_of([&] { read_caption_jsonl(text, "m.jsonl"); }), HasSubstr("m.jsonl, line 2"));
  }
}

TEST(CaptionLines, AreTrimmedAndNeverEmpty) {
  EXPECT_THAT(caption_lines("\xEF\xBB\xBF a cat \r\n\n\tdog\n   \n"), ElementsAre("a cat", "dog"));
  EXPECT_TRUE(caption_lines("").empty());
}

TEST(SampleJson, ReadsCaptionsAndWeight) {
  const SampleInfo info =
      read_sample_json(R"({"captions": ["a", "b"], "weight": 0.2, "other": {}})", "x.json");
  EXPECT_THAT(info.captions, ElementsAre("a", "b"));
  EXPECT_EQ(info.weight, 0.2);
  EXPECT_EQ(read_sample_json("{}", "x.json").weight, 1);
  const std::string deep = join_text(R"({"a": )", std::string(100000, '['), std::string(100000, ']'), "}");
  for (const std::string& bad : {std::string("[]"), std::string("{"), std::string(R"({"captions": "a"})"),
                                 std::string(R"({"captions": [1]})"), std::string(R"({"weight": "1"})"),
                                 std::string(R"({"weight": -1})"), std::string(R"({"weight": 1e9})"), deep}) {
    EXPECT_THAT(error_of([&] { read_sample_json(bad, "x.json"); }), HasSubstr("x.json")) << bad.substr(0, 40);
  }
}

}  // namespace
}  // namespace unclip::data
