#!/usr/bin/env bash
# install_test.sh BUILD_FOLDER TORCH_DIR: installs the build and builds and runs the example against it.
set -euo pipefail
build=$1 torch_dir=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cmake --install "$build" --prefix "$folder/prefix" >"$folder/log"
"$folder/prefix/bin/unclip" --version

cmake -S "$source/examples/generate" -B "$folder/example" -G Ninja -Wno-dev --log-level=ERROR \
  -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=$folder/prefix" "-DTorch_DIR:PATH=$torch_dir"
cmake --build "$folder/example"
said=$("$folder/example/example" "$folder/prefix/share/unclip/models/emoji" 'a red heart' "$folder/heart.png" 7)
[[ $said == "$folder/heart.png: 256 pixels, "* ]] || { echo "the example says '$said'" && exit 1; }

"$folder/prefix/bin/unclip" generate 'a red heart' --seed 7 --size 64 -o "$folder/small.png" --quiet

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
