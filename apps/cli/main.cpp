// The unclip program.
#include "apps/cli/application.h"

int main(int argc, char** argv) { return unclip::cli::run(argc, argv); }
