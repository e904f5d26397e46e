// Where the time of a network goes, by kind of operator.
#pragma once
#include <functional>
#include <iosfwd>

namespace unclip::bench {

/// Runs `work` once with every operator timed. One row per kind: calls, seconds without those of the
/// operators it calls itself, share, GFLOP/s, and GB/s of operands read and written once.
void print_operator_table(const std::function<void()>& work, std::ostream& out);

}  // namespace unclip::bench
