#include "unclip/io/safetensors_header.h"

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "unclip/base/noise.h"

namespace unclip::io {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;

std::string little_endian(uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
  return bytes;
}

std::string file_of(const std::string& json, size_t data_bytes) {
  return little_endian(json.size()) + json + std::string(data_bytes, '\1');
}

SafetensorsHeader parse(const std::string& file) {
  return parse_safetensors_header(std::span(reinterpret_cast<const uint8_t*>(file.data()), file.size()),
                                  file.size(), "x.safetensors");
}

std::string complaint(const std::string& json, size_t data_bytes = 4) {
  const std::string message = error_of(ErrorKind::checkpoint, [&] { parse(file_of(json, data_bytes)); });
  EXPECT_EQ(message.rfind("x.safetensors", 0), 0U) << message;
  return message;
}

TEST(SafetensorsHeader, ReadsTensorsAndMetadata) {
  const SafetensorsHeader header = parse(file_of(
      R"({"__metadata__":{"a":"b"},"y":{"dtype":"F32","shape":[2,1],"data_offsets":[2,10]},)"
      R"("x":{"data_offsets":[0,2],"dtype":"BF16","shape":[]},"z":{"dtype":"I64","shape":[0,7],"data_offsets":[10,10]}}  )",
      10));
  ASSERT_EQ(header.tensors.size(), 3U);
  EXPECT_EQ(header.tensors[0].name, "x");
  EXPECT_EQ(header.tensors[0].dtype, Dtype::bf16);
  EXPECT_EQ(header.tensors[0].end - header.tensors[0].begin, 2U);
  EXPECT_EQ(header.tensors[1].name, "y");
  EXPECT_THAT(header.tensors[1].shape, ElementsAre(2, 1));
  EXPECT_EQ(header.tensors[1].begin, header.tensors[0].end);
  EXPECT_EQ(header.metadata, (Metadata{{"a", "b"}}));
  EXPECT_TRUE(parse(file_of("{}", 0)).tensors.empty());
}

TEST(SafetensorsHeader, WritesWhatItReads) {
  const std::vector<TensorEntry> tensors{{"b", Dtype::f32, {2, 3}}, {"a\"é", Dtype::boolean, {}}};
  const std::string bytes = safetensors_header_bytes(tensors, {{"caption", "ein roter Würfel \n\t 赤"}});
  EXPECT_EQ(bytes.size() % 8, 0U);
  const SafetensorsHeader read = parse(bytes + std::string(25, 'x'));
  ASSERT_EQ(read.tensors.size(), 2U);
  EXPECT_EQ(read.tensors[0].begin, bytes.size());
  EXPECT_EQ(read.tensors[1].name, "a\"é");
  EXPECT_EQ(read.metadata.at("caption"), "ein roter Würfel \n\t 赤");
  EXPECT_THAT(error_of(ErrorKind::checkpoint,
                       [] {
                         safetensors_header_bytes({}, {{"x", "\xFF"}});
                       }),
              HasSubstr("UTF-8"));
  const std::vector<TensorEntry> reserved{{"__metadata__", Dtype::f32, {1}}};
  EXPECT_THAT(error_of(ErrorKind::checkpoint, [&] { safetensors_header_bytes(reserved, {}); }),
              HasSubstr("no name"));
  const std::vector<TensorEntry> huge{{"h", Dtype::f64, {INT64_MAX, 2}}};
  EXPECT_THAT(error_of(ErrorKind::shape, [&] { safetensors_header_bytes(huge, {}); }), HasSubstr("'h'"));
}

TEST(SafetensorsHeader, RefusesLyingOffsets) {
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})"),
              HasSubstr("do not fit"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"), HasSubstr("cut off"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5),
              HasSubstr("expected 4"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8),
              HasSubstr("begin at 0"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                        R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})"),
              HasSubstr("begin at 4"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})"), HasSubstr("'a'"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}})"),
              HasSubstr("do not fit"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551615,0]}})"),
              HasSubstr("'a'"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,4]}})"),
              HasSubstr("dimension"));
}

TEST(SafetensorsHeader, RefusesOtherGrammar) {
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                        R"("a":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}})"),
              HasSubstr("'a' appears twice"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})"),
              HasSubstr("twice"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})"),
              HasSubstr("one of: BOOL, U8"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1]}})"), HasSubstr("lacks"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})"), HasSubstr("expected 2"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})"),
              HasSubstr("a number"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})"), HasSubstr("negative"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})"),
              HasSubstr("fraction"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})"), HasSubstr("a list"));
  EXPECT_THAT(complaint(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})"),
              HasSubstr("unknown key 'x'"));
  EXPECT_THAT(complaint(R"({"__metadata__":{"a":1}})"), HasSubstr("a number"));
  EXPECT_THAT(complaint(R"({"__metadata__":{"a":{}}})"), HasSubstr("an object"));
  EXPECT_THAT(complaint(R"({"a":4})"), HasSubstr("a number"));
  EXPECT_THAT(complaint(R"({"a":null})"), HasSubstr("null"));
  EXPECT_THAT(complaint(R"([])"), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(complaint(R"({"a":)"), HasSubstr("not valid JSON"));
  EXPECT_THAT(complaint("{} x"), HasSubstr("not valid JSON"));
  EXPECT_THAT(complaint("{\"\xFF\":1}"), HasSubstr("not valid JSON"));
  EXPECT_THAT(complaint("{\"" + std::string(100000, 'n') + "\":1}"), HasSubstr("100000 bytes"));
  EXPECT_THAT(complaint(R"({"\u001b[31m":1})"), HasSubstr("control"));
  EXPECT_THAT(complaint("{\"a\":" + std::string(1000000, '[')), HasSubstr("a list"));
}

TEST(SafetensorsHeader, RefusesImpossibleLengths) {
  const auto whole = [](const std::string& file) {
    return error_of(ErrorKind::checkpoint, [&] { parse(file); });
  };
  EXPECT_THAT(whole(""), HasSubstr("too short"));
  EXPECT_THAT(whole("1234567"), HasSubstr("too short"));
  EXPECT_THAT(whole(little_endian(UINT64_MAX) + "{}"), HasSubstr("not a safetensors file"));
  EXPECT_THAT(whole(little_endian(kMaxSafetensorsHeader + 1) + "{}"), HasSubstr("at most 100000000"));
  EXPECT_THAT(whole(little_endian(3) + "{}"), HasSubstr("cut off"));
  EXPECT_THAT(whole(little_endian(0)), HasSubstr("does not begin"));
}

TEST(SafetensorsHeader, SurvivesTruncationAndMutation) {
  const std::string good =
      file_of(R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
              R"("b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})",
              11);
  ASSERT_EQ(parse(good).tensors.size(), 2U);
  for (size_t size = 0; size < good.size(); ++size) EXPECT_THROW(parse(good.substr(0, size)), Error) << size;
  constexpr int kRounds = 20000;
  const std::vector<uint32_t> chance = random_bits({7, 0, 0}, size_t{10} * kRounds);
  auto next = chance.begin();
  int accepted = 0, refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string bad = good;
    for (uint32_t changes = *next++ % 3 + 1; changes > 0; --changes) {
      const size_t place = *next++ % bad.size();
      bad[place] = static_cast<char>(*next++);
    }
    try {
      const SafetensorsHeader header = parse(bad);
      ++accepted;
      for (const TensorEntry& tensor : header.tensors) ASSERT_LE(tensor.end, bad.size());
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, accepted);
  EXPECT_GT(accepted, 0);  // changes of data or of names are none of the header's business
}

}  // namespace
}  // namespace unclip::io
