#!/usr/bin/env bash
# install_test.sh BUILD_FOLDER TORCH_DIR: installs the build and uses it from another project.
set -euo pipefail
build=$1 torch_dir=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cmake --install "$build" --prefix "$folder/prefix" >"$folder/log"
"$folder/prefix/bin/unclip" --version

mkdir "$folder/consumer"
cat >"$folder/consumer/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(consumer CXX)
find_package(unclip 0.1 REQUIRED)
add_executable(consumer main.cpp)
target_link_libraries(consumer unclip::base)
CMAKE
cat >"$folder/consumer/main.cpp" <<'CPP'
#include <unclip/base/noise.h>

#include <iostream>

int main() { std::cout << "noise " << unclip::normal_noise({.seed = 7}, {3}).size(0) << '\n'; }
CPP
cmake -S "$folder/consumer" -B "$folder/consumer/build" -G Ninja -Wno-dev --log-level=ERROR \
  -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=$folder/prefix" "-DTorch_DIR:PATH=$torch_dir"
cmake --build "$folder/consumer/build"
said=$("$folder/consumer/build/consumer")
[[ $said == 'noise 3' ]] || { echo "the consumer says '$said', expected 'noise 3'" && exit 1; }

# Nothing of the source or build folder may be needed: every header that an installed header names is there too.
missing=0
while IFS=: read -r header include; do
  name=$(sed -E 's/.*"(unclip\/[^"]+)".*/\1/' <<<"$include")
  if [[ ! -f $folder/prefix/include/$name ]]; then
    echo "$header includes $name, which is not installed"
    missing=1
  fi
done < <(grep -rE '#include "unclip/' "$folder/prefix/include")
exit $missing
