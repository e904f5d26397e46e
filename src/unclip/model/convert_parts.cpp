#include "unclip/model/convert_parts.h"

#include "unclip/io/file.h"

namespace unclip::model {
namespace fs = std::filesystem;

io::NamedTensors converted(io::NamedTensors weights, std::optional<torch::ScalarType> dtype) {
  for (auto& [name, tensor] : weights) {
    if (dtype && tensor.is_floating_point() && !name.starts_with("stats.")) tensor = tensor.to(*dtype);
  }
  return weights;
}

void copy_files(const fs::path& from, const std::vector<std::string>& names, const fs::path& out) {
  for (const std::string& name : names) {
    if (fs::is_regular_file(from / name)) fs::copy_file(from / name, out / name);
  }
}

void copy_tokenizer(const fs::path& tokenizer, text::TokenRules rules, const fs::path& out) {
  fs::create_directories(out);
  for (const char* name : {"vocab.json", "merges.txt"}) fs::copy_file(tokenizer / name, out / name);
  if (rules == text::TokenRules::hugging_face)
    copy_files(tokenizer, {"special_tokens_map.json", "tokenizer_config.json"}, out);
}

void copy_own_tokenizer(const fs::path& tokenizer, text::TokenRules rules, const fs::path& out) {
  copy_tokenizer(tokenizer, rules, out);
  if (rules == text::TokenRules::openai) {
    io::write_file_atomically(out / "tokenizer_config.json",
                              std::string_view("{\"tokenizer_class\": \"SimpleTokenizer\"}\n"));
  }
}

}  // namespace unclip::model
