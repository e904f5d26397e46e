// A report as one HTML file that needs nothing else: styles, plots and pictures are inside it.
#pragma once
#include <torch/types.h>

#include <string>
#include <vector>

namespace unclip::eval::report {

/// Text as it may stand in HTML and SVG; bytes that are not UTF-8 become U+FFFD.
std::string escaped(const std::string& text);

using Row = std::vector<std::string>;

class Page {
 public:
  explicit Page(const std::string& title);

  void heading(const std::string& text);
  void paragraph(const std::string& text);
  /// What a reader must not overlook.
  void warning(const std::string& text);
  /// A command or file as it is.
  void code(const std::string& text);
  void table(const Row& header, const std::vector<Row>& rows);
  /// Plots side by side, as many as the window has room for.
  void plots(const std::vector<std::string>& svgs);
  /// uint8 [H, W, 3 or 4], as PNG. Pixels stay square and sharp.
  void picture(const torch::Tensor& pixels, const std::string& caption);

  std::string html() const;

 private:
  std::string title_, body_;
};

/// RFC 4648 §4.
std::string base64(const std::vector<uint8_t>& bytes);

}  // namespace unclip::eval::report
