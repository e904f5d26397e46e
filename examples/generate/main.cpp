// Draws a picture with the library: example MODEL CAPTION OUT.png [SEED]
#include <unclip/base/error.h>
#include <unclip/base/runtime.h>
#include <unclip/image/encode.h>
#include <unclip/image/network.h>
#include <unclip/pipeline/unclip.h>

#include <iostream>
#include <span>

namespace {

void draw(std::span<const char* const> arguments) {
  unclip::set_up_compute();
  const auto dtype = unclip::has_fast_bf16() ? torch::kBFloat16 : torch::kFloat32;
  unclip::pipeline::Unclip model(arguments[1], dtype);
  const uint64_t seed = arguments.size() > 4 ? std::stoull(arguments[4]) : 0;

  // Figure 2 of the paper: caption -> z_t -> z_i -> 64 -> 256 pixels. Pictures are tensors [N, 3, H, W] in
  // -1...1.
  const unclip::pipeline::Pictures drawn = model.generate(
      {.captions = {arguments[2]}, .seeds = {seed}, .sampling = {}}, *unclip::silent_progress());

  unclip::image::write_picture(arguments[3], unclip::image::to_pixels(drawn.pictures)[0], {.force = true});
  std::cout << arguments[3] << ": " << drawn.pictures.size(2)
            << " pixels, |z_i| = " << drawn.z_i.norm().item<double>() << '\n';
}

}  // namespace

int main(int argc, char** argv) try {
  const std::span<const char* const> arguments(argv, static_cast<size_t>(argc));
  unclip::check(arguments.size() >= 4, unclip::ErrorKind::usage,
                "usage: example MODEL CAPTION OUT.png [SEED]");
  draw(arguments);
  return 0;
} catch (const std::exception& error) {
  std::cerr << "example: " << error.what() << '\n';
  return 1;
}
