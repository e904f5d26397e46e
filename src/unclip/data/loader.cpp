#include "unclip/data/loader.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "unclip/base/error.h"
#include "unclip/data/order.h"
#include "unclip/data/sample_reader.h"

namespace unclip::data {
namespace {

/// A visit and the epoch it belongs to.
struct SampleVisit {
  Visit visit;
  int64_t epoch;
};

/// Walks through this process's visits, epoch after epoch.
class Cursor {
 public:
  Cursor(const Dataset& dataset, const LoaderSeed& seed, const LoaderState& start)
      : dataset_(dataset), seed_(seed), state_(start) {
    open_epoch();
    check(state_.index >= 0 && state_.index <= static_cast<int64_t>(visits_.size()), ErrorKind::data,
          "the saved position is sample ", state_.index, " of epoch ", state_.epoch, ", which has ",
          visits_.size(), " samples: the data set or the number of processes has changed");
  }

  SampleVisit take() {
    for (int empty_epochs = 0; state_.index >= static_cast<int64_t>(visits_.size()); ++empty_epochs) {
      check(empty_epochs < kMaxEmptyEpochs, ErrorKind::data, "the data set has ", dataset_.size(),
            " samples, too few (or of too little weight) for ", seed_.world_size, " processes");
      ++state_.epoch;
      state_.index = 0;
      open_epoch();
    }
    return {visits_[static_cast<size_t>(state_.index++)], state_.epoch};
  }

  const LoaderState& state() const { return state_; }

 private:
  static constexpr int kMaxEmptyEpochs = 10000;

  void open_epoch() {
    visits_ =
        rank_share(epoch_order(dataset_.weights(), seed_.seed, state_.epoch), seed_.rank, seed_.world_size);
  }

  const Dataset& dataset_;
  LoaderSeed seed_;
  LoaderState state_;
  std::vector<Visit> visits_;
};

/// Rows [height, width, 3] collected as one [N, 3, H, W] tensor with channels last in memory.
class PixelRows {
 public:
  PixelRows(int64_t count, int64_t side) : rows_(torch::empty({count, side, side, 3}, torch::kUInt8)) {}
  void set(int64_t row, const torch::Tensor& pixels) {
    check(pixels.sizes() == rows_.sizes().slice(1), ErrorKind::shape, "a picture of shape ", pixels.sizes(),
          " does not fit a batch of shape ", rows_.sizes());
    const torch::Tensor source = pixels.contiguous();
    std::memcpy(rows_.data_ptr<uint8_t>() + row * source.numel(), source.data_ptr<uint8_t>(),
                static_cast<size_t>(source.numel()));
  }
  torch::Tensor images() const { return rows_.permute({0, 3, 1, 2}); }

 private:
  torch::Tensor rows_;
};

}  // namespace

void LoaderConfig::validate() const {
  const auto check_range = [](const char* name, int64_t value, int64_t least, int64_t most) {
    check(value >= least && value <= most, ErrorKind::config, name, " is ", value, ", expected ", least,
          " to ", most);
  };
  check_range("batch_size", batch_size, 1, 1 << 20);
  check_range("workers", workers, 1, 256);
  check_range("prefetch", prefetch, 1, 1024);
  check_range("cache_mb", cache_mb, 0, int64_t{1} << 30);
  picture.validate();
}

class Loader::Implementation {
 public:
  Implementation(std::shared_ptr<const Dataset> dataset,
                 const LoaderConfig& config,
                 const LoaderSeed& seed,
                 const LoaderState& start,
                 Degradation degradation)
      : dataset_(std::move(dataset)),
        config_(config),
        seed_(seed),
        reader_(dataset_, config, std::move(degradation)),
        cursor_(*dataset_, seed, start),
        delivered_state_(start) {
    for (int64_t i = 0; i < config.workers; ++i) {
      workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
  }

  Batch next() {
    const auto begin = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    ready_changed_.wait(lock, [this] { return ready_.contains(next_delivered_); });
    seconds_waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    Outcome& outcome = ready_.at(next_delivered_);
    if (outcome.error) std::rethrow_exception(outcome.error);
    Batch batch = std::move(outcome.batch);
    ready_.erase(next_delivered_++);
    delivered_state_ = batch.next;
    space_changed_.notify_all();
    return batch;
  }

  LoaderState state() const { return locked(delivered_state_); }
  double seconds_waited() const { return locked(seconds_waited_); }
  const DamageLog& damage() const { return reader_.damage(); }

 private:
  struct Outcome {
    Batch batch;
    std::exception_ptr error;
  };
  struct Order {
    int64_t number;  // of the batch
    std::vector<SampleVisit> visits;
    LoaderState next;
  };

  template <class T>
  T locked(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }

  void work(const std::stop_token& stop) {
    // A worker is one thread: what it calls must not start a team of its own beside those that train.
    at::get_num_threads();
    omp_set_num_threads(1);
    for (;;) {
      std::unique_lock lock(mutex_);
      const bool may_go = space_changed_.wait(
          lock, stop, [this] { return next_taken_ < next_delivered_ + config_.prefetch + config_.workers; });
      if (!may_go) return;
      const int64_t number = next_taken_++;
      Outcome outcome;
      try {
        const Order order = take_order(number);
        lock.unlock();
        outcome.batch = make_batch(order);
      } catch (...) {
        outcome.error = std::current_exception();
      }
      if (!lock.owns_lock()) lock.lock();
      ready_.emplace(number, std::move(outcome));
      ready_changed_.notify_all();
    }
  }

  Order take_order(int64_t number) {
    Order order{number, {}, {}};
    while (static_cast<int64_t>(order.visits.size()) < config_.batch_size) {
      order.visits.push_back(cursor_.take());
    }
    order.next = cursor_.state();
    return order;
  }

  Batch make_batch(const Order& order) {
    PixelRows pictures(config_.batch_size, config_.picture.picture_side());
    PixelRows low_res(config_.picture.low_res ? config_.batch_size : 0, config_.picture.low_res_side());
    Batch batch;
    batch.next = order.next;
    for (const auto& [visit, epoch] : order.visits) {
      const auto row = static_cast<int64_t>(batch.samples.size());
      const uint64_t step = (static_cast<uint64_t>(epoch) << 32) + static_cast<uint64_t>(visit.position);
      TrainingSample sample = reader_.read(visit.sample, {seed_.seed, stream_id("data sample"), step});
      pictures.set(row, sample.pixels.picture);
      if (sample.pixels.low_res) low_res.set(row, *sample.pixels.low_res);
      batch.captions.push_back(std::move(sample.caption));
      batch.samples.push_back(sample.sample);
    }
    batch.pictures = pictures.images();
    if (config_.picture.low_res) batch.low_res = low_res.images();
    return batch;
  }

  std::shared_ptr<const Dataset> dataset_;
  LoaderConfig config_;
  LoaderSeed seed_;
  SampleReader reader_;

  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable_any space_changed_;
  std::condition_variable ready_changed_;
  Cursor cursor_;
  std::map<int64_t, Outcome> ready_;
  int64_t next_taken_ = 0;
  int64_t next_delivered_ = 0;
  LoaderState delivered_state_;
  double seconds_waited_ = 0;
  std::vector<std::jthread> workers_;  // last, so that they end first
};

Loader::Loader(std::shared_ptr<const Dataset> dataset,
               const LoaderConfig& config,
               const LoaderSeed& seed,
               const LoaderState& start,
               Degradation degradation) {
  config.validate();
  check(seed.world_size >= 1 && seed.rank >= 0 && seed.rank < seed.world_size, ErrorKind::config, "rank ",
        seed.rank, " is out of range for ", seed.world_size, " processes");
  implementation_ =
      std::make_unique<Implementation>(std::move(dataset), config, seed, start, std::move(degradation));
}

Loader::~Loader() = default;

Batch Loader::next() { return implementation_->next(); }

LoaderState Loader::state() const { return implementation_->state(); }

const DamageLog& Loader::damage() const { return implementation_->damage(); }

double Loader::seconds_waited() const { return implementation_->seconds_waited(); }

}  // namespace unclip::data
