#include "unclip/io/torch_archive.h"

#include <algorithm>
#include <array>

#include "unclip/base/error.h"
#include "unclip/io/pickle.h"
#include "unclip/io/zip_directory.h"

namespace unclip::io {
namespace {

using Kind = PickleValue::Kind;

constexpr int kMaxDepth = 64;
constexpr int64_t kMaxVisits = int64_t{1} << 17;  // lists that hold a list twice, and so on, grow without end
constexpr size_t kMaxKey = 1024;
constexpr std::string_view kPickle = "data.pkl";
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";
constexpr std::string_view kScriptClass = "__torch__.";
constexpr std::string_view kScriptHelper = "torch.jit._pickle.";  // lists and dicts with their types

constexpr std::array<std::pair<std::string_view, Dtype>, 10> kStorages{
    {{"torch.BoolStorage", Dtype::boolean},
     {"torch.ByteStorage", Dtype::u8},
     {"torch.CharStorage", Dtype::i8},
     {"torch.ShortStorage", Dtype::i16},
     {"torch.HalfStorage", Dtype::f16},
     {"torch.BFloat16Storage", Dtype::bf16},
     {"torch.IntStorage", Dtype::i32},
     {"torch.FloatStorage", Dtype::f32},
     {"torch.DoubleStorage", Dtype::f64},
     {"torch.LongStorage", Dtype::i64}}};

/// Null if `name` is no storage's class.
const Dtype* storage_dtype(std::string_view name) {
  for (const auto& [known, dtype] : kStorages) {
    if (known == name) return &dtype;
  }
  return nullptr;
}

bool is_plain_name(std::string_view name) {
  return name == "collections.OrderedDict" || name == "torch.Size" || name == kRebuildTensor ||
         name == kRebuildParameter || storage_dtype(name) != nullptr;
}

/// In a TorchScript archive classes are the modules' own; they stay names.
bool is_script_name(std::string_view name) {
  return is_plain_name(name) || name.starts_with(kScriptClass) || name.starts_with(kScriptHelper);
}

/// An archive's folder inside the zip file, with its slash: the name of the file it was first saved as.
std::string find_root(const ZipDirectory& directory, const std::string& where) {
  for (const auto& [name, entry] : directory) {
    const size_t slash = name.find('/');
    if (slash != std::string::npos && name.substr(slash + 1) == kPickle) return name.substr(0, slash + 1);
  }
  fail(ErrorKind::checkpoint, where, " is a zip archive, but none of PyTorch's: it has no ", kPickle);
}

/// Tensors out of the tree of values.
class Collector {
 public:
  Collector(std::span<const uint8_t> file, const std::string& where)
      : file_(file),
        where_(where),
        directory_(read_zip_directory(file, where)),
        root_(find_root(directory_, where)) {
    check_byte_order();
    const bool is_script = directory_.contains(root_ + "constants.pkl");
    pickle_ = read_pickle(contents(std::string(kPickle)), is_script ? is_script_name : is_plain_name, where);
  }

  std::map<std::string, TensorPlace> collect() {
    visit(weights_of(pickle_.root), "", 0);
    check(!tensors_.empty(), ErrorKind::checkpoint, where_, " holds no tensors");
    return std::move(tensors_);
  }

 private:
  [[noreturn]] void damaged(const std::string& name, const std::string& reason) const {
    fail(ErrorKind::checkpoint, where_, ": tensor '", printable(name), "' ", reason);
  }

  const ZipEntry& entry(const std::string& name) const {
    const auto found = directory_.find(root_ + name);
    check(found != directory_.end(), ErrorKind::checkpoint, where_, " lacks its entry '",
          printable(root_ + name), "'");
    check(found->second.stored, ErrorKind::checkpoint, where_, " has the compressed entry '",
          printable(root_ + name),
          "', expected it stored as PyTorch does: load it with torch.load and save it again");
    return found->second;
  }
  std::span<const uint8_t> contents(const std::string& name) const {
    const ZipEntry& found = entry(name);
    return file_.subspan(found.begin, found.end - found.begin);
  }
  void check_byte_order() const {
    if (!directory_.contains(root_ + "byteorder")) return;
    const auto bytes = contents("byteorder");
    const std::string_view order(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    check(order == "little", ErrorKind::checkpoint, where_, " has the byte order '", printable(order),
          "', expected 'little'");
  }

  const PickleValue& item(const PickleValue& value, size_t index) const {
    return pickle_[value.items[index]];
  }

  /// What a Lightning checkpoint keeps beside the weights (epoch, optimizer, …) does not matter.
  uint32_t weights_of(uint32_t root) const {
    const PickleValue& value = pickle_[root];
    if (value.kind != Kind::dict) return root;
    for (size_t i = 0; i < value.items.size(); i += 2) {
      const PickleValue& key = item(value, i);
      if (key.kind == Kind::text && key.text == "state_dict") return value.items[i + 1];
    }
    return root;
  }

  std::string joined(const std::string& path, const std::string& part) const {
    if (path.size() + part.size() > kMaxKey) damaged(path, "has a name that is too long");
    return path.empty() ? part : path + "." + part;
  }
  std::string key_text(const PickleValue& key, const std::string& path) const {
    if (key.kind == Kind::integer) return std::to_string(key.number);
    if (key.kind != Kind::text) damaged(path, "lies under a key that is neither text nor number");
    return key.text;
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as kMaxDepth
  void visit(uint32_t index, const std::string& path, int depth) {
    check(depth <= kMaxDepth && ++visits_ <= kMaxVisits, ErrorKind::checkpoint, where_,
          " is nested too deeply, or without end, at '", printable(path), "'");
    const PickleValue& value = pickle_[index];
    if (value.kind == Kind::dict) {
      for (size_t i = 0; i < value.items.size(); i += 2) {
        visit(value.items[i + 1], joined(path, key_text(item(value, i), path)), depth + 1);
      }
    } else if (value.kind == Kind::list || value.kind == Kind::tuple) {
      for (size_t i = 0; i < value.items.size(); ++i) {
        visit(value.items[i], joined(path, std::to_string(i)), depth + 1);
      }
    } else if (value.kind == Kind::object) {
      for (const uint32_t state : value.items) visit(state, path, depth + 1);
    } else if (value.kind == Kind::call) {
      visit_call(value, path, depth);
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  void visit_call(const PickleValue& call, const std::string& path, int depth) {
    if (call.text == kRebuildTensor) {
      add(path.empty() ? "0" : path, read_tensor(call, path));
    } else if (!call.items.empty() &&
               (call.text == kRebuildParameter || call.text.starts_with(kScriptHelper))) {
      visit(call.items[0], path, depth + 1);
    }
  }

  void add(const std::string& name, TensorPlace tensor) {
    if (name.size() > kMaxKey || printable(name) != name)
      damaged(name, "has a name that is too long or no text");
    if (!tensors_.emplace(name, std::move(tensor)).second) damaged(name, "appears twice");
  }

  struct Storage {
    Dtype dtype;
    uint64_t begin;  // byte of the file
    uint64_t count;  // elements
  };

  /// ("storage", torch.FloatStorage, key, device, elements)
  Storage read_storage(const PickleValue& value, const std::string& name) const {
    const bool is_tuple = value.kind == Kind::persistent && item(value, 0).kind == Kind::tuple;
    if (!is_tuple || item(value, 0).items.size() != 5) damaged(name, "has no storage");
    const PickleValue& parts = item(value, 0);
    const PickleValue &type = item(parts, 1), &key = item(parts, 2), &count = item(parts, 4);
    const Dtype* dtype = type.kind == Kind::name ? storage_dtype(type.text) : nullptr;
    if (item(parts, 0).text != "storage" || dtype == nullptr || key.kind != Kind::text ||
        count.kind != Kind::integer || count.number < 0) {
      damaged(name, "has a damaged storage");
    }
    const ZipEntry& bytes = entry("data/" + key.text);
    const auto elements = static_cast<uint64_t>(count.number);
    if (elements > (bytes.end - bytes.begin) / static_cast<uint64_t>(dtype_size(*dtype))) {
      damaged(name, join_text("has a storage of ", elements, " numbers, of which the file holds only ",
                              bytes.end - bytes.begin, " bytes"));
    }
    return {*dtype, bytes.begin, elements};
  }

  std::vector<int64_t> read_sizes(const PickleValue& value, const std::string& name) const {
    const bool is_size = value.kind == Kind::call && value.text == "torch.Size" && value.items.size() == 1;
    const PickleValue& list = is_size ? item(value, 0) : value;
    if (list.kind != Kind::tuple && list.kind != Kind::list) damaged(name, "has no shape");
    std::vector<int64_t> sizes;
    for (const uint32_t index : list.items) {
      if (pickle_[index].kind != Kind::integer || pickle_[index].number < 0)
        damaged(name, "has a damaged shape");
      sizes.push_back(pickle_[index].number);
    }
    return sizes;
  }

  /// (storage, offset, shape, strides, requires_grad, hooks, metadata): all but the first four are of no use
  /// here.
  TensorPlace read_tensor(const PickleValue& call, const std::string& name) const {
    constexpr size_t kNeeded = 4, kMetadata = 6;
    if (call.items.size() < kNeeded) damaged(name, "is damaged");
    if (call.items.size() > kMetadata && item(call, kMetadata).kind != Kind::none) {
      damaged(name, "is a lazily conjugated or negated one: load it with torch.load and save it resolved");
    }
    const Storage storage = read_storage(item(call, 0), name);
    const PickleValue& offset = item(call, 1);
    if (offset.kind != Kind::integer || offset.number < 0) damaged(name, "has a damaged offset");
    TensorPlace tensor{storage.dtype, read_sizes(item(call, 2), name), read_sizes(item(call, 3), name), 0};
    check_bounds(tensor, static_cast<uint64_t>(offset.number), storage, name);
    tensor.begin = storage.begin +
                   static_cast<uint64_t>(offset.number) * static_cast<uint64_t>(dtype_size(storage.dtype));
    return tensor;
  }

  /// The last element lies in the storage, and no more elements are named than it has (an expanded tensor
  /// could fill any memory).
  void check_bounds(const TensorPlace& tensor,
                    uint64_t offset,
                    const Storage& storage,
                    const std::string& name) const {
    if (tensor.shape.size() != tensor.strides.size())
      damaged(name, "has another number of strides than of sizes");
    uint64_t count = 1, last = offset;
    bool is_empty = false, overflows = false;
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      const auto size = static_cast<uint64_t>(tensor.shape[i]);
      is_empty = is_empty || size == 0;
      uint64_t reach = 0;
      overflows = overflows || __builtin_mul_overflow(count, std::max<uint64_t>(size, 1), &count);
      overflows = overflows || (size > 0 && __builtin_mul_overflow(
                                                size - 1, static_cast<uint64_t>(tensor.strides[i]), &reach));
      overflows = overflows || __builtin_add_overflow(last, reach, &last);
    }
    const bool fits = is_empty ? offset <= storage.count : count <= storage.count && last < storage.count;
    if (overflows || !fits) {
      damaged(name, join_text("reaches beyond its storage of ", storage.count, " numbers"));
    }
  }

  std::span<const uint8_t> file_;
  const std::string& where_;
  ZipDirectory directory_;
  std::string root_;
  Pickle pickle_;
  std::map<std::string, TensorPlace> tensors_;
  int64_t visits_ = 0;
};

}  // namespace

std::map<std::string, TensorPlace> parse_torch_archive(std::span<const uint8_t> file,
                                                       const std::string& where) {
  return Collector(file, where).collect();
}

}  // namespace unclip::io
