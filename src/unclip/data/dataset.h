// Captioned pictures for random access: WebDataset tar shards and plain folders.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unclip/base/stop.h"
#include "unclip/data/damage.h"

namespace unclip::data {

/// Bytes and whatever keeps them alive: a mapped archive or a file that was read.
struct Bytes {
  std::shared_ptr<const void> owner;
  std::span<const uint8_t> data;
  std::string_view text() const { return {reinterpret_cast<const char*>(data.data()), data.size()}; }
};

struct Sample {
  std::string key;                    // unique: "train-000/00012" in a shard, "cats/tom" in a folder
  std::string extension;              // "png", "jpg", "jpeg" or "webp"
  Bytes picture;                      // as stored, not decoded
  std::vector<std::string> captions;  // each UTF-8 and at most 64 KiB
  double weight = 1;                  // how often the sample is drawn in an epoch
  std::string json;                   // the text of x.json, or ""
};

/// A division of a data set that has no held-out pictures of its own: of twenty samples one is held out (at
/// least one in all), those whose keys have the smallest hashes.
enum class Part { all, training, held_out };

struct DatasetOptions {
  bool require_captions = true;  // false: pictures without a caption are samples too (upsamplers)
  Part part = Part::all;
  StopToken stop = {};  // asked before each sample
};

/// A fixed list of samples. The same files give the same list in the same order, whatever the file system.
class Dataset {
 public:
  /// Each source is a tar archive, a folder or a glob pattern of these. Folders are searched to any depth for
  ///   *.tar            members x.png|jpg|jpeg|webp with x.json {"captions": […], "weight": …} or x.txt
  ///   x.png …          with x.txt (each line a caption), x.json, or
  ///   metadata.csv     or metadata.jsonl with file_name and text, one caption a row, beside or above the
  ///   pictures.
  /// Error(io) if a source is missing, Error(data) if nothing in all of them is usable; single damaged
  /// archives, tables and samples are logged in damage() and left out.
  static Dataset open(std::span<const std::string> sources, const DatasetOptions& options = {});

  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;
  ~Dataset();

  int64_t size() const;
  /// Error(io) if a file has gone. The picture may still turn out not to decode.
  Sample sample(int64_t index) const;
  const std::string& key(int64_t index) const;
  Bytes picture(int64_t index) const;
  std::vector<std::string> captions(int64_t index) const;
  std::span<const double> weights() const;

  /// 16 hexadecimal digits that change when a sample is added, removed, renamed or captioned anew.
  std::string fingerprint() const;
  int64_t archive_count() const;
  /// Pictures left out (or, if captions are not required, kept) because they have no caption.
  int64_t without_caption() const;
  const DamageLog& damage() const;

 private:
  struct Contents;
  explicit Dataset(std::unique_ptr<Contents> contents);
  std::unique_ptr<Contents> contents_;
};

}  // namespace unclip::data
