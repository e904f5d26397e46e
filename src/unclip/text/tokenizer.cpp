#include "unclip/text/tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "unclip/base/error.h"
#include "unclip/io/file.h"
#include "unclip/text/clean.h"
#include "unclip/text/unicode.h"

namespace unclip::text {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMaxConfigBytes = int64_t{16} << 20;
constexpr std::string_view kConfigFile = "tokenizer_config.json";

/// The JSON object in `file`, empty if there is no such file.
Json read_object(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return Json::object();
  Json json = Json::parse(io::read_text(file, kMaxConfigBytes), nullptr, false);
  check(json.is_object(), ErrorKind::data, file.string(), " is damaged: expected a JSON object");
  return json;
}

/// A token written as text or as {"content": …, "normalized": …}.
SpecialToken read_token(const Json& json, const std::filesystem::path& file) {
  if (json.is_string()) return {json.get<std::string>(), false};
  check(json.is_object() && json.contains("content") && json["content"].is_string(), ErrorKind::data,
        file.string(), " is damaged: a special token is of type ", json.type_name(),
        ", expected text or an object with 'content'");
  const auto normalized = json.find("normalized");
  return {json["content"].get<std::string>(), normalized != json.end() && *normalized == true};
}

void read_roles(const std::filesystem::path& file, SpecialTokens& special) {
  const Json json = read_object(file);
  const std::pair<const char*, SpecialToken*> roles[] = {{"bos_token", &special.start},
                                                         {"eos_token", &special.end},
                                                         {"pad_token", &special.pad},
                                                         {"unk_token", &special.unknown}};
  for (const auto& [name, role] : roles) {
    if (json.contains(name) && !json[name].is_null()) *role = read_token(json[name], file);
  }
}

/// Walks over `text`: calls `on_text` with what lies between special tokens and `on_token` with their ids.
template <class Cuts, class View, class OnText, class OnToken>
void cut(const Cuts& cuts, View text, const OnText& on_text, const OnToken& on_token) {
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const auto found = std::find_if(cuts.begin(), cuts.end(), [&](const auto& token) {
      return text.substr(at).starts_with(token.first);
    });
    if (found == cuts.end()) {
      ++at;
      continue;
    }
    on_text(text.substr(begin, at - begin));
    on_token(found->second);
    at += found->first.size();
    begin = at;
  }
  on_text(text.substr(begin));
}

template <class Cuts, class Text>
void insert_longest_first(Cuts& cuts, Text text, int64_t id) {
  const auto place = std::find_if(cuts.begin(), cuts.end(),
                                  [&](const auto& token) { return token.first.size() < text.size(); });
  cuts.insert(place, {std::move(text), id});
}

}  // namespace

SpecialTokens SpecialTokens::load(const std::filesystem::path& folder) {
  SpecialTokens special;
  const std::filesystem::path config_file = folder / kConfigFile;
  read_roles(config_file, special);
  read_roles(folder / "special_tokens_map.json", special);
  const Json config = read_object(config_file);
  const auto added = config.find("added_tokens_decoder");
  if (added == config.end()) return special;
  check(added->is_object(), ErrorKind::data, config_file.string(),
        " is damaged: 'added_tokens_decoder' must be an object");
  for (const Json& entry : *added) {
    const SpecialToken token = read_token(entry, config_file);
    bool has_role = false;
    for (SpecialToken* role : {&special.start, &special.end, &special.pad, &special.unknown}) {
      if (role->content != token.content) continue;
      has_role = true;
      role->normalized = token.normalized;
    }
    if (!has_role) special.others.push_back(token);
  }
  return special;
}

Tokenizer::Tokenizer(Vocabulary vocabulary, SpecialTokens special)
    : vocabulary_(std::move(vocabulary)),
      start_id_(add_special(special.start)),
      end_id_(add_special(special.end)),
      pad_id_(add_special(special.pad)),
      byte_pairs_(vocabulary_, add_special(special.unknown)) {
  for (const SpecialToken& token : special.others) add_special(token);
}

Tokenizer Tokenizer::openai(Vocabulary vocabulary) {
  Tokenizer tokenizer(std::move(vocabulary));
  tokenizer.rules_ = TokenRules::openai;
  tokenizer.pad_id_ = 0;
  return tokenizer;
}

Tokenizer Tokenizer::load(const std::filesystem::path& folder) {
  const Json config = read_object(folder / kConfigFile);
  if (config.value("tokenizer_class", Json()) == "SimpleTokenizer") return openai(Vocabulary::load(folder));
  return Tokenizer(Vocabulary::load(folder), SpecialTokens::load(folder));
}

int64_t Tokenizer::add_special(const SpecialToken& token) {
  const int64_t id = vocabulary_.find(token.content);
  check(id >= 0, ErrorKind::data, "the special token '", token.content, "' is not in the vocabulary of ",
        vocabulary_.size(), " tokens");
  const auto has_id = [id](const auto& known) { return known.second == id; };
  if (std::any_of(raw_cuts_.begin(), raw_cuts_.end(), has_id) ||
      std::any_of(normalized_cuts_.begin(), normalized_cuts_.end(), has_id)) {
    return id;
  }
  if (token.normalized) {
    insert_longest_first(normalized_cuts_, normalize(token.content), id);
  } else {
    insert_longest_first(raw_cuts_, token.content, id);
  }
  return id;
}

std::vector<int64_t> Tokenizer::encode(std::string_view caption) const {
  std::vector<int64_t> ids;
  if (rules_ == TokenRules::openai) {
    encode_as_openai(caption, ids);
    return ids;
  }
  cut(
      raw_cuts_, caption, [&](std::string_view text) { encode_normalized(normalize(text), ids); },
      [&](int64_t id) { ids.push_back(id); });
  return ids;
}

void Tokenizer::encode_normalized(std::u32string_view text, std::vector<int64_t>& ids) const {
  cut(
      normalized_cuts_, text, [&](std::u32string_view words) { encode_words(words, ids); },
      [&](int64_t id) { ids.push_back(id); });
}

void Tokenizer::encode_words(std::u32string_view text, std::vector<int64_t>& ids) const {
  for (const std::string& word : split_words(text)) byte_pairs_.encode(word, ids);
}

void Tokenizer::encode_as_openai(std::string_view caption, std::vector<int64_t>& ids) const {
  const std::u32string cleaned = clean(caption);
  for (std::u32string_view text = cleaned; !text.empty();) {
    const auto special = std::find_if(normalized_cuts_.begin(), normalized_cuts_.end(),
                                      [&](const auto& token) { return text.starts_with(token.first); });
    const bool is_special = special != normalized_cuts_.end();
    const size_t length = is_special ? special->first.size() : word_length(text);
    if (is_special) {
      ids.push_back(special->second);
    } else if (!is_space(text[0])) {
      byte_pairs_.encode(to_utf8(text.substr(0, length)), ids);
    }
    text.remove_prefix(length);
  }
}

Tokens Tokenizer::tokenize(std::span<const std::string> captions, int64_t context_length) const {
  check(context_length >= 2, ErrorKind::shape, "a context of ", context_length,
        " tokens cannot hold a caption's start and end; expected 2 or more");
  const auto count = static_cast<int64_t>(captions.size());
  Tokens tokens{torch::full({count, context_length}, pad_id_, torch::kInt64),
                torch::zeros({count, context_length}, torch::kBool),
                {}};
  for (int64_t row = 0; row < count; ++row) {
    std::vector<int64_t> ids = encode(captions[static_cast<size_t>(row)]);
    const auto room = static_cast<size_t>(context_length - 2);
    tokens.truncated.push_back(ids.size() > room);
    ids.resize(std::min(ids.size(), room));
    ids.insert(ids.begin(), start_id_);
    ids.push_back(end_id_);
    std::copy(ids.begin(), ids.end(), tokens.ids.data_ptr<int64_t>() + row * context_length);
    tokens.mask[row].slice(0, 0, static_cast<int64_t>(ids.size())).fill_(true);
  }
  return tokens;
}

std::string Tokenizer::decode(std::span<const int64_t> ids) const {
  std::string bytes;
  for (const int64_t id : ids) {
    check(id >= 0 && id < vocabulary_.size(), ErrorKind::data, "the token id ", id,
          " is out of range: the vocabulary has ", vocabulary_.size(), " tokens");
    if (id == start_id_ || id == end_id_ || id == pad_id_) continue;
    bytes += bytes_of_token(vocabulary_.tokens()[static_cast<size_t>(id)]);
  }
  if (bytes.ends_with(' ')) bytes.pop_back();
  return repair_utf8(bytes);
}

}  // namespace unclip::text
