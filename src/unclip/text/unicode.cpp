#include "unclip/text/unicode.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <array>

#include "unclip/base/error.h"

namespace unclip::text {
namespace {

constexpr int kMaxCombiningMarks = 1024;
constexpr std::u32string_view kContractions[] = {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};

enum class CharacterClass { letter, number, space, other };

CharacterClass class_of(char32_t c) {
  const auto point = static_cast<UChar32>(c);
  if (u_isUWhiteSpace(point)) return CharacterClass::space;
  const uint32_t mask = U_GET_GC_MASK(point);
  if (mask & U_GC_L_MASK) return CharacterClass::letter;
  if (mask & U_GC_N_MASK) return CharacterClass::number;
  return CharacterClass::other;
}

icu::UnicodeString compose(std::string_view utf8) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  const auto text =
      icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int32_t>(utf8.size())));
  icu::UnicodeString composed = nfc->normalize(text, status);
  check(U_SUCCESS(status), ErrorKind::data, "ICU cannot normalise a text: ", u_errorName(status));
  return composed;
}

/// The length of the contraction that `text` begins with, or 0.
size_t contraction_length(std::u32string_view text) {
  for (const std::u32string_view contraction : kContractions) {
    if (text.starts_with(contraction)) return contraction.size();
  }
  return 0;
}

}  // namespace

void check_text(std::string_view utf8) {
  const auto length = static_cast<int64_t>(utf8.size());
  check(length < (int64_t{1} << 30), ErrorKind::data, "a text of ", length, " bytes is too long to tokenise");
  int marks = 0;
  for (int32_t at = 0; at < length;) {
    const int32_t start = at;
    UChar32 point = 0;
    U8_NEXT(utf8.data(), at, static_cast<int32_t>(length), point);
    check(point >= 0, ErrorKind::data, "the text is not UTF-8: byte ",
          static_cast<int>(static_cast<unsigned char>(utf8[static_cast<size_t>(start)])), " at position ",
          start, " starts no character; convert the text to UTF-8");
    const bool is_mark =
        point >= 0x300 && u_getIntPropertyValue(point, UCHAR_LEAD_CANONICAL_COMBINING_CLASS) != 0;
    marks = is_mark ? marks + 1 : 0;
    check(marks <= kMaxCombiningMarks, ErrorKind::data, "the text piles more than ", kMaxCombiningMarks,
          " combining marks on one letter at position ", start, "; remove them");
  }
}

std::u32string normalize(std::string_view utf8) {
  constexpr UChar32 kCapitalIWithDot = 0x130;
  check_text(utf8);
  const icu::UnicodeString composed = compose(utf8);
  std::u32string result;
  result.reserve(static_cast<size_t>(composed.length()));
  for (int32_t at = 0; at < composed.length(); at = composed.moveIndex32(at, 1)) {
    const UChar32 point = composed.char32At(at);
    if (u_isUWhiteSpace(point)) {
      if (result.empty() || result.back() != U' ') result.push_back(U' ');
    } else if (point == kCapitalIWithDot) {  // the only letter whose lower case is two characters
      result += U"i\u0307";
    } else {
      result.push_back(static_cast<char32_t>(u_tolower(point)));
    }
  }
  return result;
}

bool is_space(char32_t c) { return class_of(c) == CharacterClass::space; }

size_t word_length(std::u32string_view text) {
  const size_t contraction = text[0] == U'\'' ? contraction_length(text) : 0;
  if (contraction > 0) return contraction;
  const CharacterClass kind = class_of(text[0]);
  size_t length = 1;
  const bool is_run = kind == CharacterClass::letter || kind == CharacterClass::other;
  while (is_run && length < text.size() && class_of(text[length]) == kind) ++length;
  return length;
}

std::vector<std::string> split_words(std::u32string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t length = word_length(text.substr(at));
    if (!is_space(text[at])) words.push_back(to_utf8(text.substr(at, length)));
    at += length;
  }
  return words;
}

std::string to_utf8(std::u32string_view text) {
  std::string result;
  for (const char32_t c : text) {
    std::array<char, U8_MAX_LENGTH> bytes{};
    int32_t length = 0;
    U8_APPEND_UNSAFE(bytes.data(), length, static_cast<UChar32>(c));
    result.append(bytes.data(), static_cast<size_t>(length));
  }
  return result;
}

std::string repair_utf8(std::string_view bytes) {
  std::string result;
  icu::UnicodeString::fromUTF8(icu::StringPiece(bytes.data(), static_cast<int32_t>(bytes.size())))
      .toUTF8String(result);
  return result;
}

}  // namespace unclip::text
