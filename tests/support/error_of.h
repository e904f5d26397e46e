// What an action complains about.
#pragma once
#include <gtest/gtest.h>

#include <string>

#include "unclip/base/error.h"

namespace unclip::testing {

/// The message of the Error of kind `kind` that `action` throws; "" (and a failed test) if it throws none or
/// another kind.
template <class Action>
std::string error_of(ErrorKind kind, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

}  // namespace unclip::testing
