// What OpenAI's tokenizer of CLIP does to a caption before it looks for words (openai/CLIP,
// simple_tokenizer.py).
#pragma once
#include <string>
#include <string_view>

namespace unclip::text {

/// UTF-8 → repaired as the Python package ftfy does by default, HTML entities replaced, white space collapsed
/// and trimmed, lower case (a sigma at the end of a word is final, as in Python). Of ftfy's repairs: terminal
/// escapes and control characters removed, Latin ligatures ("ﬁ") taken apart, full-width and half-width forms
/// made normal, curly quotes straightened, NFC. Not done: text that was decoded with a wrong character set
/// ("Ã©" stays). Of HTML: numbers, the names of ISO 8859-1 and some punctuation, all with semicolon.
/// Error(data) as check_text.
std::u32string clean(std::string_view utf8);

}  // namespace unclip::text
