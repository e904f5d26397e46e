#!/usr/bin/env bash
# The launcher builds when it must, only then, and hands everything else to the program.
# shellcheck source=tests/launcher/sandbox.sh
source "$(dirname "$0")/sandbox.sh"
make_project
make_torch "$sandbox/torch a"
export Torch_DIR="$sandbox/torch a"

launch 7 'two words' '' '--flag=*'
expect 'the first launch builds and runs' equals "$out" 'one|7|two words||--flag=*'
expect 'the exit code is the program'"'"'s' equals "$code" 7
expect 'what is done is said on stderr' contains "$err" 'building (user)'

for tool in cmake ninja dpkg-query apt-get python3; do
  fake "$tool" <<<"echo '$tool was called' >&2; exit 99"
done
launch 0
expect 'a second launch calls no tool' equals "$out$err$code" 'one|00'
rm "$fakes"/*

ln -s "$project/unclip" "$sandbox/link"
expect 'through a link from another folder' equals "$(cd / && "$sandbox/link" 0 2>&1)" 'one|0'

write_program two
launch
expect 'a changed source is built' equals "$out" two
launch
expect 'and only once' equals "$err" ''

echo '#error oops' >>"$project/apps/cli/main.c"
launch
expect 'a failing build exits with 1' equals "$out$code" 1
expect 'shows the compiler'"'"'s words' contains "$err" 'oops'
expect 'names the log' contains "$err" "$project/.unclip/build.log"
expect 'is short' test "$(wc -l <"$sandbox/err")" -le 36
launch
expect 'and is tried again' equals "$out$code" 1
write_program three
launch
expect 'until it is mended' equals "$out" three

touch "$project/src/new.c"
launch
expect 'a new file is noticed' contains "$err" 'building (user)'
rm "$project/src/new.c"
launch
expect 'so is a removed one' contains "$err" 'building (user)'
touch "$project/unclip"
launch
expect 'and a new launcher' contains "$err" 'building (user)'

make_torch "$sandbox/torch b"
Torch_DIR="$sandbox/torch b" launch
expect 'another LibTorch is configured' contains "$err" 'building (user)'
expect 'and kept' grep -qxF "Torch_DIR:PATH=$sandbox/torch b" "$project/build/user/CMakeCache.txt"
unset Torch_DIR
launch
expect 'without the variable the built one stays' equals "$out$err" three
make_torch "$sandbox/prefix/share/cmake/Torch"
CMAKE_PREFIX_PATH="$sandbox:$sandbox/prefix" launch
expect 'CMAKE_PREFIX_PATH names one too' grep -qxF "Torch_DIR:PATH=$sandbox/prefix/share/cmake/Torch" \
  "$project/build/user/CMakeCache.txt"
Torch_DIR="$sandbox" launch
expect 'a wrong Torch_DIR is an error' equals "$out$code" 1
expect 'that names it' contains "$err" "Torch_DIR is '$sandbox', which has no TorchConfig.cmake"

mv "$project" "$sandbox/moved"
project=$sandbox/moved
export Torch_DIR="$sandbox/torch a"
launch
expect 'a moved folder is built again' equals "$out$code" three0

write_program four
"$project/unclip" >"$sandbox/out 1" 2>"$sandbox/err 1" &
"$project/unclip" >"$sandbox/out 2" 2>"$sandbox/err 2" &
wait
expect 'two launches at once both run' equals "$(cat "$sandbox/out 1" "$sandbox/out 2")" fourfour
expect 'and build once' equals "$(cat "$sandbox/err 1" "$sandbox/err 2" | grep -c 'building (user)')" 1

launch test
expect 'test builds everything and runs ctest' contains "$out" '100% tests passed, 0 tests failed out of 1'
expect 'with the preset release' test -f "$project/build/release/stamp"
sed -i 's/unclip_cli 0/unclip_cli 3/' "$project/CMakeLists.txt"
CI=true launch test
expect 'a failing test is a failure' test "$code" != 0
expect 'under CI with the preset ci' test -f "$project/build/ci/stamp"
CI=true launch test -N
expect 'flags go to ctest' contains "$out" 'Total Tests: 1'

finish
