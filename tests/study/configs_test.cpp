// The configurations that come with the study are readable, and what it compares has one size.
#include <gtest/gtest.h>

#include "unclip/io/file.h"
#include "unclip/train/ar_prior_stage.h"
#include "unclip/train/decoder_stage.h"
#include "unclip/train/prior_stage.h"

namespace unclip::study {
namespace {

template <class Run>
Run read(const char* name) {
  const std::string path = std::string(UNCLIP_SOURCE_DIR) + "/configs/study/" + name;
  auto run = config_from_json<Run>(io::read_text(path, 1 << 20), path);
  run.model.validate();
  run.train.validate();
  return run;
}

TEST(StudyConfigs, ComparePriorsOfOneShapeOnTheSameBatches) {
  const auto diffusion = read<train::PriorRun>("prior.json");
  const auto ar = read<train::ArPriorRun>("ar_prior.json");
  EXPECT_EQ(config_to_json(diffusion.model.transformer), config_to_json(ar.model.transformer));
  EXPECT_EQ(config_to_json(diffusion.data), config_to_json(ar.data));
  EXPECT_EQ(diffusion.model.text_drop, ar.model.text_drop);
  EXPECT_EQ(diffusion.model.sampling.guidance, ar.model.sampling.guidance);
}

TEST(StudyConfigs, TheDecoderMayBeTrainedOnCaptionsAlone) {
  auto run = read<train::DecoderRun>("decoder.json");
  run.model.image_drop = 1.0;
  run.model.text_drop = 0.1;
  EXPECT_NO_THROW(run.model.validate());
}

}  // namespace
}  // namespace unclip::study
