// The paper's claims that the study examines, one file each in claims/.
#pragma once
#include "unclip/study/lab.h"

namespace unclip::study {

struct Claim {
  const char* id;
  Finding (*examine)(Lab& lab);
};

/// In the order of the report.
const std::vector<Claim>& claims();

Finding examine_priors(Lab& lab);                // §2.2, §5.1: diffusion against autoregression
Finding examine_conditions(Lab& lab);            // §5.1, Fig. 8: no z_i, z_t, a prior
Finding examine_guidance(Lab& lab);              // §5.3, Fig. 9–11: diversity under guidance
Finding examine_variations(Lab& lab);            // §3.1: variations keep content
Finding examine_text_diffs(Lab& lab);            // §3.3: language-guided edits
Finding examine_principal_components(Lab& lab);  // §4, Fig. 7
Finding examine_typographic_attack(Lab& lab);    // §4, Fig. 6

}  // namespace unclip::study
