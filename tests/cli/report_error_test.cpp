#include "apps/cli/report_error.h"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <torch/types.h>

#include <csignal>
#include <iostream>
#include <sstream>

#include "apps/cli/signals.h"
#include "unclip/base/progress.h"

namespace unclip::cli {
namespace {

using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::Not;

struct Report {
  int code = 0;
  std::string text;
};

Report report_of(const std::function<void()>& work) {
  std::ostringstream out;
  try {
    work();
  } catch (...) {
    const int code = report_error(out);
    return {code, out.str()};
  }
  return {};
}

TEST(ReportError, SaysTheSentenceAndTellsUsageFromTheRest) {
  const Report usage = report_of([] { fail(ErrorKind::usage, "--n is 0"); });
  EXPECT_EQ(usage.code, 2);
  EXPECT_EQ(usage.text, "unclip: --n is 0\n");
  for (const ErrorKind kind : {ErrorKind::config, ErrorKind::io, ErrorKind::checkpoint, ErrorKind::data,
                               ErrorKind::shape, ErrorKind::numeric}) {
    EXPECT_EQ(report_of([kind] { fail(kind, "x"); }).code, 1);
  }
}

TEST(ReportError, ShowsLibTorchsErrorsWithoutABacktrace) {
  const Report report = report_of([] { torch::zeros({2}).reshape({3}); });
  EXPECT_EQ(report.code, 1);
  EXPECT_THAT(report.text, HasSubstr("unclip: LibTorch failed: shape '[3]' is invalid for input of size 2"));
  EXPECT_EQ(std::count(report.text.begin(), report.text.end(), '\n'), 1);
}

TEST(ReportError, SaysHowMuchMemoryWasMissing) {
  const Report report = report_of([] { torch::empty({int64_t{1} << 50}); });
  EXPECT_EQ(report.code, 1);
  EXPECT_THAT(report.text, HasSubstr("not enough memory (you tried to allocate 4503599627370496 bytes)"));
  EXPECT_EQ(report_of([] { throw std::bad_alloc(); }).code, 1);
}

/// What a command does that polls for a stop, as a process of its own.
[[noreturn]] void work_until_stopped(int signal) {
  const StopToken stop = stop_on_signals();
  std::raise(signal);
  const Report report = report_of([&stop] { stop.throw_if_stopped(); });
  std::cerr << report.text;
  std::exit(report.code);
}

TEST(SignalsDeathTest, TheFirstStopsTheWorkAtItsNextStep) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(work_until_stopped(SIGINT), ExitedWithCode(130),
              "stopping after this step(.|\n)*stopped by request");
  EXPECT_EXIT(work_until_stopped(SIGTERM), ExitedWithCode(143), "stopping after this step");
}

TEST(SignalsDeathTest, TheSecondEndsAtOnce) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto interrupt_twice = [] {
    stop_on_signals();
    std::raise(SIGINT);
    std::raise(SIGINT);
    std::exit(0);
  };
  EXPECT_EXIT(interrupt_twice(), ExitedWithCode(130), "stopping after this step");
}

}  // namespace
}  // namespace unclip::cli
