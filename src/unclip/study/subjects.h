// The test pictures that are manipulated, one by one, and their latents.
#pragma once
#include <string>
#include <vector>

#include "unclip/manipulate/latent.h"
#include "unclip/study/lab.h"

namespace unclip::study {

struct Subject {
  torch::Tensor pixels;  // uint8 [S, S, 3], S the decoder's side
  std::string caption;   // the first one
};

/// The first plan().subjects test pictures by the hash of their names: the same at every call.
std::vector<Subject> choose_subjects(const Lab& lab);

std::vector<torch::Tensor> pixels_of(const std::vector<Subject>& subjects);
std::vector<std::string> captions_of(const std::vector<Subject>& subjects);

/// What the next one is called: another picture's caption for each.
std::vector<std::string> captions_of_next(const std::vector<Subject>& subjects);

/// (z_i, x_T) of the subjects (unCLIP §3), inverted once and kept in the study's folder.
manipulate::Latent latents_of(Lab& lab, const std::vector<Subject>& subjects);

/// The seeds of drawings that belong to the subjects.
std::vector<uint64_t> seeds_of(const Lab& lab, const std::vector<Subject>& subjects);

/// A grid of the first few subjects: row k holds theirs, then row k of each column's pictures [N, 3, S, S] in
/// −1…1, under its label.
struct Column {
  std::string label;
  torch::Tensor pictures;
};
Grid grid(const std::vector<Subject>& subjects,
          const std::vector<Column>& columns,
          const std::string& caption);
/// As many rows as a grid has.
int64_t grid_rows(const std::vector<Subject>& subjects);

}  // namespace unclip::study
