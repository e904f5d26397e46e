#include "unclip/image/encode.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/base/noise.h"
#include "unclip/image/decode.h"
#include "unclip/io/file.h"

namespace unclip::image {
namespace {

using testing::error_of;
using testing::TemporaryFolder;

using ::testing::HasSubstr;

torch::Tensor noise(int64_t height, int64_t width, int64_t channels) {
  return uniform_noise({3, 0, 0}, {height, width, channels}).mul(256).to(torch::kUInt8);
}

torch::Tensor ramp(int64_t height, int64_t width) {
  const auto y = torch::arange(height).reshape({-1, 1}).expand({height, width});
  const auto x = torch::arange(width).reshape({1, -1}).expand({height, width});
  return torch::stack({x * 2, y * 2, x + y}, 2).to(torch::kUInt8).contiguous();
}

std::string complaint(const std::function<void()>& action) { return error_of(ErrorKind::data, action); }

TEST(Encode, LosslessKindsKeepEveryPixel) {
  for (const int64_t channels : {3, 4}) {
    const torch::Tensor pixels = noise(17, 31, channels);
    EXPECT_TRUE(torch::equal(decode(encode_png(pixels), "png").pixels, pixels));
    const torch::Tensor opaque = channels == 3 ? pixels : pixels.clone();
    if (channels == 4) opaque.select(2, 3).clamp_min_(1);  // WebP drops the colours of what cannot be seen
    EXPECT_TRUE(torch::equal(decode(encode_webp(opaque), "webp").pixels, opaque));
  }
  const torch::Tensor strided = noise(17, 31, 3).transpose(0, 1);
  EXPECT_TRUE(torch::equal(decode(encode_png(strided), "png").pixels, strided));
}

TEST(Encode, LossyKindsStayClose) {
  const torch::Tensor pixels = ramp(48, 64);
  EXPECT_CLOSE(decode(encode_jpeg(pixels, 95), "jpeg").pixels, pixels, {.absolute = 8, .relative = 0});
  EXPECT_CLOSE(decode(encode_webp(pixels, 95), "webp").pixels, pixels, {.absolute = 16, .relative = 0});
  EXPECT_LT(encode_jpeg(pixels, 30).size(), encode_jpeg(pixels, 95).size());
  EXPECT_LT(encode_webp(noise(48, 64, 3), 30).size(), encode_webp(noise(48, 64, 3)).size());
}

TEST(Encode, PngTextComesBackInAnyScript) {
  const std::map<std::string, std::string> text{{"caption", "a red heart"},
                                                {"caption de", "ein blauer Würfel, 50 €"},
                                                {"caption ja", "赤いハート ❤️\nzweite Zeile"},
                                                {"long", std::string(300'000, 'x') + "é"},
                                                {"empty", ""}};
  EXPECT_EQ(decode(encode_png(ramp(8, 8), text), "x").text, text);
}

TEST(Encode, RefusesTextThatPngCannotHold) {
  for (const char* keyword : {"", " x", "x ", "a  b", "a\nb", "ü"}) {
    EXPECT_THAT(complaint([&] {
                  encode_png(ramp(8, 8), {{keyword, "x"}});
                }),
                HasSubstr("keyword"))
        << keyword;
  }
  EXPECT_THAT(complaint([] { encode_png(ramp(8, 8), {{std::string(80, 'k'), "x"}}); }), HasSubstr("79"));
  EXPECT_THAT(complaint([] {
                encode_png(ramp(8, 8), {{"k", std::string("a\0b", 3)}});
              }),
              HasSubstr("zero byte"));
}

TEST(Encode, RefusesOtherTensorsAndQualities) {
  const auto misshapen = [](const torch::Tensor& pixels) {
    return error_of(ErrorKind::shape, [&] { encode_png(pixels); });
  };
  EXPECT_THAT(misshapen(torch::zeros({4, 4, 3})), HasSubstr("expected uint8"));
  EXPECT_THAT(misshapen(torch::zeros({4, 4}, torch::kUInt8)), HasSubstr("[4, 4]"));
  EXPECT_THAT(misshapen(torch::zeros({4, 0, 3}, torch::kUInt8)), HasSubstr("[4, 0, 3]"));
  EXPECT_THAT(complaint([] { encode_jpeg(ramp(8, 8), 0); }), HasSubstr("quality is 0"));
  EXPECT_THAT(complaint([] { encode_webp(ramp(8, 8), 101); }), HasSubstr("quality is 101"));
  EXPECT_THAT(complaint([] { encode_webp(torch::zeros({1, 16384, 3}, torch::kUInt8)); }), HasSubstr("16383"));
}

TEST(WritePicture, ChoosesTheKindByTheEnding) {
  const TemporaryFolder folder;
  const torch::Tensor pixels = ramp(16, 16);
  for (const char* name : {"a.png", "b.JPG", "c.jpeg", "d.webp"}) {
    write_picture(folder / name, pixels);
    EXPECT_CLOSE(read_picture(folder / name).pixels, pixels, {.absolute = 12, .relative = 0}) << name;
  }
  EXPECT_EQ(io::read_text(folder / "a.png", 1 << 20).substr(1, 3), "PNG");
  EXPECT_EQ(io::read_text(folder / "b.JPG", 1 << 20).substr(0, 2), "\xFF\xD8");
  EXPECT_EQ(io::read_text(folder / "d.webp", 1 << 20).substr(8, 4), "WEBP");
}

TEST(WritePicture, PutsTransparentJpegPicturesOnWhite) {
  const TemporaryFolder folder;
  write_picture(folder / "x.jpg", torch::zeros({16, 16, 4}, torch::kUInt8));
  EXPECT_EQ(read_picture(folder / "x.jpg").pixels.min().item<int>(), 255);
}

TEST(WritePicture, NeverOverwritesUnasked) {
  const TemporaryFolder folder;
  write_picture(folder / "x.png", ramp(8, 8), {.text = {{"k", "first"}}});
  EXPECT_THAT(error_of(ErrorKind::io, [&] { write_picture(folder / "x.png", ramp(8, 8)); }),
              HasSubstr("exists already"));
  EXPECT_EQ(read_picture(folder / "x.png").text.at("k"), "first");
  write_picture(folder / "x.png", ramp(8, 8), {.text = {{"k", "second"}}, .force = true});
  EXPECT_EQ(read_picture(folder / "x.png").text.at("k"), "second");
}

TEST(WritePicture, LeavesNothingBehindAfterAnError) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(ErrorKind::io, [&] { write_picture(folder / "x.gif", ramp(8, 8)); }),
              HasSubstr(".png, .jpg"));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { write_picture(folder / "none" / "x.png", ramp(8, 8)); }),
              HasSubstr("does not exist"));
  EXPECT_THROW(write_picture(folder / "x.png", ramp(8, 8), {.text = {{"", ""}}}), Error);
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace unclip::image
