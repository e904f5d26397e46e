#include "unclip/nn/adm_key_map.h"

namespace unclip::nn {
namespace {

std::string numbered(const std::string& list, int64_t index) { return list + "." + std::to_string(index); }

class RuleWriter {
 public:
  RuleWriter(const UNetConfig& config, std::string theirs) : config_(config), theirs_(std::move(theirs)) {}

  std::vector<io::KeyRule> write() {
    add("unet.time_embed.fc1", theirs_ + "time_embed.0");
    add("unet.time_embed.fc2", theirs_ + "time_embed.2");
    add("unet.conv_in", theirs_ + "input_blocks.0.0");
    add_down();
    add_middle();
    add_up();
    add("unet.norm_out", theirs_ + "out.0");
    add("unet.conv_out", theirs_ + "out.2");
    return std::move(rules_);
  }

 private:
  void add(const std::string& ours, const std::string& theirs) {
    rules_.push_back({ours + ".{p}", {theirs + ".{p}"}});
  }

  void add_res_block(const std::string& ours, const std::string& theirs) {
    for (const auto& [here, there] :
         {std::pair("norm1", "in_layers.0"), std::pair("conv1", "in_layers.2"),
          std::pair("embed", "emb_layers.1"), std::pair("norm2", "out_layers.0"),
          std::pair("conv2", "out_layers.3"), std::pair("skip", "skip_connection")}) {
      add(ours + "." + here, theirs + "." + there);
    }
  }

  /// A convolution of width 1 whose rows are `parts` per head in turn: (q, k, v) or (k, v).
  void add_projection(const std::string& ours, const std::string& theirs, int64_t heads, int64_t parts) {
    const io::Rearrangement by_part = io::regroup_rows(heads, parts);
    rules_.push_back({ours + ".weight", {theirs + ".weight"}, {io::drop_trailing_ones(1), by_part}});
    rules_.push_back({ours + ".bias", {theirs + ".bias"}, {by_part}});
  }

  void add_attention(const std::string& ours, const std::string& theirs, size_t level) {
    const int64_t heads = config_.level_channels(level) / config_.head_channels;
    add(ours + ".norm", theirs + ".norm");
    add_projection(ours + ".qkv", theirs + ".qkv", heads, 3);
    add_projection(ours + ".context_kv", theirs + ".encoder_kv", heads, 2);
    rules_.push_back({ours + ".out.weight", {theirs + ".proj_out.weight"}, {io::drop_trailing_ones(1)}});
    rules_.push_back({ours + ".out.bias", {theirs + ".proj_out.bias"}});
  }

  void add_block(const std::string& ours, int64_t index, const std::string& theirs, size_t level) {
    add_res_block(numbered(ours + ".blocks", index), theirs + ".0");
    if (config_.attends(level)) add_attention(numbered(ours + ".attentions", index), theirs + ".1", level);
  }

  void add_down() {
    int64_t block = 1;
    for (size_t level = 0; level < levels(); ++level) {
      const std::string ours = numbered("unet.down", static_cast<int64_t>(level));
      for (int64_t i = 0; i < config_.depth; ++i)
        add_block(ours, i, numbered(theirs_ + "input_blocks", block++), level);
      if (level + 1 < levels())
        add_res_block(ours + ".resample", numbered(theirs_ + "input_blocks", block++) + ".0");
    }
  }

  void add_middle() {
    const std::string theirs = theirs_ + "middle_block";
    add_res_block("unet.mid_block1", theirs + ".0");
    if (config_.mid_attention) add_attention("unet.mid_attention", theirs + ".1", levels() - 1);
    add_res_block("unet.mid_block2", theirs + (config_.mid_attention ? ".2" : ".1"));
  }

  void add_up() {
    int64_t block = 0;
    for (size_t level = levels(); level-- > 0;) {
      const std::string ours = numbered("unet.up", static_cast<int64_t>(levels() - 1 - level));
      for (int64_t i = 0; i <= config_.depth; ++i)
        add_block(ours, i, numbered(theirs_ + "output_blocks", block++), level);
      const char* behind = config_.attends(level) ? ".2" : ".1";  // the level's last block holds it, too
      if (level > 0)
        add_res_block(ours + ".resample", numbered(theirs_ + "output_blocks", block - 1) + behind);
    }
  }

  size_t levels() const { return config_.channel_mult.size(); }

  const UNetConfig& config_;
  std::string theirs_;
  std::vector<io::KeyRule> rules_{};
};

}  // namespace

std::vector<io::KeyRule> adm_unet_rules(const UNetConfig& config, const std::string& theirs) {
  return RuleWriter(config, theirs).write();
}

}  // namespace unclip::nn
