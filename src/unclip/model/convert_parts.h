// What conversions of all kinds of models share. Private to this room.
#pragma once
#include "unclip/io/safetensors.h"
#include "unclip/model/convert.h"
#include "unclip/text/tokenizer.h"

namespace unclip::model {

/// Weights in the type that is asked for; statistics stay as they are.
io::NamedTensors converted(io::NamedTensors weights, std::optional<torch::ScalarType> dtype);

/// Copies the files of these names that are there.
void copy_files(const std::filesystem::path& from,
                const std::vector<std::string>& names,
                const std::filesystem::path& out);

/// The vocabulary and, by Hugging Face's rules, the settings where they exist.
void copy_tokenizer(const std::filesystem::path& tokenizer,
                    text::TokenRules rules,
                    const std::filesystem::path& out);
/// The same for our own layout, in which the folder says that OpenAI's rules hold.
void copy_own_tokenizer(const std::filesystem::path& tokenizer,
                        text::TokenRules rules,
                        const std::filesystem::path& out);

}  // namespace unclip::model
