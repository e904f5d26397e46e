// Pictures of an evaluation side by side, as a finding shows them.
#pragma once
#include "unclip/eval/evaluation.h"
#include "unclip/study/finding.h"
#include "unclip/study/lab.h"

namespace unclip::study {

/// A row of an evaluation's first examples, and its name.
using ExampleRow = std::pair<std::string, const eval::Point*>;

/// Real pictures of the first captions of `evaluation`, then a row for each point, drawn for the same
/// captions.
Grid example_grid(const eval::Evaluation& evaluation, const std::vector<ExampleRow>& rows);

}  // namespace unclip::study
