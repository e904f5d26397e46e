// `unclip train all FOLDER --out MODEL`
#pragma once
#include <CLI/CLI.hpp>
#include <functional>

#include "apps/cli/command.h"

namespace unclip::cli {

/// Adds `all` to the stages of `train`; returns what runs if it was asked for.
std::function<void()> declare_train_all(CLI::App& train, const Context& context);

}  // namespace unclip::cli
