#include "unclip/image/resize.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include "support/error_of.h"
#include "unclip/base/noise.h"
#include "unclip/image/decode.h"
#include "unclip/io/safetensors.h"

namespace unclip::image {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

std::filesystem::path fixtures() { return std::filesystem::path(UNCLIP_FIXTURES) / "image"; }

std::map<std::string, Filter> filters() {
  return {{"box", Filter::box},
          {"bilinear", Filter::bilinear},
          {"bicubic", Filter::bicubic},
          {"lanczos", Filter::lanczos}};
}

torch::Tensor noise(int64_t height, int64_t width, int64_t channels) {
  return uniform_noise({5, 0, 0}, {height, width, channels}).mul(256).to(torch::kUInt8);
}

TEST(Resize, EqualsPillowBitForBit) {
  const io::SafetensorsFile fixture(fixtures() / "resize.safetensors");
  int64_t compared = 0;
  for (const auto& [name, entry] : fixture.entries()) {
    const std::string filter = name.substr(name.rfind('.') + 1);
    if (filter == "in") continue;
    const torch::Tensor in = fixture.tensor(name.substr(0, name.rfind('.')) + ".in"),
                        expected = fixture.tensor(name);
    const torch::Tensor got = resize(in, expected.size(0), expected.size(1), filters().at(filter));
    EXPECT_TRUE(torch::equal(got, expected)) << name;
    ++compared;
  }
  EXPECT_GE(compared, 24);
}

TEST(Resize, WeighsColoursByAlphaAsPillowDoes) {
  const io::SafetensorsFile expected(fixtures() / "pictures" / "expected.safetensors");
  const torch::Tensor rgba = read_picture(fixtures() / "pictures" / "rgba.png").pixels;
  for (const auto& [name, filter] : filters()) {
    EXPECT_TRUE(torch::equal(resize(rgba, 15, 6, filter), expected.tensor("resized." + name))) << name;
  }
}

TEST(Resize, TreatsChannelsAlike) {
  const torch::Tensor rgb = noise(37, 41, 3);
  const torch::Tensor resized = resize(rgb, 20, 90, Filter::lanczos);
  for (int64_t c = 0; c < 3; ++c) {
    const torch::Tensor alone = resize(rgb.slice(2, c, c + 1), 20, 90, Filter::lanczos);
    EXPECT_TRUE(torch::equal(alone, resized.slice(2, c, c + 1)));
  }
}

TEST(Resize, DoesNotDependOnThreads) {
  const torch::Tensor pixels = noise(700, 900, 3);
  const torch::Tensor several = resize(pixels, 333, 1000, Filter::bicubic);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const torch::Tensor one = resize(pixels, 333, 1000, Filter::bicubic);
  at::set_num_threads(threads);
  EXPECT_TRUE(torch::equal(several, one));
}

TEST(Resize, KeepsFlatPicturesFlat) {
  for (const auto& [name, filter] : filters()) {
    for (const int level : {0, 1, 127, 255}) {
      const torch::Tensor flat = torch::full({7, 300, 3}, level, torch::kUInt8);
      EXPECT_TRUE(resize(flat, 100, 3, filter).eq(level).all().item<bool>()) << name << " " << level;
    }
  }
}

TEST(Resize, HandlesExtremes) {
  EXPECT_EQ(resize(noise(1, 1, 3), 50, 40, Filter::lanczos).sizes(), torch::IntArrayRef({50, 40, 3}));
  EXPECT_EQ(resize(noise(300, 200, 1), 1, 1, Filter::bicubic).sizes(), torch::IntArrayRef({1, 1, 1}));
  const torch::Tensor same = noise(5, 5, 3);
  EXPECT_TRUE(torch::equal(resize(same, 5, 5, Filter::box), same));
  EXPECT_THAT(error_of(ErrorKind::shape, [&] { resize(same, 0, 5, Filter::box); }), HasSubstr("5 × 0"));
  EXPECT_THAT(error_of(ErrorKind::shape, [&] { resize(same.to(torch::kFloat32), 2, 2, Filter::box); }),
              HasSubstr("uint8"));
}

}  // namespace
}  // namespace unclip::image
