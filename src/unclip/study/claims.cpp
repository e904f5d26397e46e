#include "unclip/study/claims.h"

namespace unclip::study {

const std::vector<Claim>& claims() {
  static const std::vector<Claim> all{{"priors", examine_priors},
                                      {"conditions", examine_conditions},
                                      {"guidance", examine_guidance},
                                      {"variations", examine_variations},
                                      {"text-diffs", examine_text_diffs},
                                      {"principal-components", examine_principal_components},
                                      {"typographic-attack", examine_typographic_attack}};
  return all;
}

std::vector<std::string> claim_ids() {
  std::vector<std::string> ids;
  for (const Claim& claim : claims()) ids.emplace_back(claim.id);
  return ids;
}

}  // namespace unclip::study
