#include "unclip/text/clean.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <array>
#include <charconv>
#include <optional>

#include "unclip/base/error.h"
#include "unclip/text/unicode.h"

namespace unclip::text {
namespace {

using Text = std::u32string;

// HTML ----------------------------------------------------------------------------------------------

/// Names of U+00A0 to U+00FF, in order (HTML 3.2).
constexpr std::array<std::string_view, 96> kLatin1{
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",
    "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",
    "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12",
    "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil",
    "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde",
    "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",
    "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",
    "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",
    "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
    "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};

struct Entity {
  std::string_view name;
  char32_t character;
};
constexpr std::array<Entity, 15> kEntities{{{"amp", U'&'},
                                            {"lt", U'<'},
                                            {"gt", U'>'},
                                            {"quot", U'"'},
                                            {"apos", U'\''},
                                            {"ndash", U'–'},
                                            {"mdash", U'—'},
                                            {"lsquo", U'‘'},
                                            {"rsquo", U'’'},
                                            {"ldquo", U'“'},
                                            {"rdquo", U'”'},
                                            {"hellip", U'…'},
                                            {"euro", U'€'},
                                            {"trade", U'™'},
                                            {"bull", U'•'}}};

/// What browsers see in &#128; to &#159;: Windows-1252, with its five holes.
constexpr std::u32string_view kWindows1252 =
    U"\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F"
    U"\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178";

/// The character of a number; control characters are nothing, and what is no character is U+FFFD.
Text character_of(uint32_t point) {
  constexpr char32_t kReplacement = 0xFFFD;
  if (point == 0 || point >= 0x110000 || U_IS_SURROGATE(point)) return {kReplacement};
  if (point >= 0x80 && point <= 0x9F) return {kWindows1252[point - 0x80]};
  const bool is_control =
      (point < 0x20 && point != '\t' && point != '\n' && point != '\f' && point != '\r') || point == 0x7F;
  return is_control || U_IS_UNICODE_NONCHAR(point) ? Text() : Text{static_cast<char32_t>(point)};
}

/// "#65" or "#x41".
std::optional<Text> numbered(std::string_view reference) {
  reference.remove_prefix(1);
  const bool is_hex = reference.starts_with('x') || reference.starts_with('X');
  if (is_hex) reference.remove_prefix(1);
  uint32_t point = 0;
  const char* end = reference.data() + reference.size();
  const auto read = std::from_chars(reference.data(), end, point, is_hex ? 16 : 10);
  const bool is_large = read.ec == std::errc::result_out_of_range;
  if (read.ptr != end || (read.ec != std::errc() && !is_large)) return std::nullopt;
  return character_of(is_large ? 0 : point);
}

std::optional<Text> entity(std::string_view name) {
  if (name.starts_with('#')) return numbered(name);
  for (const Entity& known : kEntities) {
    if (known.name == name) return Text{known.character};
  }
  for (size_t i = 0; i < kLatin1.size(); ++i) {
    if (kLatin1[i] == name) return Text{static_cast<char32_t>(0xA0 + i)};
  }
  return std::nullopt;
}

Text unescape_html(const Text& text) {
  constexpr size_t kLongest = 24;
  Text result;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text[at] == U'&' ? text.find(U';', at) : Text::npos;
    if (end != Text::npos && end - at <= kLongest) {
      const std::string name = to_utf8(std::u32string_view(text).substr(at + 1, end - at - 1));
      if (const std::optional<Text> character = entity(name)) {
        result += *character;
        at = end + 1;
        continue;
      }
    }
    result.push_back(text[at++]);
  }
  return result;
}

// ftfy ----------------------------------------------------------------------------------------------

/// ESC [ numbers letter, as terminals are given colours.
Text remove_terminal_escapes(const Text& text) {
  Text result;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == U'\x1b' && at + 1 < text.size() && text[at + 1] == U'[') {
      size_t end = at + 2;
      while (end < text.size() && ((text[end] >= U'0' && text[end] <= U'9') || text[end] == U';')) ++end;
      const bool is_letter =
          end < text.size() && text[end] < 0x80 && u_isalpha(static_cast<UChar32>(text[end])) != 0;
      if (is_letter) {
        at = end;
        continue;
      }
    }
    result.push_back(text[at]);
  }
  return result;
}

/// What a Latin ligature or digraph is made of, or "".
std::u32string_view parts_of_ligature(char32_t c) {
  constexpr std::array<std::u32string_view, 9> kDigraphs{U"DŽ", U"Dž", U"dž", U"LJ", U"Lj",
                                                         U"lj", U"NJ", U"Nj", U"nj"};
  constexpr std::array<std::u32string_view, 7> kLigatures{U"ff", U"fi", U"fl", U"ffi", U"ffl", U"ſt", U"st"};
  constexpr std::array<std::u32string_view, 3> kDz{U"DZ", U"Dz", U"dz"};
  if (c >= 0x1C4 && c <= 0x1CC) return kDigraphs[c - 0x1C4];
  if (c >= 0x1F1 && c <= 0x1F3) return kDz[c - 0x1F1];
  if (c >= 0xFB00 && c <= 0xFB06) return kLigatures[c - 0xFB00];
  if (c == U'Ĳ') return U"IJ";
  if (c == U'ĳ') return U"ij";
  return c == U'ŉ' ? U"ʼn" : U"";
}

bool is_control(char32_t c) {
  return c < 0x09 || c == 0x0B || (c >= 0x0E && c < 0x20) || c == 0x7F || (c >= 0x206A && c < 0x2070) ||
         c == 0xFEFF || (c >= 0xFFF9 && c < 0xFFFD);
}

char32_t straight_quote(char32_t c) {
  if (c == 0x2BC || (c >= 0x2018 && c <= 0x201B)) return U'\'';
  return c >= 0x201C && c <= 0x201F ? U'"' : c;
}

const icu::Normalizer2& normalizer(bool compatible) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* result =
      compatible ? icu::Normalizer2::getNFKCInstance(status) : icu::Normalizer2::getNFCInstance(status);
  check(U_SUCCESS(status), ErrorKind::data, "ICU cannot normalise a text: ", u_errorName(status));
  return *result;
}

icu::UnicodeString to_icu(std::u32string_view text) {
  return icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()),
                                       static_cast<int32_t>(text.size()));
}

void append(Text& text, const icu::UnicodeString& more) {
  for (int32_t at = 0; at < more.length(); at = more.moveIndex32(at, 1)) {
    text.push_back(static_cast<char32_t>(more.char32At(at)));
  }
}

icu::UnicodeString normalized(const icu::UnicodeString& text, bool compatible) {
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString result = normalizer(compatible).normalize(text, status);
  check(U_SUCCESS(status), ErrorKind::data, "ICU cannot normalise a text: ", u_errorName(status));
  return result;
}

/// Full-width and half-width forms (U+FF01 to U+FFEF) and the wide space become the usual characters.
void append_normal_width(Text& text, char32_t c) {
  if (c == 0x3000) {
    text.push_back(U' ');
  } else if (c >= 0xFF01 && c <= 0xFFEF) {
    append(text, normalized(to_icu({&c, 1}), true));
  } else {
    text.push_back(c);
  }
}

Text repair(const Text& text) {
  Text result;
  for (const char32_t c : remove_terminal_escapes(text)) {
    const std::u32string_view parts = parts_of_ligature(c);
    if (!parts.empty()) {
      for (const char32_t part : parts) result.push_back(straight_quote(part));
    } else if (!is_control(c)) {
      append_normal_width(result, straight_quote(c));
    }
  }
  return result;
}

// ---------------------------------------------------------------------------------------------------

Text collapse_spaces(const Text& text) {
  Text result;
  for (const char32_t c : text) {
    if (!is_space(c)) {
      result.push_back(c);
    } else if (!result.empty() && result.back() != U' ') {
      result.push_back(U' ');
    }
  }
  if (!result.empty() && result.back() == U' ') result.pop_back();
  return result;
}

}  // namespace

std::u32string clean(std::string_view utf8) {
  check_text(utf8);
  Text text;
  append(text,
         icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<int32_t>(utf8.size()))));
  if (text.find(U'<') == Text::npos) text = unescape_html(text);  // ftfy: where it is no markup
  Text repaired;
  append(repaired, normalized(to_icu(repair(text)), false));
  text = collapse_spaces(unescape_html(unescape_html(repaired)));
  Text result;
  append(result, to_icu(text).toLower(icu::Locale::getRoot()));
  return result;
}

}  // namespace unclip::text
