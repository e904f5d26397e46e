#include "unclip/data/dataset.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "unclip/base/error.h"
#include "unclip/base/noise.h"
#include "unclip/base/progress.h"
#include "unclip/data/scan.h"
#include "unclip/data/table.h"
#include "unclip/io/file.h"
#include "unclip/text/unicode.h"

namespace unclip::data {
namespace {

constexpr int64_t kMaxPictureBytes = int64_t{1} << 30;
constexpr size_t kMaxCaptionBytes = size_t{64} << 10;
constexpr size_t kHeldOutOneIn = 20;

Bytes read(const Blob& blob) {
  if (blob.archive != nullptr) return {blob.archive, blob.archive->bytes().subspan(blob.offset, blob.size)};
  if (!blob.exists()) return {};
  auto content = std::make_shared<const std::vector<uint8_t>>(io::read_file(blob.path, kMaxPictureBytes));
  return {content, *content};
}

/// Captions from x.json, else a table, else x.txt.
SampleInfo read_info(const Entry& entry) {
  SampleInfo info;
  if (entry.json.exists()) info = read_sample_json(read(entry.json).text(), entry.key + ".json");
  if (info.captions.empty()) info.captions = entry.rows;
  if (info.captions.empty()) info.captions = caption_lines(read(entry.text).text());
  return info;
}

/// Leaves those of `entries` that belong to `part`.
void select(Part part, std::vector<Entry>& entries) {
  if (part == Part::all || entries.empty()) return;
  const auto hash = [](const Entry& entry) { return stream_id("held out " + entry.key); };
  std::vector<uint64_t> hashes(entries.size());
  std::ranges::transform(entries, hashes.begin(), hash);
  const size_t held_out = std::max<size_t>(1, entries.size() / kHeldOutOneIn);
  const auto last_held_out = hashes.begin() + static_cast<std::ptrdiff_t>(held_out - 1);
  std::ranges::nth_element(hashes, last_held_out);
  std::erase_if(entries, [&, largest = *last_held_out](const Entry& entry) {
    return (hash(entry) <= largest) != (part == Part::held_out);
  });
}

void check_captions(const std::vector<std::string>& captions) {
  for (const std::string& caption : captions) {
    check(caption.size() <= kMaxCaptionBytes, ErrorKind::data, "a caption has ", caption.size(),
          " bytes, expected at most ", kMaxCaptionBytes);
    text::check_text(caption);
  }
}

}  // namespace

struct Dataset::Contents {
  std::vector<Entry> entries;
  std::vector<double> weights;
  int64_t archives = 0;
  int64_t without_caption = 0;
  uint64_t hash = 0;  // of the samples' keys, captions and weights
  DamageLog damage;

  /// Keeps `entry` if its captions and weight are in order.
  void admit(Entry entry, const DatasetOptions& options) {
    try {
      const SampleInfo info = read_info(entry);
      check_captions(info.captions);
      if (info.captions.empty()) ++without_caption;
      if (info.captions.empty() && options.require_captions) return;
      std::string identity = join_text(hash, '\n', entry.key, '\n', info.weight);
      for (const std::string& caption : info.captions) identity += '\n' + caption;
      hash = stream_id(identity);
      weights.push_back(info.weight);
      entries.push_back(std::move(entry));
    } catch (const Error& error) {
      damage.add(entry.key, error.what());
    }
  }

  const Entry& entry(int64_t index) const {
    check(index >= 0 && index < static_cast<int64_t>(entries.size()), ErrorKind::data, "sample ", index,
          " is out of range: the data set has ", entries.size());
    return entries[static_cast<size_t>(index)];
  }
};

Dataset::Dataset(std::unique_ptr<Contents> contents) : contents_(std::move(contents)) {}
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;
Dataset::~Dataset() = default;

Dataset Dataset::open(std::span<const std::string> sources, const DatasetOptions& options) {
  auto contents = std::make_unique<Contents>();
  ScanResult found;
  for (const std::string& source : sources) scan_source(source, found, contents->damage);
  contents->archives = found.archives;
  select(options.part, found.entries);
  for (Entry& entry : found.entries) {
    options.stop.throw_if_stopped();
    contents->admit(std::move(entry), options);
  }
  if (contents->entries.empty()) {
    const auto damaged = contents->damage.entries();
    const std::string reason = !damaged.empty() ? damaged[0].name + ": " + damaged[0].reason
                               : contents->without_caption > 0
                                   ? join_text(contents->without_caption, " pictures have no caption")
                                   : "no picture was found";
    fail(ErrorKind::data, "no usable sample in ", sources.empty() ? "an empty list of sources" : sources[0],
         " (", reason, "); expected tar shards, or pictures with captions in x.txt, x.json or metadata.csv");
  }
  return Dataset(std::move(contents));
}

int64_t Dataset::size() const { return static_cast<int64_t>(contents_->entries.size()); }

Sample Dataset::sample(int64_t index) const {
  const Entry& entry = contents_->entry(index);
  Sample sample{entry.key, entry.extension, read(entry.picture), read_info(entry).captions, 1, ""};
  sample.weight = contents_->weights[static_cast<size_t>(index)];
  if (entry.json.exists()) sample.json = read(entry.json).text();
  return sample;
}

Bytes Dataset::picture(int64_t index) const { return read(contents_->entry(index).picture); }

const std::string& Dataset::key(int64_t index) const { return contents_->entry(index).key; }

std::vector<std::string> Dataset::captions(int64_t index) const {
  return read_info(contents_->entry(index)).captions;
}

std::span<const double> Dataset::weights() const { return contents_->weights; }

std::string Dataset::fingerprint() const {
  std::ostringstream text;
  text << std::hex << std::setw(16) << std::setfill('0') << contents_->hash;
  return text.str();
}

int64_t Dataset::archive_count() const { return contents_->archives; }

int64_t Dataset::without_caption() const { return contents_->without_caption; }

const DamageLog& Dataset::damage() const { return contents_->damage; }

}  // namespace unclip::data
