// Under which licence the files of a folder stand, as far as they say so.
#pragma once
#include <filesystem>
#include <string>

namespace unclip::model {

/// What the head of README.md (the lines between "---", as model hubs write them) gives as `license`, else
/// the first line of LICENSE, LICENSE.txt or LICENSE.md; "" if neither is there.
std::string licence_of(const std::filesystem::path& folder);

}  // namespace unclip::model
