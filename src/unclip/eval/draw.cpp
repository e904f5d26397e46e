#include "unclip/eval/draw.h"

#include <iomanip>
#include <numeric>

#include "unclip/base/noise.h"
#include "unclip/data/archive.h"
#include "unclip/image/encode.h"
#include "unclip/image/network.h"
#include "unclip/io/file.h"

namespace unclip::eval {
namespace fs = std::filesystem;
namespace {

constexpr int64_t kShard = 64;  // pictures: what an interruption costs at most

std::string key_of(const DrawRequest& request) {
  uint64_t key = stream_id(join_text(request.identity, '\n', request.seed));
  for (const std::string& caption : request.captions) key = stream_id(join_text(key, '\n', caption));
  return join_text(std::hex, std::setw(16), std::setfill('0'), key);
}

std::string numbered(int64_t number, int width) {
  return join_text(std::setw(width), std::setfill('0'), number);
}

std::string shard_bytes(const torch::Tensor& pixels,
                        const std::vector<std::string>& captions,
                        int64_t first) {
  data::ArchiveBuilder builder;
  for (int64_t i = 0; i < pixels.size(0); ++i) {
    const std::string name = numbered(first + i, 6), &caption = captions[size_t(i)];
    builder.add(name + ".png", image::encode_png(pixels[i]));
    builder.add(name + ".txt", {reinterpret_cast<const uint8_t*>(caption.data()), caption.size()});
  }
  return builder.finish();
}

}  // namespace

fs::path draw_pictures(const pipeline::Unclip& model,
                       const DrawRequest& request,
                       const fs::path& folder,
                       const std::string& stage,
                       Progress& progress) {
  const fs::path target = folder / key_of(request);
  fs::create_directories(target);
  const auto count = static_cast<int64_t>(request.captions.size());
  const auto silent = silent_progress(progress.stop());
  progress.begin(stage, count);
  for (int64_t first = 0; first < count; first += kShard) {
    progress.throw_if_stopped();
    const int64_t last = std::min(first + kShard, count);
    const fs::path shard = target / (numbered(first / kShard, 5) + ".tar");
    if (!fs::exists(shard)) {
      pipeline::GenerateRequest part{
          .captions = {request.captions.begin() + first, request.captions.begin() + last},
          .seeds = std::vector<uint64_t>(size_t(last - first)),
          .sampling = request.sampling};
      std::iota(part.seeds.begin(), part.seeds.end(), request.seed + static_cast<uint64_t>(first));
      const torch::Tensor pixels = image::to_pixels(model.generate(part, *silent).pictures);
      io::write_file_atomically(shard, shard_bytes(pixels, part.captions, first));
    }
    progress.advance(last - first);
  }
  progress.end();
  return target;
}

}  // namespace unclip::eval
