// Tables of captions beside pictures: metadata.csv and metadata.jsonl with file_name and text.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace unclip::data {

struct CaptionRow {
  std::string file_name;  // as written, relative to the table's folder
  std::string text;
};

/// CSV with a header (RFC 4180: quoted fields may hold commas, quotes and line breaks). Other columns are
/// ignored. Error(data) naming `where` and the line if a column is missing or a row is damaged.
std::vector<CaptionRow> read_caption_csv(std::string_view text, const std::string& where);

/// The cells of these columns, row by row. Error(data) as above.
std::vector<std::vector<std::string>> read_csv_columns(std::string_view text,
                                                       const std::vector<std::string>& columns,
                                                       const std::string& where);

/// One JSON object a line. Error(data) naming `where` and the line.
std::vector<CaptionRow> read_caption_jsonl(std::string_view text, const std::string& where);

/// The lines of a caption file, without line ends, surrounding white space and empty lines.
std::vector<std::string> caption_lines(std::string_view text);

/// What a sample's JSON says: {"captions": ["…", …], "weight": 0.2}, both optional, other keys ignored.
struct SampleInfo {
  std::vector<std::string> captions;
  double weight = 1;  // 0 … 1000: how often the sample is drawn in an epoch
};
/// Error(data) naming `where` if the text is no such JSON.
SampleInfo read_sample_json(std::string_view text, const std::string& where);

}  // namespace unclip::data
