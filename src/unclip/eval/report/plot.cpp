#include "unclip/eval/report/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "unclip/base/error.h"
#include "unclip/eval/report/page.h"

namespace unclip::eval::report {
namespace {

constexpr double kWidth = 560, kHeight = 340;
constexpr double kLeft = 64, kRight = 16, kTop = 34, kBottom = 52;
constexpr double kMargin = 0.06;  // around the data, of its range
constexpr int kTicks = 5;
// Okabe & Ito's colours, which colour-blind readers tell apart.
constexpr std::array<const char*, 7> kColours{"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                              "#E69F00", "#56B4E9", "#000000"};

const char* colour(size_t index) { return kColours[index % kColours.size()]; }

/// A coordinate with a tenth of a pixel.
std::string at(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void take(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void widen(double share) {
    check(low <= high, ErrorKind::shape, "a plot has no finite value");
    const double extra = high > low ? (high - low) * share : std::max(std::abs(low) * share, 1e-6);
    low -= extra;
    high += extra;
  }
};

/// From data to pixels, and what lies around the data.
class Canvas {
 public:
  Canvas(const Axes& axes, const Range& x, const Range& y) : x_(x), y_(y) {
    svg_ = join_text("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", kWidth, ' ', kHeight,
                     "\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\n");
    svg_ += text(kWidth / 2, 20, "middle", axes.title, " font-size=\"14\"");
    svg_ += text((kLeft + kWidth - kRight) / 2, kHeight - 12, "middle", axes.x);
    svg_ += text(16, (kTop + kHeight - kBottom) / 2, "middle", axes.y,
                 join_text(" transform=\"rotate(-90 16 ", at((kTop + kHeight - kBottom) / 2), ")\""));
    draw_ticks();
  }

  double px(double x) const { return kLeft + (x - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight); }
  double py(double y) const {
    return kHeight - kBottom - (y - y_.low) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
  }
  void line(double x1, double y1, double x2, double y2, const std::string& style) {
    svg_ += join_text("<line x1=\"", at(x1), "\" y1=\"", at(y1), "\" x2=\"", at(x2), "\" y2=\"", at(y2),
                      "\" ", style, "/>\n");
  }
  void path(const std::string& points, const char* stroke) {
    svg_ += join_text("<polyline points=\"", points, "\" fill=\"none\" stroke=\"", stroke,
                      "\" stroke-width=\"2\"/>\n");
  }
  void marker(double x, double y, const char* fill) {
    svg_ += join_text("<circle cx=\"", at(x), "\" cy=\"", at(y), "\" r=\"3.5\" fill=\"", fill, "\"/>\n");
  }
  void label(double x, double y, const std::string& words) { svg_ += text(x, y, "start", words); }
  void legend(const std::vector<Series>& series) {
    for (size_t i = 0; i < series.size(); ++i) {
      const double y = kTop + 14 + 16 * static_cast<double>(i), x = kWidth - kRight - 130;
      line(x, y - 4, x + 18, y - 4, join_text("stroke=\"", colour(i), "\" stroke-width=\"3\""));
      label(x + 24, y, series[i].name);
    }
  }
  std::string finish() { return svg_ + "</svg>\n"; }

 private:
  static std::string text(
      double x, double y, const char* anchor, const std::string& words, const std::string& more = "") {
    return join_text("<text x=\"", at(x), "\" y=\"", at(y), "\" text-anchor=\"", anchor, "\"", more, ">",
                     escaped(words), "</text>\n");
  }
  void draw_ticks() {
    const std::string grid = "stroke=\"#dddddd\"";
    for (const double value : ticks(x_.low, x_.high, kTicks)) {
      line(px(value), kTop, px(value), kHeight - kBottom, grid);
      svg_ += text(px(value), kHeight - kBottom + 16, "middle", number_text(value));
    }
    for (const double value : ticks(y_.low, y_.high, kTicks)) {
      line(kLeft, py(value), kWidth - kRight, py(value), grid);
      svg_ += text(kLeft - 6, py(value) + 4, "end", number_text(value));
    }
  }

  Range x_, y_;
  std::string svg_;
};

void check_lengths(const Series& s) {
  const auto fits = [&](size_t size) { return size == 0 || size == s.y.size(); };
  check(s.x.size() == s.y.size() && fits(s.low.size()) && s.low.size() == s.high.size() &&
            fits(s.labels.size()),
        ErrorKind::shape, "the series '", s.name, "' of a plot has parts of different lengths");
}

void draw_series(Canvas& canvas, const Series& s, const char* stroke) {
  std::string points;
  for (size_t i = 0; i < s.x.size(); ++i) {
    if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
    const double x = canvas.px(s.x[i]), y = canvas.py(s.y[i]);
    points += at(x) + "," + at(y) + " ";
    if (!s.low.empty()) {
      canvas.line(x, canvas.py(s.low[i]), x, canvas.py(s.high[i]),
                  join_text("stroke=\"", stroke, "\" stroke-width=\"1.5\""));
    }
    canvas.marker(x, y, stroke);
    if (!s.labels.empty()) canvas.label(x + 6, y - 6, s.labels[i]);
  }
  canvas.path(points, stroke);
}

}  // namespace

std::string number_text(double value, int digits) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, value);
  return text.data();
}

std::vector<double> ticks(double low, double high, int count) {
  const double rough = (high - low) / count, power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough) step = factor * power;
  }
  std::vector<double> result;
  for (auto i = static_cast<int64_t>(std::ceil(low / step)); static_cast<double>(i) * step <= high; ++i)
    result.push_back(static_cast<double>(i) * step);
  return result;
}

std::string line_plot(const Axes& axes, const std::vector<Series>& series) {
  Range x, y;
  for (const Series& s : series) {
    check_lengths(s);
    for (const double value : s.x) x.take(value);
    for (const auto* values : {&s.y, &s.low, &s.high}) {
      for (const double value : *values) y.take(value);
    }
  }
  x.widen(kMargin);
  y.widen(kMargin);
  Canvas canvas(axes, x, y);
  for (size_t i = 0; i < series.size(); ++i) draw_series(canvas, series[i], colour(i));
  if (series.size() > 1) canvas.legend(series);
  return canvas.finish();
}

std::string histogram(const Axes& axes, const std::vector<Series>& series, int bins) {
  Range x;
  for (const Series& s : series) {
    for (const double value : s.y) x.take(value);
  }
  x.widen(kMargin / 2);
  const double bin = (x.high - x.low) / bins;
  std::vector<std::vector<double>> shares;
  Range y;
  y.take(0);
  for (const Series& s : series) {
    std::vector<double>& share = shares.emplace_back(static_cast<size_t>(bins));
    for (const double value : s.y) {
      if (!std::isfinite(value)) continue;
      const auto index = static_cast<int>((value - x.low) / bin);
      share[static_cast<size_t>(std::clamp(index, 0, bins - 1))] += 1 / static_cast<double>(s.y.size());
    }
    for (const double value : share) y.take(value * 1.08);
  }
  Canvas canvas(axes, x, y);
  for (size_t i = 0; i < series.size(); ++i) {
    std::string points;
    for (int b = 0; b < bins; ++b) {
      const double share = shares[i][static_cast<size_t>(b)];
      for (const int edge : {b, b + 1})
        points += at(canvas.px(x.low + bin * edge)) + "," + at(canvas.py(share)) + " ";
    }
    canvas.path(points, colour(i));
  }
  if (series.size() > 1) canvas.legend(series);
  return canvas.finish();
}

}  // namespace unclip::eval::report
