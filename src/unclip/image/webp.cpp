#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>

#include <cstring>

#include "unclip/image/raw_picture.h"

namespace unclip::image {
namespace {

/// The first frame of an animation, on the whole canvas.
void decode_first_frame(const Source& source, RawPicture& picture) {
  const WebPData data{source.bytes.data(), source.bytes.size()};
  WebPAnimDecoderOptions options;
  WebPAnimDecoderOptionsInit(&options);
  const std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder(
      WebPAnimDecoderNew(&data, &options), &WebPAnimDecoderDelete);
  uint8_t* canvas = nullptr;
  int timestamp = 0;
  WebPAnimInfo info;
  if (decoder == nullptr || WebPAnimDecoderGetInfo(decoder.get(), &info) == 0 ||
      info.canvas_width != picture.width || info.canvas_height != picture.height ||
      WebPAnimDecoderGetNext(decoder.get(), &canvas, &timestamp) == 0) {
    source.damaged("WebP", "its first frame cannot be decoded");
  }
  picture.channels = 4;
  picture.allocate();
  std::memcpy(picture.pixels.get(), canvas, picture.byte_count());
}

void decode_still(const Source& source, RawPicture& picture) {
  picture.allocate();
  const auto decode = picture.channels == 4 ? &WebPDecodeRGBAInto : &WebPDecodeRGBInto;
  const uint8_t* done = decode(source.bytes.data(), source.bytes.size(), picture.pixels.get(),
                               picture.byte_count(), static_cast<int>(picture.row_bytes()));
  if (done == nullptr) source.damaged("WebP", "it is cut off or its data is corrupt");
}

int orientation(const Source& source) {
  const WebPData data{source.bytes.data(), source.bytes.size()};
  const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data), &WebPDemuxDelete);
  WebPChunkIterator chunk{};
  if (demuxer == nullptr || WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk) == 0) return 1;
  const int result = exif_orientation({chunk.chunk.bytes, chunk.chunk.size});
  WebPDemuxReleaseChunkIterator(&chunk);
  return result;
}

}  // namespace

RawPicture decode_webp(const Source& source) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(source.bytes.data(), source.bytes.size(), &features) != VP8_STATUS_OK) {
    source.damaged("WebP", "its header cannot be read");
  }
  source.check_size(features.height, features.width);
  RawPicture picture{
      .height = features.height, .width = features.width, .channels = features.has_alpha != 0 ? 4 : 3};
  picture.orientation = orientation(source);
  if (features.has_animation != 0) {
    decode_first_frame(source, picture);
    picture.animated = true;
  } else {
    decode_still(source, picture);
  }
  return picture;
}

std::vector<uint8_t> encode_raw_webp(const PixelView& view, double quality) {
  const auto width = static_cast<int>(view.width), height = static_cast<int>(view.height);
  const int stride = width * static_cast<int>(view.channels);
  uint8_t* out = nullptr;
  size_t size = 0;
  if (quality < 0) {
    size = (view.channels == 4 ? &WebPEncodeLosslessRGBA : &WebPEncodeLosslessRGB)(view.pixels, width, height,
                                                                                   stride, &out);
  } else {
    size = (view.channels == 4 ? &WebPEncodeRGBA : &WebPEncodeRGB)(view.pixels, width, height, stride,
                                                                   static_cast<float>(quality), &out);
  }
  const std::unique_ptr<uint8_t, decltype(&WebPFree)> owner(out, &WebPFree);
  check(size > 0, ErrorKind::data, "a picture of ", width, " × ", height,
        " pixels cannot be encoded as WebP, which holds at most 16383 × 16383");
  return {out, out + size};
}

}  // namespace unclip::image
