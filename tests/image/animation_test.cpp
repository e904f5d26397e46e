#include "unclip/image/animation.h"

#include <gif_lib.h>
#include <gmock/gmock.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "support/close.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/base/noise.h"
#include "unclip/image/decode.h"
#include "unclip/io/file.h"

namespace unclip::image {
namespace {

using testing::error_of;
using torch::Tensor;

/// Flat colours, of which a palette has enough.
std::vector<Tensor> frames(int64_t height, int64_t width) {
  std::vector<Tensor> result;
  for (uint64_t i = 0; i < 3; ++i) {
    const Tensor few = (uniform_noise({i, 1, 1}, {2, 3, 3}) * 256).to(torch::kUInt8);
    result.push_back(few.repeat_interleave((height + 1) / 2, 0)
                         .repeat_interleave((width + 2) / 3, 1)
                         .slice(0, 0, height)
                         .slice(1, 0, width)
                         .contiguous());
  }
  return result;
}

struct Memory {
  const uint8_t* at;
  size_t left;
};
int read_memory(GifFileType* file, GifByteType* out, int count) {
  auto* memory = static_cast<Memory*>(file->UserData);
  const size_t taken = std::min(memory->left, static_cast<size_t>(count));
  std::memcpy(out, memory->at, taken);
  memory->at += taken;
  memory->left -= taken;
  return static_cast<int>(taken);
}

TEST(Animation, GifHasEveryFrameItsTimeAndRepeats) {
  const auto drawn = frames(10, 13);
  const auto bytes = encode_gif(drawn, 120);
  Memory memory{bytes.data(), bytes.size()};
  const auto close = [](GifFileType* file) { DGifCloseFile(file, nullptr); };
  const std::unique_ptr<GifFileType, decltype(close)> gif(DGifOpen(&memory, &read_memory, nullptr), close);
  ASSERT_NE(gif, nullptr);
  ASSERT_EQ(DGifSlurp(gif.get()), GIF_OK);
  ASSERT_EQ(gif->ImageCount, 3);
  EXPECT_EQ(gif->SWidth, 13);
  EXPECT_EQ(gif->SHeight, 10);
  for (int i = 0; i < 3; ++i) {
    GraphicsControlBlock control{};
    ASSERT_EQ(DGifSavedExtensionToGCB(gif.get(), i, &control), GIF_OK);
    EXPECT_EQ(control.DelayTime, 12);
    const Tensor expected = drawn[static_cast<size_t>(i)].to(torch::kInt);
    Tensor got = torch::empty({10, 13, 3}, torch::kInt);
    for (int64_t p = 0; p < 130; ++p) {
      const GifColorType& colour = gif->SColorMap->Colors[gif->SavedImages[i].RasterBits[p]];
      got[p / 13][p % 13] =
          torch::tensor({int{colour.Red}, int{colour.Green}, int{colour.Blue}}, torch::kInt);
    }
    EXPECT_CLOSE(got, expected, {.absolute = 0, .relative = 0});  // 18 colours: each has its own place
  }
  const std::string text(bytes.begin(), bytes.end());
  EXPECT_NE(text.find(std::string("NETSCAPE2.0\x03\x01\x00\x00", 15)), std::string::npos);
}

TEST(Animation, WebPKeepsEveryBit) {
  const auto drawn = frames(10, 13);
  const auto bytes = encode_animated_webp(drawn, 120);
  const WebPData data{bytes.data(), bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder(
      WebPAnimDecoderNew(&data, nullptr), &WebPAnimDecoderDelete);
  ASSERT_NE(decoder, nullptr);
  WebPAnimInfo info;
  ASSERT_NE(WebPAnimDecoderGetInfo(decoder.get(), &info), 0);
  EXPECT_EQ(info.frame_count, 3U);
  EXPECT_EQ(info.loop_count, 0U);
  int before = 0;
  for (const Tensor& frame : drawn) {
    uint8_t* canvas = nullptr;
    int until = 0;
    ASSERT_NE(WebPAnimDecoderGetNext(decoder.get(), &canvas, &until), 0);
    EXPECT_EQ(until - before, 120);
    before = until;
    const Tensor got = torch::from_blob(canvas, {10, 13, 4}, torch::kUInt8).narrow(2, 0, 3);
    EXPECT_TRUE(torch::equal(got, frame));
  }
}

TEST(Animation, FilesGoByTheirEnding) {
  const testing::TemporaryFolder folder;
  write_animation(folder / "a.gif", frames(4, 4));
  write_animation(folder / "a.webp", frames(4, 4));
  EXPECT_EQ(io::read_text(folder / "a.gif", 1 << 20).substr(0, 6), "GIF89a");
  EXPECT_EQ(read_picture(folder / "a.webp").pixels.size(0), 4);
  EXPECT_THAT(error_of(ErrorKind::io, [&] { write_animation(folder / "a.gif", frames(4, 4)); }),
              ::testing::HasSubstr("exists already"));
  EXPECT_THAT(error_of(ErrorKind::io, [&] { write_animation(folder / "a.mp4", frames(4, 4)); }),
              ::testing::HasSubstr("expected .gif or .webp"));
}

TEST(Animation, FramesMustFit) {
  EXPECT_THAT(error_of(ErrorKind::shape, [] { encode_gif({}, 100); }),
              ::testing::HasSubstr("at least one frame"));
  std::vector<Tensor> mixed = frames(4, 4);
  mixed.push_back(frames(4, 5)[0]);
  EXPECT_THAT(error_of(ErrorKind::shape, [&] { encode_animated_webp(mixed, 100); }),
              ::testing::HasSubstr("one size"));
  EXPECT_THAT(error_of(ErrorKind::shape, [] { encode_gif(frames(4, 4), 0); }),
              ::testing::HasSubstr("at least 1"));
}

TEST(Animation, TransparentFramesLieOnWhite) {
  const Tensor clear = torch::zeros({6, 6, 4}, torch::kUInt8);
  const testing::TemporaryFolder folder;
  write_animation(folder / "clear.webp", {clear, clear});
  EXPECT_TRUE((read_picture(folder / "clear.webp").pixels == 255).all().item<bool>());
}

}  // namespace
}  // namespace unclip::image
