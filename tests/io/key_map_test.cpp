#include "unclip/io/key_map.h"

#include <gmock/gmock.h>

#include "support/error_of.h"

namespace unclip::io {
namespace {

using ::testing::AllOf;
using testing::error_of;
using ::testing::HasSubstr;

void expect_equal(const NamedTensors& got, const NamedTensors& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_EQ(got.count(name), 1U) << name;
    EXPECT_TRUE(torch::equal(got.at(name), tensor)) << name;
  }
}

/// Maps there and back; the result is in our layout.
NamedTensors mapped_both_ways(const KeyMap& map, const NamedTensors& theirs) {
  const NamedTensors ours = map.map_to_ours(theirs, "theirs");
  expect_equal(map.map_to_theirs(ours, "ours"), theirs);
  return ours;
}

TEST(KeyMap, RenamesByPattern) {
  const KeyMap map{.rules = {{"blocks.{i}.ln_1.{p}", {"layers.{i}.norm1.{p}"}},
                             {"text.{rest...}", {"model.text.{rest...}"}},
                             {"query", {"prd"}}}};
  const auto a = torch::rand({2}), b = torch::rand({3}), c = torch::rand({4}), d = torch::rand({5});
  expect_equal(
      mapped_both_ways(
          map,
          {{"layers.0.norm1.weight", a}, {"layers.11.norm1.bias", b}, {"model.text.a.b.c", c}, {"prd", d}}),
      {{"blocks.0.ln_1.weight", a}, {"blocks.11.ln_1.bias", b}, {"text.a.b.c", c}, {"query", d}});
}

TEST(KeyMap, TheFirstRuleThatMatchesCounts) {
  const KeyMap map{.rules = {{"special", {"a.b.c"}}, {"x.{rest...}.y", {"a.{rest...}.c"}}}};
  const auto t = torch::rand({1});
  expect_equal(mapped_both_ways(map, {{"a.b.c", t}, {"a.b.b.c", t}, {"a.z.c", t}}),
               {{"special", t}, {"x.b.b.y", t}, {"x.z.y", t}});
  EXPECT_THROW(map.map_to_ours({{"a.c", t}}, "theirs"), Error);  // {rest...} is at least one part
}

TEST(KeyMap, JoinsQueriesKeysAndValues) {
  const KeyMap map{.rules = {{"b.{i}.qkv.{p}", {"l.{i}.q.{p}", "l.{i}.k.{p}", "l.{i}.v.{p}"}}}};
  const auto q = torch::rand({4, 3}), k = torch::rand({4, 3}), v = torch::rand({4, 3}),
             bias = torch::rand({4});
  const NamedTensors ours = mapped_both_ways(map, {{"l.2.k.weight", k},
                                                   {"l.2.q.weight", q},
                                                   {"l.2.v.weight", v},
                                                   {"l.2.q.bias", bias},
                                                   {"l.2.k.bias", bias},
                                                   {"l.2.v.bias", bias}});
  expect_equal(ours,
               {{"b.2.qkv.weight", torch::cat({q, k, v})}, {"b.2.qkv.bias", torch::cat({bias, bias, bias})}});
}

TEST(KeyMap, TransposesAndDropsOnes) {
  const KeyMap map{.rules = {{"proj.weight", {"proj"}, {transpose()}},
                             {"position", {"position"}, {drop_leading_ones(1)}},
                             {"query", {"query"}, {drop_leading_ones(2)}},
                             {"out.weight", {"out"}, {drop_trailing_ones(2)}}}};
  const auto proj = torch::rand({2, 3}), position = torch::rand({1, 5, 4}), query = torch::rand({1, 1, 4}),
             out = torch::rand({3, 6, 1, 1});
  expect_equal(
      mapped_both_ways(map, {{"proj", proj}, {"position", position}, {"query", query}, {"out", out}}),
      {{"proj.weight", proj.t()},
       {"position", position[0]},
       {"query", query[0][0]},
       {"out.weight", out.reshape({3, 6})}});
}

// y = Linear(768 → 4·1536) read as [1536, 4] and transposed, against one block of 1536 rows per token.
TEST(KeyMap, RegroupsChannelMajorTokens) {
  constexpr int64_t kWidth = 6, kTokens = 4, kIn = 5;
  const KeyMap map{.rules = {{"image_tokens.weight", {"w"}, {regroup_rows(kWidth, kTokens)}}}};
  const auto w = torch::rand({kTokens * kWidth, kIn}), x = torch::rand({2, kIn});
  const NamedTensors ours = mapped_both_ways(map, {{"w", w}});
  const auto theirs = x.matmul(w.t()).reshape({2, kWidth, kTokens}).permute({0, 2, 1});
  EXPECT_TRUE(
      torch::equal(x.matmul(ours.at("image_tokens.weight").t()).reshape({2, kTokens, kWidth}), theirs));
}

TEST(KeyMap, RegroupsQkvInterleavedPerHead) {
  constexpr int64_t kHeads = 3, kHead = 2;
  const KeyMap map{.rules = {{"qkv", {"c_qkv"}, {regroup_rows(kHeads, 3)}}}};
  std::vector<torch::Tensor> interleaved, q, k, v;
  for (int64_t head = 0; head < kHeads; ++head) {
    for (auto* part : {&q, &k, &v}) interleaved.push_back(part->emplace_back(torch::rand({kHead, 4})));
  }
  const NamedTensors ours = mapped_both_ways(map, {{"c_qkv", torch::cat(interleaved)}});
  EXPECT_TRUE(torch::equal(ours.at("qkv"), torch::cat({torch::cat(q), torch::cat(k), torch::cat(v)})));
}

TEST(KeyMap, JoinsThenRearrangesInOrder) {
  const KeyMap map{.rules = {{"kv", {"k", "v"}, {drop_trailing_ones(1), transpose()}}}};
  const auto k = torch::rand({2, 3, 1}), v = torch::rand({2, 3, 1});
  expect_equal(mapped_both_ways(map, {{"k", k}, {"v", v}}), {{"kv", torch::cat({k, v}).squeeze(2).t()}});
}

TEST(KeyMap, SkipsWhatIsIgnored) {
  const KeyMap map{.rules = {{"a", {"a"}}}, .ignored = {"{any...}.position_ids", "position_ids"}};
  const auto t = torch::rand({1});
  expect_equal(map.map_to_ours({{"a", t}, {"x.y.position_ids", t}, {"position_ids", t}}, "x"), {{"a", t}});
}

TEST(KeyMap, NamesWhatDoesNotFit) {
  const KeyMap map{.rules = {{"qkv", {"q", "k", "v"}},
                             {"proj", {"p"}, {transpose()}},
                             {"lead", {"l"}, {drop_leading_ones(1)}},
                             {"rows", {"r"}, {regroup_rows(2, 3)}}}};
  const auto complaint = [&](const NamedTensors& theirs) {
    return error_of(ErrorKind::checkpoint, [&] { map.map_to_ours(theirs, "x.bin"); });
  };
  const auto t = torch::rand({4, 2});
  EXPECT_THAT(complaint({{"q", t}, {"k", t}}), HasSubstr("x.bin lacks 'v'"));
  EXPECT_THAT(complaint({{"z", t}, {"p", t}}), HasSubstr("does not know: 'z'"));
  EXPECT_THAT(complaint({{"q", t}, {"k", t}, {"v", torch::rand({3, 2})}}), HasSubstr("different shapes"));
  EXPECT_THAT(complaint({{"p", torch::rand({4})}}), AllOf(HasSubstr("'p'"), HasSubstr("a matrix")));
  EXPECT_THAT(complaint({{"l", t}}), HasSubstr("begin with"));
  EXPECT_THAT(complaint({{"r", t}}), HasSubstr("multiple of 6"));
  EXPECT_THAT(error_of(ErrorKind::checkpoint,
                       [&] {
                         map.map_to_theirs({{"qkv", t}}, "ours");
                       }),
              HasSubstr("do not divide"));
  EXPECT_THAT(error_of(ErrorKind::checkpoint,
                       [&] {
                         map.map_to_theirs({{"other", t}}, "ours");
                       }),
              HasSubstr("'other'"));
}

TEST(KeyMap, TwoRulesNeverMakeTheSameName) {
  const KeyMap map{.rules = {{"a", {"x"}}, {"a", {"y"}}}};
  const auto t = torch::rand({1});
  EXPECT_THAT(error_of(ErrorKind::checkpoint,
                       [&] {
                         map.map_to_ours({{"x", t}, {"y", t}}, "z");
                       }),
              HasSubstr("'y'"));
}

TEST(KeyMap, RefusesPatternsThatAreNotOneToOne) {
  const auto t = torch::rand({1});
  EXPECT_THAT(error_of(ErrorKind::config,
                       [&] {
                         KeyMap{.rules = {{"a.{i}", {"b"}}}}.map_to_ours({{"b", t}}, "z");
                       }),
              HasSubstr("{i}"));
  EXPECT_THAT(error_of(ErrorKind::config,
                       [&] {
                         KeyMap{.rules = {{"{x...}.{y...}", {"{x...}.{y...}"}}}}.map_to_ours({}, "z");
                       }),
              HasSubstr("two {x...}"));
}

}  // namespace
}  // namespace unclip::io
