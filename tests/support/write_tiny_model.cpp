// write_tiny_model FOLDER: the model of tiny_model.h on disk, for tests of whole programs.
#include <iostream>

#include "support/tiny_model.h"

int main(int argc, char** argv) try {
  unclip::check(argc == 2, unclip::ErrorKind::usage, "usage: write_tiny_model FOLDER");
  unclip::testing::write_tiny_model(argv[1]);
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
