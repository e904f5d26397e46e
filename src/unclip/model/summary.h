// What a model folder is and holds, without loading it: for people who look before they run.
#pragma once
#include "unclip/model/manifest.h"

namespace unclip::model {

/// The weights of one part of a model.
struct PartSummary {
  std::string name;        // "prior"
  int64_t parameters = 0;  // numbers that are learned, not indices
  int64_t bytes = 0;
  std::map<std::string, int64_t> dtypes;  // "BFloat16" -> parameters
  std::string problem;                    // why the weights cannot be read; empty if they can
};

struct FolderSummary {
  std::string kind;
  Manifest manifest;
  std::vector<PartSummary> parts;
  std::string problem;                    // why the model cannot be opened; empty if it can
  std::vector<std::string> unknown_keys;  // settings of its files that this program does not know
};

/// Of a model, or of a CLIP in any layout (a folder, or OpenAI's file). Error(io) or Error(checkpoint) if
/// `path` is no model of a layout that this program knows; what is missing or damaged inside of one is told
/// in the summary. For `vocabulary` see open_model.
FolderSummary summarize(const std::filesystem::path& path, const std::filesystem::path& vocabulary = {});

/// Bytes of all weights, and of the largest part (stages are loaded in turn), with elements of
/// `element_size`.
struct MemoryNeed {
  int64_t all = 0, largest_part = 0;
};
MemoryNeed memory_need(const FolderSummary& summary, int64_t element_size);

}  // namespace unclip::model
