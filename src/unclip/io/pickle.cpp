#include "unclip/io/pickle.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "unclip/base/error.h"

namespace unclip::io {
namespace {

using Kind = PickleValue::Kind;

constexpr size_t kMaxValues = size_t{1} << 20;  // a model of 3 B parameters has some 30,000
constexpr size_t kMaxPickle = size_t{1} << 24;
constexpr int kNewestProtocol = 5;
constexpr std::string_view kOrderedDict = "collections.OrderedDict";

/// Instructions by their names in Python's pickletools.
enum Instruction : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8A,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8C,
  kBinUnicode8 = 0x8D,
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kBinString = 'T',
  kShortBinString = 'U',
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kNewObj = 0x81,
  kBuild = 'b',
  kBinPersId = 'Q',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kMemoize = 0x94,
  kBinGet = 'h',
  kLongBinGet = 'j',
  kProto = 0x80,
  kFrame = 0x95,
};

class Reader {
 public:
  Reader(std::span<const uint8_t> bytes, const AllowedNames& allowed, const std::string& where)
      : bytes_(bytes), allowed_(allowed), where_(where) {}

  Pickle read() {
    if (bytes_.size() > kMaxPickle)
      damaged(join_text("has ", bytes_.size(), " bytes, expected at most ", kMaxPickle));
    for (;;) {
      const uint8_t instruction = byte();
      if (instruction == kStop) break;
      if (!read_number(instruction) && !read_text(instruction) && !read_container(instruction) &&
          !read_name(instruction) && !move_values(instruction)) {
        damaged(join_text("has the instruction ", static_cast<int>(instruction), " at byte ", at_ - 1,
                          ", which plain data does not need"));
      }
    }
    pickle_.root = pop();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void damaged(const std::string& reason) const {
    fail(ErrorKind::checkpoint, where_, " is no readable pickle: it ", reason);
  }

  // Bytes ---------------------------------------------------------------------------------------

  std::string_view take(uint64_t count) {
    if (count > bytes_.size() - at_) damaged("is cut off");
    const std::string_view result(reinterpret_cast<const char*>(bytes_.data()) + at_, count);
    at_ += count;
    return result;
  }
  uint8_t byte() { return static_cast<uint8_t>(take(1).front()); }
  uint64_t little_endian(uint64_t count) {
    const std::string_view text = take(count);
    uint64_t value = 0;
    for (uint64_t i = count; i-- > 0;) value = (value << 8) | static_cast<uint8_t>(text[i]);
    return value;
  }
  std::string_view line() {
    const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + at_, bytes_.size() - at_);
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) damaged("is cut off");
    at_ += end + 1;
    return rest.substr(0, end);
  }

  // Stack ---------------------------------------------------------------------------------------

  bool push(PickleValue value) {
    if (pickle_.values.size() >= kMaxValues) damaged(join_text("has more than ", kMaxValues, " values"));
    stack_.push_back(static_cast<uint32_t>(pickle_.values.size()));
    pickle_.values.push_back(std::move(value));
    return true;
  }
  /// What lies above the last mark belongs to whoever takes the mark.
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  uint32_t top() const {
    if (stack_.size() <= floor()) damaged("takes a value where there is none");
    return stack_.back();
  }
  uint32_t pop() {
    const uint32_t index = top();
    stack_.pop_back();
    return index;
  }
  std::vector<uint32_t> pop_count(size_t count) {
    if (stack_.size() - floor() < count) damaged("takes a value where there is none");
    std::vector<uint32_t> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return items;
  }
  std::vector<uint32_t> pop_to_mark() {
    if (marks_.empty()) damaged("takes a mark where there is none");
    std::vector<uint32_t> items = pop_count(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }
  PickleValue& value(uint32_t index) { return pickle_.values[index]; }
  PickleValue& top_of(Kind kind, const char* what) {
    PickleValue& result = value(top());
    if (result.kind != kind) damaged(join_text("puts items into what is no ", what));
    return result;
  }
  PickleValue pop_of(Kind kind, const char* what) {
    const PickleValue& result = value(pop());
    if (result.kind != kind) damaged(join_text("lacks a ", what, " before byte ", at_));
    return result;
  }

  // Instructions --------------------------------------------------------------------------------

  bool push_integer(int64_t number) { return push({.kind = Kind::integer, .number = number}); }
  int64_t read_long() {
    constexpr uint8_t kBytes = 8;
    const uint8_t count = byte();
    if (count > kBytes) damaged("has a whole number of more than 64 bits");
    const uint64_t bits = little_endian(count);
    const int unused = 8 * (kBytes - count);
    return count == 0 ? 0 : static_cast<int64_t>(bits << unused) >> unused;  // two's complement
  }
  double read_real() {  // the only numbers that are big-endian
    uint64_t bits = 0;
    for (const char c : take(8)) bits = (bits << 8) | static_cast<uint8_t>(c);
    return std::bit_cast<double>(bits);
  }

  bool read_number(uint8_t instruction) {
    switch (instruction) {
      case kNone:
        return push({});
      case kNewTrue:
        return push({.kind = Kind::boolean, .number = 1});
      case kNewFalse:
        return push({.kind = Kind::boolean, .number = 0});
      case kBinInt:
        return push_integer(static_cast<int32_t>(little_endian(4)));
      case kBinInt1:
        return push_integer(static_cast<int64_t>(little_endian(1)));
      case kBinInt2:
        return push_integer(static_cast<int64_t>(little_endian(2)));
      case kLong1:
        return push_integer(read_long());
      case kBinFloat:
        return push({.kind = Kind::real, .real = read_real()});
      default:
        return false;
    }
  }

  bool read_text(uint8_t instruction) {
    uint64_t length_bytes = 4;
    switch (instruction) {
      case kShortBinUnicode:
      case kShortBinBytes:
      case kShortBinString:
        length_bytes = 1;
        break;
      case kBinUnicode:
      case kBinBytes:
      case kBinString:
        break;
      case kBinUnicode8:
        length_bytes = 8;
        break;
      default:
        return false;
    }
    return push({.kind = Kind::text, .text = std::string(take(little_endian(length_bytes)))});
  }

  bool read_container(uint8_t instruction) {
    switch (instruction) {
      case kEmptyList:
        return push({.kind = Kind::list});
      case kEmptyTuple:
        return push({.kind = Kind::tuple});
      case kEmptyDict:
        return push({.kind = Kind::dict});
      case kTuple:
        return push({.kind = Kind::tuple, .items = pop_to_mark()});
      case kTuple1:
        return push({.kind = Kind::tuple, .items = pop_count(1)});
      case kTuple2:
        return push({.kind = Kind::tuple, .items = pop_count(2)});
      case kTuple3:
        return push({.kind = Kind::tuple, .items = pop_count(3)});
      case kAppend:
        return add_items(Kind::list, "list", pop_count(1));
      case kAppends:
        return add_items(Kind::list, "list", pop_to_mark());
      case kSetItem:
        return add_items(Kind::dict, "dict", pop_count(2));
      case kSetItems:
        return add_items(Kind::dict, "dict", pop_to_mark());
      default:
        return false;
    }
  }
  bool add_items(Kind kind, const char* what, const std::vector<uint32_t>& items) {
    if (kind == Kind::dict && items.size() % 2 != 0) damaged("has a key without a value");
    std::vector<uint32_t>& target = top_of(kind, what).items;
    target.insert(target.end(), items.begin(), items.end());
    return true;
  }

  bool read_name(uint8_t instruction) {
    switch (instruction) {
      case kGlobal: {
        const std::string module(line());
        return push_name(module + "." + std::string(line()));
      }
      case kStackGlobal: {
        const std::string name = pop_of(Kind::text, "name").text;
        return push_name(pop_of(Kind::text, "module").text + "." + name);
      }
      case kReduce: {
        std::vector<uint32_t> arguments = pop_of(Kind::tuple, "tuple of arguments").items;
        return push_call(pop_of(Kind::name, "function").text, std::move(arguments));
      }
      case kNewObj:
        pop_of(Kind::tuple, "tuple of arguments");
        return push({.kind = Kind::object, .text = pop_of(Kind::name, "class").text});
      case kBuild:
        return build();
      case kBinPersId:
        return push({.kind = Kind::persistent, .items = pop_count(1)});
      default:
        return false;
    }
  }
  bool push_name(std::string name) {
    check(allowed_(name), ErrorKind::checkpoint, where_, " is refused: it asks for '", printable(name),
          "', and no code of a file is ever run; expected plain tensors");
    return push({.kind = Kind::name, .text = std::move(name)});
  }
  bool push_call(std::string function, std::vector<uint32_t> arguments) {
    if (function != kOrderedDict)
      return push({.kind = Kind::call, .text = std::move(function), .items = std::move(arguments)});
    if (!arguments.empty()) damaged("makes an OrderedDict out of something");
    return push({.kind = Kind::dict});
  }
  bool build() {
    const uint32_t state = pop();
    PickleValue& target = value(top());
    if (target.kind == Kind::object) {
      target.items = {state};
    } else if (target.kind != Kind::dict) {  // a dict's are attributes: PyTorch's _metadata
      damaged("gives a state to what has none");
    }
    return true;
  }

  bool move_values(uint8_t instruction) {
    switch (instruction) {
      case kMark:
        marks_.push_back(stack_.size());
        return true;
      case kPop:
        pop();
        return true;
      case kPopMark:
        pop_to_mark();
        return true;
      case kDup:
        stack_.push_back(top());
        return true;
      case kBinPut:
        memo_[little_endian(1)] = top();
        return true;
      case kLongBinPut:
        memo_[little_endian(4)] = top();
        return true;
      case kMemoize:
        memo_[memo_.size()] = top();
        return true;
      case kBinGet:
        return remember(little_endian(1));
      case kLongBinGet:
        return remember(little_endian(4));
      case kFrame:
        take(8);
        return true;
      case kProto:
        if (byte() > kNewestProtocol) damaged("is of a protocol newer than 5");
        return true;
      default:
        return false;
    }
  }
  bool remember(uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) damaged("refers to a value that was never stored");
    stack_.push_back(found->second);
    return true;
  }

  std::span<const uint8_t> bytes_;
  const AllowedNames& allowed_;
  const std::string& where_;
  size_t at_ = 0;
  Pickle pickle_;
  std::vector<uint32_t> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::unordered_map<uint64_t, uint32_t> memo_;
};

}  // namespace

Pickle read_pickle(std::span<const uint8_t> bytes, const AllowedNames& allowed, const std::string& where) {
  return Reader(bytes, allowed, where).read();
}

std::string printable(std::string_view text) {
  constexpr size_t kShown = 120;
  std::string result(text.substr(0, kShown));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text.size() > kShown ? result + "…" : result;
}

}  // namespace unclip::io
