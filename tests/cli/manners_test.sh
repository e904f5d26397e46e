#!/usr/bin/env bash
# manners_test.sh PROGRAM VERSION: what the program says and how it exits, one line per case.
set -euo pipefail
program=$1 version=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
passed=0 failed=0

# run ARGUMENT…: its stdout, stderr and exit code as $out, $err, $code.
run() {
  code=0
  "$program" "$@" >"$folder/out" 2>"$folder/err" </dev/null || code=$?
  out=$(cat "$folder/out") err=$(cat "$folder/err")
}

verdict() {
  local what=$2
  if [[ $1 == yes ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n  exit code %s\n  stdout: %s\n  stderr: %s\n' "$what" "$code" "$out" "$err"
  fi
}

# wrong CODE SENTENCE ARGUMENT…: one sentence on stderr with these words, nothing on stdout.
wrong() {
  local expected=$1 sentence=$2 right=yes
  shift 2
  run "$@"
  [[ $code == "$expected" && -z $out && $err == "unclip: "*"$sentence"* && $(wc -l <"$folder/err") == 1 ]] || right=no
  verdict $right "unclip $* should exit with $expected and say: $sentence"
}

# right WORDS ARGUMENT…: exit code 0, these words on stdout, nothing on stderr.
right() {
  local words=$1 right=yes
  shift
  run "$@"
  [[ $code == 0 && $out == *"$words"* && -z $err ]] || right=no
  verdict $right "unclip $* should say: $words"
}

right "unclip $version" --version
right 'Subcommands:' --help
right 'Examples:' doctor --help
right 'LibTorch' doctor
right '"checks":[{"name":"program","status":"ok"' doctor --json
run doctor --json
verdict "$(python3 -m json.tool out >/dev/null && echo yes)" 'doctor --json should print JSON'

wrong 2 'a command is missing; see: unclip --help'
wrong 2 "unknown command 'doctr', did you mean doctor? See: unclip --help" doctr
wrong 2 "unknown command 'xyzzy'; see: unclip --help" xyzzy
wrong 2 'unknown flag --versoin, did you mean --version?' --versoin
wrong 2 'unknown flag --jsn, did you mean --json? See: unclip doctor --help' doctor --jsn
wrong 2 'unknown flag --jsn, did you mean --json?' doctor --jsn=yes
wrong 2 "unexpected argument 'now'; see: unclip doctor --help" doctor now
wrong 2 "--threads is '0', expected 1 to 1024" doctor --threads 0
wrong 2 "--threads is '99999', expected 1 to 1024" doctor --threads 99999
wrong 2 "--threads is 'two', expected a whole number" doctor --threads two
wrong 2 "--threads is '1e99', expected a whole number" doctor --threads 1e99
wrong 2 '--threads needs a value' doctor --threads

code=0
"$program" doctor >/dev/full 2>err || code=$?
out='' err=$(cat err)
verdict "$([[ $code == 1 && $err == 'unclip: stdout: '* ]] && echo yes)" 'a full disk should be an error'

printf '%d passed, %d failed\n' "$passed" "$failed"
[[ $failed == 0 ]]
