// A restricted reader of Python pickles (protocols 2 to 5), without LibTorch. It builds a tree of plain
// values and runs nothing: a class or function that a pickle names stays a name, calling it becomes a record
// of the call, and a name that the caller does not allow is an error.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unclip::io {

struct PickleValue {
  enum class Kind : uint8_t {
    none,
    boolean,     // number
    integer,     // number
    real,        // real
    text,        // text
    list,        // items
    tuple,       // items
    dict,        // items: key, value, key, value, … in the order of insertion
    name,        // text: "module.name" of a class or function
    call,        // text: the function's name; items: its arguments
    object,      // text: the class's name; items: nothing, or its state
    persistent,  // items: what stands for something outside of the pickle
  };
  Kind kind = Kind::none;
  int64_t number = 0;
  double real = 0.0;
  std::string text{};
  std::vector<uint32_t> items{};  // indices of Pickle::values
};

/// Values refer to each other by index; a damaged or hostile pickle may make them do so in circles.
struct Pickle {
  std::vector<PickleValue> values;
  uint32_t root = 0;

  const PickleValue& operator[](uint32_t index) const { return values[index]; }
};

/// Whether a pickle may name this class or function ("collections.OrderedDict").
using AllowedNames = std::function<bool(std::string_view)>;

/// Reads the one value that `bytes` hold. An OrderedDict becomes a dict without the attributes it may carry.
/// Error(checkpoint) that begins with `where` if the pickle is damaged, names what is not allowed, or has an
/// instruction that plain data does not need.
Pickle read_pickle(std::span<const uint8_t> bytes, const AllowedNames& allowed, const std::string& where);

/// `text` as it may stand in an error: cut to a line's length, without control characters.
std::string printable(std::string_view text);

}  // namespace unclip::io
