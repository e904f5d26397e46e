# A small project under the real launcher and presets, with its own PATH in front. Sourced by the tests here.
# shellcheck shell=bash
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
sandbox=$(mktemp -d "${TMPDIR:-/tmp}/unclip launcher.XXXXXX") # the space is part of the test
trap 'rm -rf "$sandbox"' EXIT
project=$sandbox/project
fakes=$sandbox/fakes
unset CI Torch_DIR CMAKE_PREFIX_PATH UNCLIP_TORCH_INDEX CUDA_HOME CUDACXX
export UNCLIP_JOBS=1 PATH=$fakes:$PATH

passed=0 failed=0

# expect WHAT COMMAND…: counts whether the command succeeds.
expect() {
  local what=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n--- stdout\n%s\n--- stderr\n%s\n' "$what" "$(cat "$sandbox/out")" "$(cat "$sandbox/err")"
  fi
}

equals() { [[ $1 == "$2" ]] || { printf 'got: %s\nexpected: %s\n' "$1" "$2" && false; }; }
contains() { [[ $1 == *"$2"* ]] || { printf 'got: %s\nexpected in it: %s\n' "$1" "$2" && false; }; }
lacks() { ! contains "$@" >/dev/null; }

# launch ARGUMENT…: the launcher's stdout, stderr and exit code as $out, $err, $code.
# shellcheck disable=SC2034,SC2120  # read by the tests, which are other files
launch() {
  code=0
  "$project/unclip" "$@" >"$sandbox/out" 2>"$sandbox/err" </dev/null || code=$?
  out=$(cat "$sandbox/out") err=$(cat "$sandbox/err")
}

# fake NAME: a program of that name first in PATH, with its text from stdin.
fake() {
  { printf '#!/usr/bin/env bash\n' && cat; } >"$fakes/$1"
  chmod +x "$fakes/$1"
}

make_torch() {
  mkdir -p "$1"
  touch "$1/TorchConfig.cmake"
}

make_project() {
  mkdir -p "$project"/{src,apps/cli,cmake} "$fakes"
  : >"$sandbox/out"
  : >"$sandbox/err"
  cp "$repository/unclip" "$repository/CMakePresets.json" "$project"
  printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(mini C)' 'find_package(Torch REQUIRED CONFIG)' \
    'add_subdirectory(apps/cli)' 'if(NOT DEFINED UNCLIP_BUILD_TESTS OR UNCLIP_BUILD_TESTS)' 'enable_testing()' \
    'add_test(NAME runs COMMAND unclip_cli 0)' 'endif()' >"$project/CMakeLists.txt"
  printf '%s\n' 'add_executable(unclip_cli main.c)' \
    'set_target_properties(unclip_cli PROPERTIES OUTPUT_NAME unclip)' >"$project/apps/cli/CMakeLists.txt"
  write_program one
}

# The program prints its version and its arguments, and exits with the first one's number.
write_program() {
  printf '%s\n' '#include <stdio.h>' '#include <stdlib.h>' 'int main(int n, char** a) {' "  printf(\"$1\");" \
    '  for (int i = 1; i < n; ++i) printf("|%s", a[i]);' '  return n > 1 ? atoi(a[1]) : 0;' '}' \
    >"$project/apps/cli/main.c"
}

finish() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [[ $failed == 0 && $passed -gt 0 ]]
}
