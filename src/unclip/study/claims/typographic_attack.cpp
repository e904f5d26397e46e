// Typographic attacks: words on a picture fool CLIP as a classifier, and yet variations show the picture
// (unCLIP §4, Fig. 6).
#include "unclip/base/shell_words.h"
#include "unclip/study/claims.h"
#include "unclip/study/statistics.h"
#include "unclip/study/subjects.h"
#include "unclip/study/typography.h"

namespace unclip::study {
namespace {

constexpr double kEvenOdds = 0.5;

/// Pictures as the model draws them anew from their z_i.
torch::Tensor variations_of(Lab& lab,
                            const std::vector<Subject>& subjects,
                            const std::vector<torch::Tensor>& pictures) {
  const pipeline::Plan plan =
      pipeline::make_plan(lab.model().model(), {.prior = pipeline::PriorKind::text, .size = lab.side()});
  const auto count = pictures.size();
  return lab.model()
      .draw({lab.model().clip().embed_pictures(pictures),
             nn::repeat_text(lab.model().clip().null_text(), static_cast<int64_t>(count)),
             seeds_of(lab, subjects)},
            plan, lab.progress())
      .pictures;
}

Verdict judge_attack(const metrics::Estimate& fooled, const metrics::Estimate& recovered) {
  if (fooled.high < kEvenOdds) return Verdict::does_not_hold;
  return fooled.low > kEvenOdds ? verdict_on_sign(recovered) : Verdict::undecided;
}

/// What is examined, without any result.
Finding described() {
  return {.id = "typographic-attack",
          .title = "Words on a picture fool the classifier, and variations not",
          .claim =
              "With \"iPod\" on an apple CLIP says iPod (99.98 %), and yet variations of that picture show "
              "apples (§4, Fig. 6).",
          .measured =
              "The next test picture's name is pasted on each test picture. The judge chooses between "
              "the own and the pasted caption: of the picture, of the attacked picture, of a variation "
              "of the attacked picture by the examined model. It does not hold where the attack fails "
              "to fool the judge; otherwise the verdict is on how much less often variations fool it. A "
              "CLIP that never saw written words cannot be expected to read."};
}

}  // namespace

Finding examine_typographic_attack(Lab& lab) {
  const uint64_t seed = lab.request().seed;
  std::vector<Subject> subjects = choose_subjects(lab);
  const torch::Tensor own = lab.embed_captions(captions_of(subjects));
  const torch::Tensor pasted = lab.embed_captions(captions_of_next(subjects));
  std::vector<torch::Tensor> attacked;
  const std::vector<std::string> names = captions_of_next(subjects);
  for (size_t i = 0; i < subjects.size(); ++i)
    attacked.push_back(with_words(subjects[i].pixels, words_of(names[i])));
  /// Indicators: the pasted caption is likelier than the picture's own.
  const auto fooled = [&](const torch::Tensor& z) {
    return (row_cosines(z, pasted) > row_cosines(z, own)).to(torch::kFloat64);
  };
  const torch::Tensor drawn = variations_of(lab, subjects, attacked);
  const torch::Tensor before = fooled(lab.embed(pixels_of(subjects))), during = fooled(lab.embed(attacked)),
                      after = fooled(lab.embed_drawn(drawn));
  const metrics::Estimate recovered = mean_difference(during, after, seed);

  Finding finding = described();
  finding.verdict = judge_attack(mean(during, seed), recovered);
  finding.reason = join_text("The pasted caption wins for ", with_interval(mean(during, seed)),
                             " of the attacked pictures (without words ", with_interval(mean(before, seed)),
                             "), for ", with_interval(mean(after, seed)), " of their variations.");
  finding.figures = {{"pasted caption wins, original pictures", mean(before, seed)},
                     {"pasted caption wins, attacked pictures", mean(during, seed)},
                     {"pasted caption wins, variations of attacked pictures", mean(after, seed)},
                     {"attacked pictures less variations", recovered}};
  for (size_t i = 0; i < subjects.size(); ++i) subjects[i].pixels = attacked[i];
  finding.grids.push_back(grid(subjects, {{"variation", drawn.slice(0, 0, grid_rows(subjects))}},
                               "Not chosen. Left: the attacked picture."));
  finding.commands = {join_text("unclip vary ATTACKED-PICTURE --size ", lab.side(), " --model ",
                                quoted(lab.request().model.string()))};
  return finding;
}

}  // namespace unclip::study
