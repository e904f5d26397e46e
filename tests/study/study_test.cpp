// The whole study in a minute: a tiny model, tiny data, the least of everything. Its figures mean nothing;
// that all seven claims are examined, recorded and not examined twice does.
#include "unclip/study/study.h"

#include <gmock/gmock.h>

#include <cmath>

#include "data/sample_files.h"
#include "support/error_of.h"
#include "support/tiny_model.h"
#include "unclip/train/ar_prior_stage.h"
#include "unclip/train/decoder_stage.h"
#include "unclip/train/prior_stage.h"

namespace unclip::study {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

data::LoaderConfig loader() { return {.batch_size = 8, .workers = 1, .picture = {.size = 16}}; }

/// Configurations as in configs/study, of networks like the tiny model's.
void write_configs(const fs::path& folder) {
  const testing::TemporaryFolder model;
  testing::write_tiny_model(model / "model");
  const auto stage = [&](const char* name) { return model / "model" / name; };
  fs::create_directories(folder);
  const auto write = [&](const char* name, const auto& run) {
    io::write_file_atomically(folder / name, config_to_json(run));
  };
  train::PriorRun prior;
  prior.model = model::read_stage_config<prior::DiffusionPriorConfig>(stage("prior"));
  prior.model.sampling.sampler.kind = diffusion::Sampler::ddim;
  train::ArPriorRun ar_prior;
  ar_prior.model = model::read_stage_config<prior::AutoregressivePriorConfig>(stage("ar_prior"));
  ar_prior.fit_pictures = 32;
  train::DecoderRun decoder;
  decoder.model = model::read_stage_config<decoder::DecoderConfig>(stage("decoder"));
  decoder.sheet = {.pictures = 2, .steps = 2};
  prior.data = ar_prior.data = decoder.data = loader();
  write("prior.json", prior);
  write("ar_prior.json", ar_prior);
  write("decoder.json", decoder);
}

class WholeStudy : public ::testing::Test {
 protected:
  WholeStudy() {
    testing::write_tiny_model(folder_ / "model");
    write_configs(folder_ / "configs");
    folder_.write("train.tar", testing::shard_of(40, 1, 1, 16));
    folder_.write("test.tar", testing::shard_of(12, 1, 1, 16));
    request_.model = folder_ / "model";
    request_.configs = folder_ / "configs";
    request_.data = folder_.source("train.tar");
    request_.test = folder_.source("test.tar");
    request_.hours = 1e-6;
    request_.folder = folder_ / "study";
    request_.command = "unclip study <all>";
  }
  std::map<fs::path, fs::file_time_type> files() const {
    std::map<fs::path, fs::file_time_type> result;
    for (const auto& entry : fs::recursive_directory_iterator(request_.folder)) {
      if (entry.is_regular_file()) result[entry.path()] = entry.last_write_time();
    }
    return result;
  }
  testing::DataFolder folder_;
  StudyRequest request_;
};

void expect_complete(const Finding& finding) {
  EXPECT_FALSE(finding.claim.empty() || finding.measured.empty() || finding.reason.empty()) << finding.id;
  EXPECT_FALSE(finding.figures.empty() || finding.grids.empty() || finding.commands.empty()) << finding.id;
  for (const auto& [name, e] : finding.figures) {
    EXPECT_TRUE(std::isfinite(e.value) && e.low <= e.high) << finding.id << ": " << name;
  }
}

TEST_F(WholeStudy, ExaminesAllClaimsOnceAndGoesOn) {
  const Study study = run_study(request_, *silent_progress());
  std::vector<std::string> ids;
  for (const Finding& finding : study.findings) {
    ids.push_back(finding.id);
    expect_complete(finding);
  }
  EXPECT_THAT(ids, ElementsAre("priors", "conditions", "guidance", "variations", "text-diffs",
                               "principal-components", "typographic-attack"));
  EXPECT_EQ(study.plan.pictures, 16);
  const std::string json = results_json(study, request_.command), html = report_html(study, request_.command);
  for (const char* words : {"\"format\": \"unclip.study.1\"", "\"verdict\"", "\"low\"", "\"prior_steps\": 16",
                            "\"fid_biased\": true"})
    EXPECT_THAT(json, HasSubstr(words));
  for (const char* words : {"unclip study &lt;all&gt;", "<svg", "data:image/png;base64", "undecided",
                            "unclip eval", "biased upwards"})
    EXPECT_THAT(html, HasSubstr(words));

  const auto before = files();
  EXPECT_EQ(results_json(run_study(request_, *silent_progress()), request_.command), json);
  EXPECT_EQ(files(), before);  // nothing was done again

  // As if interrupted while a claim was examined: the trained models and drawings are there.
  fs::remove(request_.folder / "findings" / "guidance.json");
  EXPECT_EQ(results_json(run_study(request_, *silent_progress()), request_.command), json);
  auto after = files();
  for (const auto& [file, time] : before) {
    const bool belongs = file.filename().string().starts_with("guidance");
    EXPECT_TRUE(belongs || after[file] == time) << file;
  }

  request_.hours = 2e-6;
  EXPECT_THAT(testing::error_of(ErrorKind::io, [&] { run_study(request_, *silent_progress()); }),
              HasSubstr("holds a study of another model, budget or data"));
}

TEST_F(WholeStudy, GoesOnAfterAStopWhereverItWas) {
  request_.claims = {"principal-components"};
  const Study whole = run_study(request_, *silent_progress());
  // Stops at the first step of something; again and again, each time a little later.
  class Stopping final : public Progress {
   public:
    explicit Stopping(int64_t after) : left_(after) {}
    void begin(const std::string& /*stage*/, int64_t /*total*/) override {}
    void advance(int64_t /*units*/) override {
      if (--left_ == 0) fail(ErrorKind::interrupted, "stopped");
    }
    void note(const std::string& /*text*/) override {}
    void end() override {}

   private:
    int64_t left_;
  };
  request_.folder = folder_ / "stopped";
  int64_t stops = 0;
  for (int64_t after = 1;; after *= 3) {
    Stopping progress(after);
    try {
      const Study study = run_study(request_, progress);
      ASSERT_EQ(study.findings.size(), 1U);
      EXPECT_EQ(finding_json(study.findings[0]), finding_json(whole.findings[0]));
      break;
    } catch (const Error& error) {
      ASSERT_EQ(error.kind(), ErrorKind::interrupted) << error.what();
      ++stops;
    }
  }
  EXPECT_GT(stops, 2);
}

TEST_F(WholeStudy, SaysWhatIsWrongBeforeAnyWork) {
  const auto refusal = [&](ErrorKind kind) {
    return testing::error_of(kind, [&] { run_study(request_, *silent_progress()); });
  };
  request_.claims = {"magic"};
  EXPECT_THAT(refusal(ErrorKind::usage), HasSubstr("there is no claim 'magic'"));
  request_.claims = {};
  folder_.write("few.tar", testing::shard_of(3, 1, 1, 16));
  request_.test = folder_.source("few.tar");
  EXPECT_THAT(refusal(ErrorKind::data),
              HasSubstr("there are 3 test pictures with captions, expected at least 8"));
  EXPECT_FALSE(fs::exists(request_.folder));
}

}  // namespace
}  // namespace unclip::study
