// Plots as SVG texts that stand in a page by themselves.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace unclip::eval::report {

struct Axes {
  std::string title;
  std::string x;  // labels
  std::string y;
};

/// Points in the order in which a line joins them.
struct Series {
  std::string name;
  std::vector<double> x, y;
  std::vector<double> low = {}, high = {};  // error bars of y; none if empty
  std::vector<std::string> labels = {};     // beside the points; none if empty
};

/// Lines with markers and error bars. Error(shape) if there is no finite point or lengths differ.
std::string line_plot(const Axes& axes, const std::vector<Series>& series);

/// How the values of each series (its `y`) are spread, as outlines over `bins` common bins; shares of the
/// series, so that series of other lengths compare. Error(shape) if there is no finite value.
std::string histogram(const Axes& axes, const std::vector<Series>& series, int bins = 30);

/// Round numbers that divide low … high into about `count` parts, all inside it.
std::vector<double> ticks(double low, double high, int count);

/// A number as people read it: at most `digits` significant ones, no trailing zeros.
std::string number_text(double value, int digits = 4);

}  // namespace unclip::eval::report
