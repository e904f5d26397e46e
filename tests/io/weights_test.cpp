#include "unclip/io/weights.h"

#include <gmock/gmock.h>

#include <fstream>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/io/file.h"

namespace unclip::io {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

const std::filesystem::path kFolder = std::filesystem::path(UNCLIP_FIXTURES) / "io" / "weights";

NamedTensors expected_of(const std::string& file) {
  NamedTensors result;
  for (const auto& [name, tensor] : SafetensorsFile(kFolder / "expected.safetensors").tensors()) {
    if (name.starts_with(file + "/")) result[name.substr(file.size() + 1)] = tensor;
  }
  return result;
}

void expect_same(const NamedTensors& actual, const NamedTensors& expected) {
  ASSERT_FALSE(expected.empty());
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_EQ(actual.count(name), 1U) << name;
    EXPECT_EQ(actual.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(actual.at(name), tensor)) << name;
  }
}

std::string complaint(const std::filesystem::path& file, ErrorKind kind = ErrorKind::checkpoint) {
  const std::string message = error_of(kind, [&] { read_weights(file); });
  EXPECT_THAT(message, HasSubstr(file.filename().string()));
  return message;
}

class ReadWeights : public ::testing::TestWithParam<const char*> {};

TEST_P(ReadWeights, GivesWhatPyTorchSaved) {
  expect_same(read_weights(kFolder / GetParam()), expected_of(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Archives,
                         ReadWeights,
                         ::testing::Values("state_dict.bin",
                                           "parameters.pt",
                                           "lightning.ckpt",
                                           "stats.th",
                                           "dtypes.bin",
                                           "views.bin",
                                           "nested.pt"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(ReadWeights, ReadsOtherProtocolsOfPickle) {
  expect_same(read_weights(kFolder / "protocol_4.bin"), expected_of("state_dict.bin"));
}

TEST(ReadWeights, ReadsTheModulesOfATorchScriptArchiveWithoutItsCode) {
  expect_same(read_weights(kFolder / "script.pt"), expected_of("script.pt"));
}

TEST(ReadWeights, ReadsTheLargeNumbersOfZip64) {
  EXPECT_TRUE(torch::equal(read_weights(kFolder / "zip64.bin").at("x"), torch::zeros({4})));
}

TEST(ReadWeights, LeavesNumbersInTheFileAndSharedWhereTheyWere) {
  const NamedTensors views = read_weights(kFolder / "views.bin");
  EXPECT_EQ(views.at("whole").data_ptr(), views.at("transposed").data_ptr());
  EXPECT_EQ(views.at("transposed").strides(), (std::vector<int64_t>{1, 6}));
  const auto offset = static_cast<const float*>(views.at("part").const_data_ptr()) -
                      static_cast<const float*>(views.at("whole").const_data_ptr());
  EXPECT_EQ(offset, 1 * 6 + 2);
}

TEST(ReadWeights, RefusesEveryPickleThatWouldRunCode) {
  for (const char* name : {"evil_posix.bin", "evil_script.bin"}) {
    EXPECT_THAT(complaint(kFolder / name), HasSubstr("asks for 'posix.system'")) << name;
  }
  EXPECT_THAT(complaint(kFolder / "evil_system.bin"), HasSubstr("asks for 'os.system'"));
  EXPECT_THAT(complaint(kFolder / "evil_eval_4.bin"), HasSubstr("asks for 'builtins.eval'"));
}

TEST(ReadWeights, RefusesDamagedAndLyingArchives) {
  ASSERT_EQ(read_weights(kFolder / "small.bin").at("x").numel(), 4);  // what the others are made from
  const std::pair<const char*, const char*> cases[] = {
      {"cut_off.bin", "cut off"},
      {"cut_off_end.bin", "cut off"},
      {"lying_count.bin", "'x' has a storage of 5 numbers"},
      {"lying_shape.bin", "'x' reaches beyond its storage of 4"},
      {"lying_offset.bin", "'x' reaches beyond its storage of 4"},
      {"lying_strides.bin", "'x' reaches beyond its storage of 4"},
      {"overflow.bin", "'x' reaches beyond its storage of 4"},
      {"expanded.bin", "'x' reaches beyond its storage of 4"},
      {"negative.bin", "'x' has a damaged shape"},
      {"ranks.bin", "'x' has another number of strides"},
      {"no_storage.bin", "lacks its entry 'archive/data/1'"},
      {"compressed.bin", "compressed entry 'archive/data.pkl'"},
      {"circle.bin", "nested too deeply"},
      {"laughs.bin", "without end"},
      {"no_tensors.bin", "holds no tensors"},
      {"pickle_cut_off.bin", "cut off"},
      {"no_pickle.bin", "none of PyTorch's"},
      {"outside.bin", "directory lies outside"},
      {"many_entries.bin", "more entries than there is room for"},
      {"twice.bin", "two entries called 'archive/data/0'"},
      {"big_endian.bin", "byte order"},
      {"legacy.bin", "before 1.6"}};
  for (const auto& [name, reason] : cases) EXPECT_THAT(complaint(kFolder / name), HasSubstr(reason)) << name;
}

TEST(ReadWeights, RefusesFilesOfOtherKinds) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "model.bin", std::string_view("GIF89a and so on"));
  EXPECT_THAT(complaint(folder / "model.bin"), HasSubstr("holds no weights that this program knows"));
  write_file_atomically(folder / "empty.bin", std::string_view(""));
  complaint(folder / "empty.bin");
  complaint(folder / "missing.bin", ErrorKind::io);
}

/// A folder of two shards and their index.
class Shards : public ::testing::Test {
 protected:
  Shards() {
    write_safetensors(folder_ / "one.safetensors", {{"a", torch::ones({2})}, {"b", torch::zeros({1})}});
    write_safetensors(folder_ / "two.safetensors", {{"c", torch::full({3}, 2.0)}});
    write_index(R"("a": "one.safetensors", "b": "one.safetensors", "c": "two.safetensors")");
  }
  void write_index(const std::string& map) const {
    write_file_atomically(index(), R"({"metadata": {"total_size": 24}, "weight_map": {)" + map + "}}");
  }
  std::filesystem::path index() const { return folder_ / "model.safetensors.index.json"; }
  std::string complaint_of(const std::string& map) const {
    write_index(map);
    return error_of(ErrorKind::checkpoint, [&] { read_weights(index()); });
  }
  TemporaryFolder folder_;
};

TEST_F(Shards, AreReadTogether) {
  const NamedTensors tensors = read_weights(index());
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_EQ(tensors.at("c").sum().item<double>(), 6.0);
  EXPECT_EQ(find_weights(folder_.path(), "model"), index());
}

TEST_F(Shards, MustHoldWhatTheIndexSays) {
  EXPECT_THAT(complaint_of(R"("a": "one.safetensors", "b": "two.safetensors", "c": "two.safetensors")"),
              HasSubstr("holds 'b', which"));
  EXPECT_THAT(complaint_of(R"("a": "one.safetensors", "b": "one.safetensors", "d": "two.safetensors")"),
              HasSubstr("lacks 'd', which"));
  EXPECT_THAT(complaint_of(R"("a": "one.safetensors", "a": "two.safetensors")"),
              HasSubstr("names 'a' twice"));
  EXPECT_THAT(complaint_of(R"("a": "../one.safetensors")"), HasSubstr("a file beside it"));
  EXPECT_THAT(complaint_of(R"("a": {"b": "one.safetensors"})"), HasSubstr("no file for 'a'"));
  EXPECT_THAT(complaint_of(R"("a": 3)"), HasSubstr("no file for 'a'"));
  EXPECT_THAT(complaint_of(R"("a": )"), HasSubstr("not valid JSON"));
  EXPECT_THAT(complaint_of(""), HasSubstr("is no index of weights"));
  write_index(R"("a": "three.safetensors")");
  EXPECT_THAT(complaint(index(), ErrorKind::io), HasSubstr("'three.safetensors', which is missing"));
}

TEST(FindWeights, FollowsTheOrderOfThePythonLibraries) {
  const TemporaryFolder folder;
  const auto found = [&](const char* stem) { return find_weights(folder.path(), stem).filename().string(); };
  EXPECT_THAT(error_of(ErrorKind::io, [&] { found("model"); }), HasSubstr("model.safetensors"));
  for (const char* name : {"pytorch_model.bin", "model.fp16.safetensors", "model.safetensors"}) {
    write_file_atomically(folder / name, std::string_view("x"));
    EXPECT_EQ(found("model"), name);
  }
  write_file_atomically(folder / "diffusion_pytorch_model.bin", std::string_view("x"));
  EXPECT_EQ(found("diffusion_pytorch_model"), "diffusion_pytorch_model.bin");
}

}  // namespace
}  // namespace unclip::io
