#include "unclip/image/decode.h"

#include <gmock/gmock.h>

#include "support/close.h"
#include "support/error_of.h"
#include "unclip/base/noise.h"
#include "unclip/image/encode.h"
#include "unclip/io/file.h"
#include "unclip/io/safetensors.h"

namespace unclip::image {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

std::filesystem::path pictures() { return std::filesystem::path(UNCLIP_FIXTURES) / "image" / "pictures"; }
using Bytes = std::vector<uint8_t>;

Bytes file(const std::string& name) { return io::read_file(pictures() / name, 1 << 20); }

std::vector<std::string> all_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(pictures())) {
    if (entry.path().extension() != ".safetensors") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The checksum of PNG's chunks.
uint32_t crc32(std::span<const uint8_t> bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

TEST(Decode, AgreesWithPillowOnEveryKindOfFile) {
  const io::SafetensorsFile expected(pictures() / "expected.safetensors");
  const std::vector<std::string> names = all_files();
  EXPECT_EQ(names.size(), 25U);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const torch::Tensor pixels = read_picture(pictures() / name).pixels;
    // Decoders of lossy pictures may round differently.
    const bool is_lossy = name.ends_with(".jpg") || name == "lossy.webp";
    EXPECT_CLOSE(pixels, expected.tensor(name), {.absolute = is_lossy ? 2.0 : 0.0, .relative = 0});
  }
}

TEST(Decode, PutsTransparentPicturesOnWhite) {
  const io::SafetensorsFile expected(pictures() / "expected.safetensors");
  const torch::Tensor rgba = read_picture(pictures() / "rgba.png").pixels;
  EXPECT_TRUE(torch::equal(flatten_on(rgba), expected.tensor("flattened")));
  EXPECT_TRUE(torch::equal(flatten_on(rgba.slice(2, 0, 3)), rgba.slice(2, 0, 3)));
  const torch::Tensor clear = torch::zeros({2, 2, 4}, torch::kUInt8);
  EXPECT_TRUE(flatten_on(clear, 128).eq(128).all().item<bool>());
}

TEST(Decode, NamesWhatIsNoPicture) {
  const auto complaint = [](const std::string& text) {
    return error_of(ErrorKind::data, [&] { decode(Bytes(text.begin(), text.end()), "x.png"); });
  };
  EXPECT_THAT(complaint("GIF89a......"), AllOf(HasSubstr("x.png"), HasSubstr("expected PNG, JPEG or WebP")));
  EXPECT_THAT(complaint(""), HasSubstr("empty"));
  EXPECT_THAT(complaint("\x89PNG\r\n\x1A\n"), HasSubstr("x.png is a damaged PNG picture: it is cut off"));
  EXPECT_THAT(complaint("\xFF\xD8\xFF"), HasSubstr("damaged JPEG"));
  EXPECT_THAT(complaint(std::string("RIFF\0\0\0\0WEBP", 12)), HasSubstr("damaged WebP"));
  EXPECT_THAT(error_of(ErrorKind::io, [] { read_picture(pictures() / "none.png"); }), HasSubstr("none.png"));
}

TEST(Decode, LimitsThePixels) {
  constexpr int64_t kPixels = 117;  // 13 × 9
  for (const char* name : {"rgb.png", "rgb.jpg", "lossy.webp", "animated.webp"}) {
    EXPECT_NO_THROW(decode(file(name), name, kPixels));
    EXPECT_THAT(error_of(ErrorKind::data, [&] { decode(file(name), name, kPixels - 1); }),
                HasSubstr("13 × 9 pixels"));
  }
}

TEST(Decode, RefusesHugeSizesBeforeItMakesRoomForThem) {
  Bytes bytes = file("rgb.png");
  bytes[16] = bytes[20] = 0x7F;  // width and height in the header, which ends with a checksum
  const uint32_t checksum = crc32(std::span(bytes).subspan(12, 17));
  for (int i = 0; i < 4; ++i) bytes[29 + i] = static_cast<uint8_t>(checksum >> (24 - 8 * i));
  EXPECT_THAT(error_of(ErrorKind::data, [&] { decode(bytes, "huge.png"); }),
              HasSubstr("2130706445 × 2130706441 pixels"));
  bytes = file("rgb.jpg");
  const Bytes frame{0xFF, 0xC0};
  const auto sof = std::search(bytes.begin(), bytes.end(), frame.begin(), frame.end());
  ASSERT_NE(sof, bytes.end());
  for (const int at : {5, 7}) sof[at] = 0xF0;
  EXPECT_THAT(error_of(ErrorKind::data, [&] { decode(bytes, "huge.jpg"); }),
              HasSubstr("61453 × 61449 pixels"));
}

TEST(Decode, RefusesEveryTruncation) {
  for (const std::string& name : all_files()) {
    const Bytes whole = file(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      // A JPEG file without its end marker has all its rows.
      if (name.ends_with(".jpg") && size + 2 >= whole.size()) continue;
      EXPECT_THROW(decode(std::span(whole).first(size), name), Error) << name << " cut to " << size;
    }
  }
}

TEST(Decode, SurvivesRandomDamage) {
  constexpr int kRounds = 300;
  for (const std::string& name : all_files()) {
    const Bytes whole = file(name);
    const std::vector<uint32_t> chance = random_bits({11, stream_id(name), 0}, size_t{16} * kRounds);
    auto next = chance.begin();
    for (int round = 0; round < kRounds; ++round) {
      Bytes bytes = whole;
      for (uint32_t changes = *next++ % 4 + 1; changes > 0; --changes) {
        const size_t place = *next++ % bytes.size();
        bytes[place] = static_cast<uint8_t>(*next++);
      }
      try {
        const torch::Tensor pixels = decode(bytes, name, 1'000'000).pixels;
        ASSERT_TRUE(pixels.size(2) == 3 || pixels.size(2) == 4);
      } catch (const Error& error) {
        ASSERT_EQ(error.kind(), ErrorKind::data) << error.what();
      }
    }
  }
}

TEST(Decode, ToleratesStrayBytesInAJpegFile) {
  Bytes bytes = file("rgb.jpg");
  bytes.insert(bytes.end() - 2, {0, 0, 0, 0});  // as some cameras leave before the end marker
  EXPECT_TRUE(torch::equal(decode(bytes, "x").pixels, read_picture(pictures() / "rgb.jpg").pixels));
}

}  // namespace
}  // namespace unclip::image
