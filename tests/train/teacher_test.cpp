// The sentence encoder that teaches CLIP's text tower: its loss by hand, its lessons, damaged files.
#include "unclip/train/teacher.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "support/close.h"
#include "support/error_of.h"
#include "support/temporary_folder.h"
#include "unclip/io/safetensors.h"

namespace unclip::train {
namespace {

using testing::error_of;
using ::testing::HasSubstr;

torch::Tensor bytes_of(const std::string& text) {
  return torch::tensor(std::vector<uint8_t>(text.begin(), text.end()), torch::kUInt8);
}

TEST(RelationalLoss, IsTheDivergenceFromTheTeacherWrittenOut) {
  const double tau = 0.5;
  const torch::Tensor z = torch::tensor({{2.0, 0.0}, {0.0, 3.0}, {1.0, 1.0}}, torch::kFloat32);
  const torch::Tensor e = torch::tensor({{1.0, 0.0}, {1.0, 1.0}, {0.0, 5.0}}, torch::kFloat32);
  const double h = std::sqrt(0.5);  // cosine of 45°
  // cosines of (0,1), (0,2), (1,2): the tower's 0, h, h; the teacher's h, 0, h
  const auto divergence = [&](double tower_a, double tower_b, double teacher_a, double teacher_b) {
    const double p = 1 / (1 + std::exp((teacher_b - teacher_a) / tau));
    const double q = 1 / (1 + std::exp((tower_b - tower_a) / tau));
    return p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q));
  };
  const double expected = (divergence(0, h, h, 0) + divergence(0, h, h, h) + divergence(h, h, 0, h)) / 3;
  EXPECT_NEAR(relational_loss(z, e, tau).item<double>(), expected, 1e-6);
}

TEST(RelationalLoss, IsZeroForThePerfectPupilAndTeachesTheOthers) {
  const torch::Tensor e = normal_noise({1, 1, 1}, {16, 8});
  EXPECT_NEAR(relational_loss(3.0 * e, e, 0.05).item<double>(), 0.0, 1e-6);
  const torch::Tensor z = normal_noise({1, 1, 2}, {16, 4}).requires_grad_();
  const torch::Tensor before = relational_loss(z, e, 0.5);
  before.backward();
  EXPECT_TRUE(torch::isfinite(z.grad()).all().item<bool>());
  EXPECT_LT(relational_loss(z.detach() - 0.1 * z.grad(), e, 0.5).item<double>(), before.item<double>());
}

TEST(Teacher, GivesDifferentTextsWithTheirOwnEmbeddings) {
  const testing::TemporaryFolder folder;
  io::write_safetensors(folder / "t.safetensors",
                        {{"texts", bytes_of("a cat\na dog\na café\n")}, {"embeddings", 2 * torch::eye(3)}});
  const Teacher teacher(folder / "t.safetensors");
  EXPECT_EQ(teacher.size(), 3);
  const std::vector<std::string> texts{"a cat", "a dog", "a café"};
  for (uint64_t step = 0; step < 5; ++step) {
    const Teacher::Lesson lesson = teacher.lesson(2, {1, 1, step});
    ASSERT_EQ(lesson.texts.size(), 2U);
    EXPECT_NE(lesson.texts[0], lesson.texts[1]);
    for (int64_t i = 0; i < 2; ++i) {
      const auto index = lesson.embeddings[i].argmax().item<int64_t>();
      EXPECT_EQ(lesson.texts[static_cast<size_t>(i)], texts[static_cast<size_t>(index)]);
      EXPECT_NEAR(lesson.embeddings[i].norm().item<double>(), 1.0, 1e-6);
    }
  }
  EXPECT_THAT(error_of(ErrorKind::config, [&] { teacher.lesson(4, {1, 1, 0}); }), HasSubstr("only 3 texts"));
}

TEST(Teacher, RefusesAFileWhosePartsDoNotBelongTogether) {
  const testing::TemporaryFolder folder;
  const auto complaint = [&](const io::NamedTensors& tensors) {
    io::write_safetensors(folder / "t.safetensors", tensors);
    return error_of(ErrorKind::data, [&] { Teacher teacher(folder / "t.safetensors"); });
  };
  EXPECT_THAT(complaint({{"texts", bytes_of("one\ntwo\n")}, {"embeddings", torch::eye(3)}}),
              HasSubstr("2 texts"));
  EXPECT_THAT(complaint({{"texts", torch::ones({3})}, {"embeddings", torch::eye(3)}}),
              HasSubstr("bytes of a text"));
}

}  // namespace
}  // namespace unclip::train
