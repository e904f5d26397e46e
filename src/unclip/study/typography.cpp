#include "unclip/study/typography.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "unclip/image/label.h"

namespace unclip::study {
namespace {

constexpr int64_t kGlyph = 4, kLine = 6;  // dots of a character with its gap, and of a line with its gap
constexpr size_t kLines = 2;
constexpr int64_t kDotsAcross = 32;  // eight characters a line

/// Words put into lines of at most `length` characters.
std::vector<std::string> wrapped(const std::string& words, size_t length) {
  std::istringstream stream(words);
  std::vector<std::string> lines;
  for (std::string word; stream >> word;) {
    const bool fits = !lines.empty() && lines.back().size() + 1 + word.size() <= length;
    if (fits) lines.back() += " " + word;
    if (!fits) lines.push_back(word.substr(0, length));
  }
  lines.resize(std::min(lines.size(), kLines));
  return lines;
}

}  // namespace

std::string words_of(const std::string& caption) {
  std::string letters;
  for (const char c : caption.substr(0, caption.find(','))) {
    const auto byte = static_cast<unsigned char>(c);
    letters += byte < 128 && std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : ' ';
  }
  std::istringstream stream(letters);
  std::string result;
  for (std::string word; stream >> word;) {
    const bool is_article = result.empty() && (word == "a" || word == "an" || word == "the");
    if (!is_article) result += (result.empty() ? "" : " ") + word;
  }
  return result;
}

torch::Tensor with_words(const torch::Tensor& pixels, const std::string& words) {
  const int64_t height = pixels.size(0), width = pixels.size(1);
  const int64_t dot = std::max<int64_t>(1, std::min(height, width) / kDotsAcross);
  const auto lines = wrapped(words, static_cast<size_t>(width / (kGlyph * dot)));
  const int64_t band = std::min(height, (std::ssize(lines) * kLine + 1) * dot), top = (height - band) * 3 / 4;
  torch::Tensor result = pixels.clone();
  result.narrow(0, top, band).fill_(255);
  for (size_t i = 0; i < lines.size(); ++i) {
    const torch::Tensor print = image::printed(lines[i]).repeat_interleave(dot, 0).repeat_interleave(dot, 1);
    const int64_t row = top + (static_cast<int64_t>(i) * kLine + 1) * dot;
    const int64_t rows = std::min(print.size(0), height - row), columns = std::min(print.size(1), width);
    if (rows <= 0) break;
    result.narrow(0, row, rows)
        .narrow(1, (width - columns) / 2, columns)
        .copy_(print.narrow(0, 0, rows).narrow(1, 0, columns).unsqueeze(2));
  }
  return result;
}

}  // namespace unclip::study
