#include "unclip/data/dataset.h"

#include <gmock/gmock.h>

#include "data/sample_files.h"
#include "support/error_of.h"

namespace unclip::data {
namespace {

using testing::add_member;
using testing::DataFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::png_of;
using testing::shard_of;

Dataset open(const std::vector<std::string>& sources, bool require_captions = true) {
  return Dataset::open(sources, {.require_captions = require_captions});
}

std::vector<std::string> keys(const Dataset& dataset) {
  std::vector<std::string> result;
  result.reserve(static_cast<size_t>(dataset.size()));
  for (int64_t i = 0; i < dataset.size(); ++i) result.push_back(dataset.key(i));
  return result;
}

std::string error_of(ErrorKind kind, const std::vector<std::string>& sources) {
  return testing::error_of(kind, [&] { open(sources); });
}

TEST(Dataset, ReadsShardsByPatternInOrder) {
  const DataFolder folder;
  folder.write("train-1.tar", shard_of(2));
  folder.write("train-0.tar", shard_of(3, 2, 0.2));
  folder.write("test-0.tar", shard_of(4));
  const Dataset dataset = open(folder.source("train-*.tar"));
  EXPECT_THAT(keys(dataset), ElementsAre("train-0/0", "train-0/1", "train-0/2", "train-1/0", "train-1/1"));
  const Sample sample = dataset.sample(1);
  EXPECT_EQ(sample.key, "train-0/1");
  EXPECT_EQ(sample.extension, "png");
  EXPECT_EQ(sample.picture.text(), png_of(1));
  EXPECT_THAT(sample.captions, ElementsAre("caption 0 of 1", "caption 1 of 1"));
  EXPECT_EQ(sample.weight, 0.2);
  EXPECT_THAT(sample.json, HasSubstr("captions"));
  EXPECT_THAT(dataset.weights(), ElementsAre(0.2, 0.2, 0.2, 1, 1));
  EXPECT_EQ(dataset.archive_count(), 2);
  EXPECT_THROW(dataset.sample(5), Error);
  EXPECT_THROW(dataset.sample(-1), Error);
}

TEST(Dataset, HoldsOutOneSampleInTwenty) {
  const DataFolder folder;
  folder.write("all.tar", shard_of(45));
  const auto part = [&](Part which) {
    return keys(Dataset::open(folder.source("all.tar"), {.part = which}));
  };
  const auto training = part(Part::training), held_out = part(Part::held_out);
  EXPECT_EQ(held_out.size(), 2U);
  std::vector<std::string> both = training;
  both.insert(both.end(), held_out.begin(), held_out.end());
  EXPECT_THAT(both, ::testing::UnorderedElementsAreArray(part(Part::all)));
  folder.write("few.tar", shard_of(3));
  EXPECT_EQ(keys(Dataset::open(folder.source("few.tar"), {.part = Part::held_out})).size(), 1U);
}

TEST(Dataset, HasAFingerprintOfNamesAndCaptions) {
  const DataFolder folder, copy;
  for (const DataFolder* place : {&folder, &copy}) {
    place->write("all.tar", shard_of(3));
    place->write("more/a.png", png_of(7));
    place->write("more/a.txt", "seven");
  }
  const std::string before = open(folder.source()).fingerprint();
  EXPECT_EQ(before.size(), 16U);
  EXPECT_EQ(open(copy.source()).fingerprint(), before) << "wherever it lies";
  EXPECT_NE(open(folder.source("all.tar")).fingerprint(), before);
  folder.write("more/a.txt", "seven again");
  EXPECT_NE(open(folder.source()).fingerprint(), before);
}

TEST(Dataset, NamesPicturesThatItDoesNotRead) {
  const DataFolder folder;
  folder.write("a.png", png_of(1));
  folder.write("a.svg", "<svg/>");  // where a picture came from
  folder.write("a.txt", "one");
  folder.write("b.GIF", "GIF89a");
  folder.write("b.txt", "two");
  folder.write("notes.txt", "no picture at all");
  const Dataset dataset = open(folder.source());
  EXPECT_THAT(keys(dataset), ElementsAre("a"));
  ASSERT_EQ(dataset.damage().count(), 1);
  EXPECT_EQ(dataset.damage().entries()[0].name, "b.gif");
  EXPECT_THAT(dataset.damage().entries()[0].reason, HasSubstr("convert it to PNG, JPEG or WebP"));
}

TEST(Dataset, GroupsMembersByTheNameBeforeTheFirstDot) {
  data::ArchiveBuilder builder;
  add_member(builder, "a/x.png", png_of(1));
  add_member(builder, "b/x.PNG", png_of(2));
  add_member(builder, "a/x.txt", "a cat\nA Cat\n");
  add_member(builder, "a/x.mask.png", png_of(3));
  add_member(builder, "b/x.txt", "dog");
  add_member(builder, "readme.txt", "no picture");
  const DataFolder folder;
  folder.write("s.tar", builder.finish());
  const Dataset dataset = open(folder.source("s.tar"));
  EXPECT_THAT(keys(dataset), ElementsAre("s/a/x", "s/b/x"));
  EXPECT_EQ(dataset.picture(0).text(), png_of(1));
  EXPECT_THAT(dataset.captions(0), ElementsAre("a cat", "A Cat"));
  EXPECT_EQ(dataset.damage().count(), 0);
}

TEST(Dataset, ReadsFoldersWithTextFilesTablesAndJson) {
  const DataFolder folder;
  folder.write("one.png", png_of(1));
  folder.write("one.txt", "first\nsecond\n");
  folder.write("deep/er/two.jpg", "not decoded here");
  folder.write("deep/er/two.json", R"({"captions": ["two"], "weight": 0.5})");
  folder.write("table/three.png", png_of(3));
  folder.write("table/sub/four.webp", "not decoded here");
  folder.write("table/metadata.csv",
               "file_name,text\nthree.png,\"three, of them\"\nsub/four.webp,four\nthree.png,III\n");
  folder.write("lines/five.png", png_of(5));
  folder.write("lines/metadata.jsonl", "{\"file_name\": \"five.png\", \"text\": \"five\"}\n");
  folder.write(".hidden/six.png", png_of(6));
  folder.write("without.png", png_of(7));
  const Dataset dataset = open(folder.source());
  EXPECT_THAT(keys(dataset),
              ElementsAre("deep/er/two", "lines/five", "one", "table/sub/four", "table/three"));
  EXPECT_THAT(dataset.captions(0), ElementsAre("two"));
  EXPECT_THAT(dataset.captions(1), ElementsAre("five"));
  EXPECT_THAT(dataset.captions(2), ElementsAre("first", "second"));
  EXPECT_THAT(dataset.captions(3), ElementsAre("four"));
  EXPECT_THAT(dataset.captions(4), ElementsAre("three, of them", "III"));
  EXPECT_EQ(dataset.weights()[0], 0.5);
  EXPECT_EQ(dataset.without_caption(), 1);
  EXPECT_EQ(dataset.damage().count(), 0);
  EXPECT_EQ(open(folder.source(), false).size(), 6);
}

TEST(Dataset, CountsAndNamesDamageOnceAndGoesOn) {
  const DataFolder folder;
  const std::string shard = shard_of(3);
  folder.write("cut.tar", std::string_view(shard).substr(0, shard.size() / 2));
  folder.write("garbage.tar", "this is no archive");
  folder.write("packed.tar.gz", "\x1F\x8B\x08 compressed");
  folder.write("good.png", png_of(1));
  folder.write("good.txt", "good");
  folder.write("latin.png", png_of(2));
  folder.write("latin.txt", "caf\xE9");
  folder.write("long.png", png_of(3));
  folder.write("long.txt", std::string(70000, 'x'));
  folder.write("bad.png", png_of(4));
  folder.write("bad.json", "{\"captions\": ");
  folder.write("table/metadata.csv", "file_name,text\nmissing.png,nothing\n");
  folder.write("other/metadata.csv", "name,text\n");
  const Dataset dataset = open(folder.source());
  std::vector<std::string> names;
  for (const DamageLog::Entry& entry : dataset.damage().entries()) {
    names.push_back(std::filesystem::path(entry.name).filename().string());
    EXPECT_FALSE(entry.reason.empty());
  }
  EXPECT_THAT(names,
              ::testing::UnorderedElementsAre("cut.tar", "garbage.tar", "packed.tar.gz", "latin", "long",
                                              "bad", "metadata.csv: missing.png", "metadata.csv"));
  EXPECT_EQ(dataset.damage().count(), 8);
  EXPECT_THAT(keys(dataset), ::testing::Contains("good"));
  EXPECT_THAT(keys(dataset), ::testing::Contains("cut/0"));
}

TEST(Dataset, SaysWhatIsMissing) {
  const DataFolder folder;
  EXPECT_THAT(error_of(ErrorKind::io, folder.source("none")), HasSubstr("none"));
  EXPECT_THAT(error_of(ErrorKind::io, folder.source("train-*.tar")), HasSubstr("train-*.tar"));
  EXPECT_THAT(error_of(ErrorKind::data, folder.source()), HasSubstr("no picture was found"));
  EXPECT_THAT(error_of(ErrorKind::data, {}), HasSubstr("no usable sample"));
  folder.write("a.png", png_of(1));
  EXPECT_THAT(error_of(ErrorKind::data, folder.source()), HasSubstr("no caption"));
  folder.write("b.tar.gz", "\x1F\x8B\x08");
  EXPECT_THAT(error_of(ErrorKind::data, folder.source("b.tar.gz")), HasSubstr("compressed"));
}

}  // namespace
}  // namespace unclip::data
