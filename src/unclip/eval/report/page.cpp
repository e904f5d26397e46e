#include "unclip/eval/report/page.h"

#include "unclip/base/error.h"
#include "unclip/image/encode.h"
#include "unclip/text/unicode.h"

namespace unclip::eval::report {
namespace {

constexpr const char* kStyle =
    "body{font-family:sans-serif;max-width:1180px;margin:2em auto;padding:0 1em;line-height:1.45;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border-bottom:1px solid #ddd;padding:.3em .8em;"
    "text-align:right}td:first-child,th:first-child{text-align:left}"
    "pre{background:#f5f5f5;padding:.8em;overflow-x:auto}"
    ".warning{background:#fff3cd;border-left:4px solid #e69f00;padding:.6em 1em}"
    ".plots{display:flex;flex-wrap:wrap;gap:1em}.plots svg{width:560px;max-width:100%}"
    "figure{margin:1em 0}img{max-width:100%;image-rendering:pixelated}";

std::string element(const char* tag, const std::string& text) {
  return join_text('<', tag, '>', escaped(text), "</", tag, ">\n");
}

std::string cells(const char* tag, const Row& row) {
  std::string result = "<tr>";
  for (const std::string& cell : row) result += join_text('<', tag, '>', escaped(cell), "</", tag, '>');
  return result + "</tr>\n";
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text::repair_utf8(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string base64(const std::vector<uint8_t>& bytes) {
  constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < left ? bytes[i + k] : 0U);
    for (size_t k = 0; k < 4; ++k) result += k <= left ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return result;
}

Page::Page(const std::string& title) : title_(title) { body_ = element("h1", title); }

void Page::heading(const std::string& text) { body_ += element("h2", text); }
void Page::paragraph(const std::string& text) { body_ += element("p", text); }
void Page::warning(const std::string& text) {
  body_ += join_text("<p class=\"warning\">", escaped(text), "</p>\n");
}
void Page::code(const std::string& text) { body_ += element("pre", text); }

void Page::table(const Row& header, const std::vector<Row>& rows) {
  body_ += "<table>\n" + cells("th", header);
  for (const Row& row : rows) body_ += cells("td", row);
  body_ += "</table>\n";
}

void Page::plots(const std::vector<std::string>& svgs) {
  body_ += "<div class=\"plots\">\n";
  for (const std::string& svg : svgs) body_ += svg;
  body_ += "</div>\n";
}

void Page::picture(const torch::Tensor& pixels, const std::string& caption) {
  body_ += join_text("<figure><img alt=\"", escaped(caption), "\" src=\"data:image/png;base64,",
                     base64(image::encode_png(pixels)), "\"><figcaption>", escaped(caption),
                     "</figcaption></figure>\n");
}

std::string Page::html() const {
  return join_text("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>",
                   escaped(title_), "</title><style>", kStyle, "</style></head><body>\n", body_,
                   "</body></html>\n");
}

}  // namespace unclip::eval::report
