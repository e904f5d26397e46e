// Unicode as CLIP's tokenizer sees it: normalised text and its division into words.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace unclip::text {

/// Error(data) if `utf8` is not UTF-8 or piles more than 1,024 combining marks on one letter (canonical
/// ordering would take quadratic time).
void check_text(std::string_view utf8);

/// UTF-8 → NFC, runs of white space → one space, lower case letter by letter (so no final sigma), as Hugging
/// Face's fast CLIP tokenizer does. Error(data) as check_text.
std::u32string normalize(std::string_view utf8);

/// The words of normalised text, as UTF-8, by CLIP's pattern: English contractions, runs of letters, single
/// digits, runs of anything else but white space ('s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+).
std::vector<std::string> split_words(std::u32string_view text);

/// The length of the word that normalised text begins with; of white space, 1.
size_t word_length(std::u32string_view text);
bool is_space(char32_t c);

std::string to_utf8(std::u32string_view text);
/// `bytes` with every ill-formed sequence replaced by U+FFFD.
std::string repair_utf8(std::string_view bytes);

}  // namespace unclip::text
