#include "unclip/data/archive.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "unclip/base/error.h"

namespace unclip::data {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string build(const Members& members) {
  ArchiveBuilder builder;
  for (const auto& [name, content] : members) builder.add(name, as_bytes(content));
  return builder.finish();
}

Members read_back(const std::string& bytes, const ArchiveIndex& index) {
  Members members;
  for (const ArchiveMember& member : index.members) {
    EXPECT_LE(member.offset + member.size, bytes.size());
    members.emplace_back(member.name, bytes.substr(member.offset, member.size));
  }
  return members;
}

std::string read_fixture(const std::string& name) {
  std::ifstream stream(std::filesystem::path(UNCLIP_FIXTURES) / "data" / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Archive, IndexesWhatItBuilt) {
  const Members members = {{"a.txt", "hello"},
                           {"empty.txt", ""},
                           {"folder/" + std::string(150, 'x').append(".txt"), std::string(5000, 'y')},
                           {"naïve 猫.txt", "unicode"}};
  const std::string bytes = build(members);
  EXPECT_EQ(read_back(bytes, index_archive(as_bytes(bytes), "test.tar")), members);
  EXPECT_EQ(bytes, build(members));
}

TEST(Archive, BuilderStartsAnewAfterFinish) {
  ArchiveBuilder builder;
  builder.add("a", as_bytes("1"));
  EXPECT_GT(builder.size(), 0);
  const std::string first = builder.finish();
  EXPECT_EQ(builder.size(), 0);
  builder.add("a", as_bytes("1"));
  EXPECT_EQ(builder.finish(), first);
}

TEST(Archive, ReadsOtherProgramsFormats) {
  const Members expected = {{"plain.txt", "one\n"},
                            {"folder/" + std::string(120, 'n').append(".txt"), "a long name\n"},
                            {"größe 猫.txt", "unicode\n"},
                            {"big.bin", std::string(3000, 'b')}};
  for (const char* name : {"gnu.tar", "pax.tar"}) {
    const std::string bytes = read_fixture(name);
    const ArchiveIndex index = index_archive(as_bytes(bytes), name);
    EXPECT_FALSE(index.damage) << *index.damage;
    EXPECT_EQ(read_back(bytes, index), expected) << name;
  }
}

TEST(Archive, RefusesWhatIsNoPlainTar) {
  for (const std::string_view bad : {"", "PNG", "\x1F\x8B\x08 gzip", "\x28\xB5\x2F\xFD zstd"}) {
    try {
      index_archive(as_bytes(bad), "x.tar");
      ADD_FAILURE() << "accepted '" << bad << "'";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      EXPECT_NE(std::string(error.what()).find("x.tar"), std::string::npos);
    }
  }
}

TEST(Archive, KeepsWhatComesBeforeACut) {
  const Members members = {{"a.txt", std::string(700, 'a')}, {"b.txt", std::string(700, 'b')}};
  const std::string whole = build(members);
  for (size_t length = 0; length < whole.size(); length += 100) {
    const std::string bytes = whole.substr(0, length);
    ArchiveIndex index;
    try {
      index = index_archive(as_bytes(bytes), "cut.tar");
    } catch (const Error&) {
      EXPECT_LT(length, 512U + 700U);
      continue;
    }
    const Members found = read_back(bytes, index);
    EXPECT_TRUE(std::equal(found.begin(), found.end(), members.begin()));
    if (length < 2 * (512 + 1024)) {
      EXPECT_TRUE(index.damage || found.size() < 2) << length;
    }
  }
}

TEST(Archive, SurvivesFlippedBytes) {
  const std::string whole = build({{"a.txt", "aaaa"}, {std::string(120, 'n'), "bbbb"}});
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(~bytes[at]);
    try {
      read_back(bytes, index_archive(as_bytes(bytes), "flipped.tar"));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
    }
  }
}

}  // namespace
}  // namespace unclip::data
