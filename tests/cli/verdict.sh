#!/usr/bin/env bash
# Sourced by the tests of the program: runs it and judges what it says. Needs $program; gives a folder of one's own.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/work"
cd "$folder/work" || exit
passed=0 failed=0

# run ARGUMENT…: its stdout, stderr and exit code as $out, $err, $code.
run() {
  code=0
  "${program:?}" "$@" >"$folder/out" 2>"$folder/err" </dev/null || code=$?
  out=$(cat "$folder/out") err=$(cat "$folder/err")
}

# verdict yes|no WHAT: counts the case.
verdict() {
  local what=$2
  if [[ $1 == yes ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n  exit code %s\n  stdout: %s\n  stderr: %s\n' "$what" "$code" "$out" "$err"
  fi
}

# wrong CODE SENTENCE ARGUMENT…: one sentence on stderr with these words, nothing on stdout, no file written.
wrong() {
  local expected=$1 sentence=$2 right=yes before
  shift 2
  before=$(find . | sort)
  run "$@"
  [[ $code == "$expected" && -z $out && $err == "unclip: "*"$sentence"* && $(wc -l <"$folder/err") == 1 ]] || right=no
  [[ $(find . | sort) == "$before" ]] || right=no
  verdict $right "unclip ${*:0:200} should exit with $expected, write nothing and say: $sentence"
}

# right WORDS ARGUMENT…: exit code 0, these words on stdout, nothing on stderr.
right() {
  local words=$1 right=yes
  shift
  run "$@"
  [[ $code == 0 && $out == *"$words"* && -z $err ]] || right=no
  verdict $right "unclip $* should say: $words"
}

# The last line of a test.
all_passed() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [[ $failed == 0 ]]
}
