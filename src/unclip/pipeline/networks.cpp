#include "unclip/pipeline/networks.h"

#include <algorithm>
#include <condition_variable>

#include "unclip/decoder/decoder.h"
#include "unclip/model/weights.h"

namespace unclip::pipeline {
namespace {

thread_local int held_by_this_thread = 0;

template <class Net>
void set_compute_dtype(Net& net, torch::ScalarType dtype) {
  if constexpr (requires { net.set_compute_dtype(dtype); }) {
    net.set_compute_dtype(dtype);
  } else {
    net.compute_dtype = dtype;
  }
}

}  // namespace

/// What is loaded. Lives as long as anybody holds one of its networks.
struct Networks::Store : std::enable_shared_from_this<Networks::Store> {
  struct Slot {
    std::mutex loading;  // one thread loads the network, others wait
    std::shared_ptr<torch::nn::Module> net = nullptr;
    int64_t bytes = 0;  // of the network that is there, or that is being loaded
    int64_t users = 0;
    int64_t last_use = 0;
  };

  Slot& enter(const std::string& name) {
    const std::lock_guard lock(mutex);
    Slot& slot = slots[name];
    ++slot.users;  // from here on nobody takes its network away
    slot.last_use = ++uses;
    return slot;
  }

  void leave(Slot& slot) {
    {
      const std::lock_guard lock(mutex);
      --slot.users;
      if (slot.net == nullptr && slot.users == 0) slot.bytes = 0;
    }
    released.notify_all();
  }

  /// For one user; the last copy of what is returned ends the use.
  std::shared_ptr<torch::nn::Module> lease(Slot& slot) {
    ++held_by_this_thread;
    return {slot.net.get(), [store = shared_from_this(), &slot](torch::nn::Module*) {
              --held_by_this_thread;
              store->leave(slot);
            }};
  }

  /// Lets unused networks go, the longest unused first, until `bytes` more fit below `limit`; waits for
  /// others to finish with theirs where that is not enough. Networks that this thread holds cannot be waited
  /// for: then the limit is exceeded.
  void make_room(Slot& slot, int64_t bytes, int64_t limit) {
    std::unique_lock lock(mutex);
    while (used() + bytes > limit) {
      Slot* const oldest = longest_unused();
      if (oldest != nullptr) {
        oldest->net = nullptr;
        oldest->bytes = 0;
      } else if (used() > 0 && held_by_this_thread == 0) {
        released.wait(lock);
      } else {
        break;
      }
    }
    slot.bytes = bytes;
  }

  void put(Slot& slot, std::shared_ptr<torch::nn::Module> net) {
    const std::lock_guard lock(mutex);
    slot.net = std::move(net);
    ++loads;
  }

  std::mutex mutex;  // of everything but `loading`
  std::condition_variable released;
  std::map<std::string, Slot> slots;
  int64_t uses = 0;
  int64_t loads = 0;

 private:
  int64_t used() const {
    int64_t sum = 0;
    for (const auto& [name, slot] : slots) sum += slot.bytes;
    return sum;
  }

  /// Null if all are in use.
  Slot* longest_unused() {
    Slot* oldest = nullptr;
    for (auto& [name, slot] : slots) {
      const bool unused = slot.net != nullptr && slot.users == 0;
      if (unused && (oldest == nullptr || slot.last_use < oldest->last_use)) oldest = &slot;
    }
    return oldest;
  }
};

Networks::Networks(model::Model model, const NetworksOptions& options)
    : model_(std::move(model)), options_(options), store_(std::make_shared<Store>()) {
  if (options_.has_budget()) pages_ = std::make_unique<PageReleaser>();
}

Networks::~Networks() = default;

int64_t Networks::load_count() const {
  const std::lock_guard lock(store_->mutex);
  return store_->loads;
}

template <class Net, class Config, class... Arguments>
Net Networks::load(const model::StoredNetwork<Config>& stored, Arguments... arguments) {
  if (options_.has_budget()) return_free_memory();  // of what has just gone
  Net net(stored.config, arguments...);
  std::vector<torch::Tensor> mapped;
  model::load_frozen(*net, stored.weights, {.dtype = options_.dtype, .device = options_.device},
                     pages_ ? &mapped : nullptr);
  set_compute_dtype(*net, options_.dtype);
  if (pages_) pages_->add(mapped);
  return net;
}

template <class Net, class Config, class... Arguments>
Net Networks::get(const std::string& name,
                  const model::StoredNetwork<Config>& stored,
                  Arguments... arguments) {
  Store::Slot& slot = store_->enter(name);
  try {
    const std::lock_guard loading(slot.loading);
    if (slot.net == nullptr) {
      if (options_.has_budget()) {
        const int64_t limit = options_.keep == Keep::in_turn ? 0 : options_.budget - kProgramBytes;
        store_->make_room(slot, weight_bytes<Net>(stored.config, options_.dtype, arguments...), limit);
      }
      store_->put(slot, load<Net>(stored, arguments...).ptr());
    }
  } catch (...) {
    store_->leave(slot);
    throw;
  }
  return Net(std::static_pointer_cast<typename Net::ContainedType>(store_->lease(slot)));
}

clip::Clip Networks::text_encoder() {
  return get<clip::Clip>("text_encoder", model::required(model_, model_.text_encoder, "text_encoder"),
                         clip::Towers::text);
}

clip::Clip Networks::image_encoder() {
  return get<clip::Clip>("image_encoder", model::required(model_, model_.image_encoder, "image_encoder"),
                         clip::Towers::image);
}

prior::DiffusionPrior Networks::prior() {
  return get<prior::DiffusionPrior>("prior", model::required(model_, model_.prior, "prior"));
}

prior::AutoregressivePrior Networks::ar_prior() {
  return get<prior::AutoregressivePrior>("ar_prior", model::required(model_, model_.ar_prior, "ar_prior"));
}

decoder::Decoder Networks::decoder() {
  return get<decoder::Decoder>("decoder", model::required(model_, model_.decoder, "decoder"));
}

decoder::Decoder Networks::inpainting_decoder() {
  return get<decoder::Decoder>("decoder_inpaint",
                               model::required(model_, model_.decoder_inpaint, "decoder_inpaint"));
}

upsampler::StepNets Networks::upsampler(const std::string& stage, bool in_turn) {
  const model::StoredUpsampler* const stored = model_.find_upsampler(stage);
  if (stored == nullptr) model::fail_missing_stage(model_.path, model_.manifest, stage);
  upsampler::StepNets nets{.net = get<upsampler::Upsampler>(stage, stored->net)};
  if (!stored->last_step) return nets;
  const auto load_last_step = [this, stored, name = stage + "_last_step"] {
    return get<upsampler::Upsampler>(name, *stored->last_step);
  };
  if (in_turn) {
    nets.load_last_step = load_last_step;
  } else {
    nets.last_step = load_last_step();
  }
  return nets;
}

}  // namespace unclip::pipeline
