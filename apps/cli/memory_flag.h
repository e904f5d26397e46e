// Amounts of memory as people write them.
#pragma once
#include <cstdint>
#include <string>

namespace unclip::cli {

/// "8GiB", "8GB", "500MiB", "1.5 GiB" or plain bytes. Error(usage) names `flag` for anything else.
int64_t bytes_from_text(const std::string& text, const std::string& flag);

}  // namespace unclip::cli
