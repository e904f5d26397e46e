#include "unclip/io/safetensors.h"

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/io/file.h"

namespace unclip::io {
namespace {

using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using testing::TemporaryFolder;

NamedTensors one_of_each() {
  NamedTensors tensors;
  for (const auto type : {torch::kFloat64, torch::kFloat32, torch::kFloat16, torch::kBFloat16, torch::kInt64,
                          torch::kInt32, torch::kInt16, torch::kInt8, torch::kUInt8, torch::kBool}) {
    tensors[std::string("t.") + torch::toString(type)] = torch::arange(3).sub(1).to(type);
  }
  tensors["scalar"] = torch::tensor(2.5);
  tensors["empty"] = torch::empty({0, 4});
  tensors["strided"] = torch::arange(6).reshape({2, 3}).t();
  return tensors;
}

TEST(Safetensors, KeepsEveryTypeAndShape) {
  const TemporaryFolder folder;
  const NamedTensors tensors = one_of_each();
  write_safetensors(folder / "x", tensors, {{"config", "{\"a\": 1}"}});
  const SafetensorsFile file(folder / "x");
  const NamedTensors read = file.tensors();
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(read.at(name), tensor)) << name;
  }
  EXPECT_EQ(file.metadata().at("config"), "{\"a\": 1}");
  EXPECT_THAT(error_of(ErrorKind::checkpoint, [&] { file.tensor("none"); }), HasSubstr("no tensor 'none'"));
}

// The fixtures were written by the reference implementation.
TEST(Safetensors, WritesTheBytesOfTheReferenceImplementation) {
  const TemporaryFolder folder;
  const std::filesystem::path fixtures = UNCLIP_FIXTURES;
  for (const char* name : {"clip/gelu", "prior/karlo_tiny", "image/resize", "nn/timestep_embedding"}) {
    const std::filesystem::path original = fixtures / (std::string(name) + ".safetensors");
    const SafetensorsFile file(original);
    write_safetensors(folder / "x", file.tensors());
    // Its metadata comes in no particular order, so both are compared without.
    const std::string ours = read_text(folder / "x", 1 << 26);
    write_safetensors(folder / "y", SafetensorsFile(folder / "x").tensors());
    EXPECT_EQ(read_text(folder / "y", 1 << 26), ours);
    const std::string theirs = read_text(original, 1 << 26);
    size_t data = 0;
    for (const auto& [key, entry] : file.entries()) data += entry.end - entry.begin;
    EXPECT_EQ(ours.substr(ours.size() - data), theirs.substr(theirs.size() - data)) << name;
  }
}

TEST(Safetensors, IsMappedAndOutlivesItsFile) {
  const TemporaryFolder folder;
  write_safetensors(folder / "x", {{"a", torch::arange(1000)}});
  torch::Tensor a, again;
  {
    const SafetensorsFile file(folder / "x");
    a = file.tensor("a");
    again = file.tensor("a");
  }
  EXPECT_EQ(a.data_ptr(), again.data_ptr());
  std::filesystem::remove(folder / "x");
  EXPECT_TRUE(torch::equal(a, torch::arange(1000)));
  a.add_(1);  // private pages: neither a crash nor a change of the file
  EXPECT_EQ(again[0].item<int64_t>(), 1);
}

TEST(Safetensors, ReadsNumbersAcrossTheirBoundary) {
  const TemporaryFolder folder;
  const std::vector<TensorEntry> entries{{"a", Dtype::u8, {1}}, {"b", Dtype::i64, {2}}};
  const std::vector<int64_t> b{5, -6};
  write_file_atomically(folder / "x", [&](AtomicWriter& writer) {
    writer.write(safetensors_header_bytes(entries, {}));
    writer.write(std::string_view("\7"));
    writer.write(std::span(reinterpret_cast<const uint8_t*>(b.data()), 16));
  });
  const torch::Tensor read = SafetensorsFile(folder / "x").tensor("b");
  EXPECT_TRUE(torch::equal(read, torch::tensor(b)));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(read.data_ptr()) % 8, 0U);
}

TEST(Safetensors, RefusesWhatItCannotHold) {
  const TemporaryFolder folder;
  const auto complaint = [&](const torch::Tensor& tensor) {
    return error_of(ErrorKind::shape, [&] { write_safetensors(folder / "x", {{"a", tensor}}); });
  };
  EXPECT_THAT(complaint(torch::zeros({2}, torch::kComplexFloat)), HasSubstr("'a' has type ComplexFloat"));
  EXPECT_THAT(complaint(torch::Tensor()), HasSubstr("no values"));
  EXPECT_THAT(complaint(torch::zeros({2}, torch::kMeta)), HasSubstr("no values"));
  EXPECT_TRUE(folder.names().empty());
}

TEST(Safetensors, NamesADamagedFile) {
  const TemporaryFolder folder;
  write_safetensors(folder / "x", {{"a", torch::arange(100)}});
  std::filesystem::resize_file(folder / "x", 500);
  EXPECT_THAT(error_of(ErrorKind::checkpoint, [&] { SafetensorsFile file(folder / "x"); }),
              ::testing::AllOf(HasSubstr((folder / "x").string()), HasSubstr("cut off")));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { SafetensorsFile file(folder / "y"); }),
              HasSubstr("No such file"));
}

}  // namespace
}  // namespace unclip::io
