#include "unclip/image/animation.h"

#include <ATen/ops/bincount.h>
#include <gif_lib.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <array>
#include <memory>

#include "unclip/base/error.h"
#include "unclip/image/decode.h"
#include "unclip/io/file.h"

namespace unclip::image {
namespace {

constexpr int kColours = 256;
constexpr int64_t kMaxGifSide = 65535;
constexpr int64_t kMsPerGifUnit = 10;

/// Opaque frames [H, W, 3], all of one size.
std::vector<torch::Tensor> checked_frames(const std::vector<torch::Tensor>& frames, int64_t frame_ms) {
  check(!frames.empty(), ErrorKind::shape, "an animation needs at least one frame");
  check(frame_ms >= 1, ErrorKind::shape, "a frame lasts ", frame_ms, " ms, expected at least 1");
  std::vector<torch::Tensor> opaque;
  for (const torch::Tensor& frame : frames) {
    opaque.push_back(flatten_on(frame).contiguous());
    check(opaque.back().sizes() == opaque.front().sizes(), ErrorKind::shape, "an animation has frames of ",
          opaque.front().sizes(), " and ", opaque.back().sizes(), ", expected one size");
  }
  return opaque;
}

/// All frames below each other as indices into one palette.
struct Indexed {
  std::vector<GifByteType> pixels;
  std::unique_ptr<ColorMapObject, decltype(&GifFreeMapObject)> palette;
};

/// giflib counts colours in 5 bits: each of its 256 groups of pixels gets the mean of its own pixels instead.
void refine(Indexed& indexed, const torch::Tensor& planes) {
  const torch::Tensor groups =
      torch::from_blob(indexed.pixels.data(), {planes.size(1) * planes.size(2)}, torch::kUInt8)
          .to(torch::kLong);
  const torch::Tensor sizes = at::bincount(groups, {}, kColours).to(torch::kFloat64).clamp_min(1);
  for (int64_t channel = 0; channel < 3; ++channel) {
    const torch::Tensor values = planes[channel].flatten().to(torch::kFloat64);
    const torch::Tensor means = (at::bincount(groups, values, kColours) / sizes).round().to(torch::kUInt8);
    for (int64_t i = 0; i < kColours; ++i) {
      GifColorType& colour = indexed.palette->Colors[i];
      (channel == 0 ? colour.Red : channel == 1 ? colour.Green : colour.Blue) = means[i].item<uint8_t>();
    }
  }
}

Indexed quantized(const std::vector<torch::Tensor>& frames) {
  const torch::Tensor planes = torch::cat(frames).permute({2, 0, 1}).contiguous();  // [3, N·H, W]
  const int64_t count = planes.size(1) * planes.size(2);
  const auto plane = [&](int64_t c) { return planes.data_ptr<uint8_t>() + c * count; };
  Indexed result{std::vector<GifByteType>(static_cast<size_t>(count)),
                 {GifMakeMapObject(kColours, nullptr), &GifFreeMapObject}};
  int colours = kColours;
  check(result.palette != nullptr &&
            GifQuantizeBuffer(static_cast<unsigned>(planes.size(2)), static_cast<unsigned>(planes.size(1)),
                              &colours, plane(0), plane(1), plane(2), result.pixels.data(),
                              result.palette->Colors) == GIF_OK,
        ErrorKind::data, "the frames of an animation cannot be brought to ", kColours, " colours");
  refine(result, planes);
  return result;
}

int append(GifFileType* file, const GifByteType* bytes, int count) {
  auto* out = static_cast<std::vector<uint8_t>*>(file->UserData);
  out->insert(out->end(), bytes, bytes + count);
  return count;
}

/// A GIF that is being written to memory.
class GifWriter {
 public:
  explicit GifWriter(std::vector<uint8_t>& out) : file_(EGifOpen(&out, &append, nullptr)) {
    must(file_ != nullptr);
    EGifSetGifVersion(file_, true);
  }
  ~GifWriter() {
    if (file_ != nullptr) EGifCloseFile(file_, nullptr);
  }
  GifWriter(const GifWriter&) = delete;
  GifWriter& operator=(const GifWriter&) = delete;

  void begin(int width, int height, const ColorMapObject* palette) {
    must(EGifPutScreenDesc(file_, width, height, 8, 0, palette) == GIF_OK);
    const std::array<GifByteType, 3> for_ever{1, 0, 0};
    must(EGifPutExtensionLeader(file_, APPLICATION_EXT_FUNC_CODE) == GIF_OK);
    must(EGifPutExtensionBlock(file_, 11, "NETSCAPE2.0") == GIF_OK);
    must(EGifPutExtensionBlock(file_, 3, for_ever.data()) == GIF_OK);
    must(EGifPutExtensionTrailer(file_) == GIF_OK);
  }
  void frame(const GifByteType* pixels, int64_t frame_ms) {
    const GraphicsControlBlock control{
        .DisposalMode = DISPOSE_DO_NOT,
        .UserInputFlag = false,
        .DelayTime = static_cast<int>((frame_ms + kMsPerGifUnit / 2) / kMsPerGifUnit),
        .TransparentColor = NO_TRANSPARENT_COLOR};
    std::array<GifByteType, 4> block{};
    EGifGCBToExtension(&control, block.data());
    must(EGifPutExtension(file_, GRAPHICS_EXT_FUNC_CODE, 4, block.data()) == GIF_OK);
    const int width = file_->SWidth, height = file_->SHeight;
    must(EGifPutImageDesc(file_, 0, 0, width, height, false, nullptr) == GIF_OK);
    std::vector<GifByteType> row(static_cast<size_t>(width));
    for (int y = 0; y < height; ++y, pixels += width) {
      row.assign(pixels, pixels + width);  // giflib masks the row in place
      must(EGifPutLine(file_, row.data(), width) == GIF_OK);
    }
  }
  void end() {
    GifFileType* file = std::exchange(file_, nullptr);
    must(EGifCloseFile(file, nullptr) == GIF_OK);
  }

 private:
  static void must(bool ok) { check(ok, ErrorKind::data, "an animation could not be encoded as GIF"); }
  GifFileType* file_;
};

struct WebPMemory : WebPData {
  WebPMemory() { WebPDataInit(this); }
  ~WebPMemory() { WebPDataClear(this); }
  WebPMemory(const WebPMemory&) = delete;
  WebPMemory& operator=(const WebPMemory&) = delete;
};

struct WebPFrame : WebPPicture {
  WebPFrame() { WebPPictureInit(this); }
  ~WebPFrame() { WebPPictureFree(this); }
  WebPFrame(const WebPFrame&) = delete;
  WebPFrame& operator=(const WebPFrame&) = delete;
};

void add_frame(WebPAnimEncoder* encoder, const torch::Tensor& pixels, int milliseconds) {
  WebPConfig config;
  WebPFrame frame;
  const auto width = static_cast<int>(pixels.size(1));
  frame.use_argb = 1;
  frame.width = width;
  frame.height = static_cast<int>(pixels.size(0));
  const bool added = WebPConfigInit(&config) != 0 && WebPConfigLosslessPreset(&config, 6) != 0 &&
                     WebPPictureImportRGB(&frame, pixels.const_data_ptr<uint8_t>(), 3 * width) != 0 &&
                     WebPAnimEncoderAdd(encoder, &frame, milliseconds, &config) != 0;
  check(added, ErrorKind::data,
        "an animation could not be encoded as WebP: ", WebPAnimEncoderGetError(encoder));
}

std::string lower_ending(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return ending;
}

}  // namespace

std::vector<uint8_t> encode_gif(const std::vector<torch::Tensor>& frames, int64_t frame_ms) {
  const auto opaque = checked_frames(frames, frame_ms);
  const int64_t height = opaque[0].size(0), width = opaque[0].size(1);
  check(std::max(height, width) <= kMaxGifSide, ErrorKind::shape, "a GIF has sides up to ", kMaxGifSide,
        " pixels, but the frames have ", width, " × ", height);
  const Indexed indexed = quantized(opaque);
  std::vector<uint8_t> out;
  GifWriter writer(out);
  writer.begin(static_cast<int>(width), static_cast<int>(height), indexed.palette.get());
  for (size_t i = 0; i < opaque.size(); ++i)
    writer.frame(indexed.pixels.data() + i * static_cast<size_t>(height * width), frame_ms);
  writer.end();
  return out;
}

std::vector<uint8_t> encode_animated_webp(const std::vector<torch::Tensor>& frames, int64_t frame_ms) {
  const auto opaque = checked_frames(frames, frame_ms);
  WebPAnimEncoderOptions options;
  WebPAnimEncoderOptionsInit(&options);
  options.anim_params.loop_count = 0;  // for ever
  const std::unique_ptr<WebPAnimEncoder, decltype(&WebPAnimEncoderDelete)> encoder(
      WebPAnimEncoderNew(static_cast<int>(opaque[0].size(1)), static_cast<int>(opaque[0].size(0)), &options),
      &WebPAnimEncoderDelete);
  check(encoder != nullptr, ErrorKind::data, "an animation of frames ", opaque[0].sizes(),
        " cannot be encoded as WebP, expected at most 16383 pixels a side");
  int64_t now = 0;
  for (const torch::Tensor& frame : opaque) {
    add_frame(encoder.get(), frame, static_cast<int>(now));
    now += frame_ms;
  }
  WebPMemory memory;
  const bool done = WebPAnimEncoderAdd(encoder.get(), nullptr, static_cast<int>(now), nullptr) != 0 &&
                    WebPAnimEncoderAssemble(encoder.get(), &memory) != 0;
  check(done, ErrorKind::data,
        "an animation could not be encoded as WebP: ", WebPAnimEncoderGetError(encoder.get()));
  return {memory.bytes, memory.bytes + memory.size};
}

void check_animation_target(const std::filesystem::path& path, bool force) {
  const std::string ending = lower_ending(path);
  check(ending == ".gif" || ending == ".webp", ErrorKind::io, path.string(),
        " does not end like an animation: expected .gif or .webp");
  io::check_writable_target(path, force);
}

void write_animation(const std::filesystem::path& path,
                     const std::vector<torch::Tensor>& frames,
                     const AnimationOptions& options) {
  check_animation_target(path, options.force);
  const auto bytes = lower_ending(path) == ".gif" ? encode_gif(frames, options.frame_ms)
                                                  : encode_animated_webp(frames, options.frame_ms);
  io::write_file_atomically(path, std::span<const uint8_t>(bytes));
}

}  // namespace unclip::image
