#!/usr/bin/env bash
# manners_test.sh PROGRAM VERSION: what the program says and how it exits, one line per case.
set -euo pipefail
program=$1 version=$2
# shellcheck source=tests/cli/verdict.sh
source "$(dirname "$0")/verdict.sh"

right "unclip $version" --version
right 'Subcommands:' --help
right 'Examples:' doctor --help
right 'LibTorch' doctor
right '"checks":[{"name":"program","status":"ok"' doctor --json
run doctor --json
verdict "$(python3 -m json.tool "$folder/out" >/dev/null && echo yes)" 'doctor --json should print JSON'

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
"$program" doctor >/dev/full 2>"$folder/err" || code=$?
out='' err=$(cat "$folder/err")
verdict "$([[ $code == 1 && $err == 'unclip: stdout: '* ]] && echo yes)" 'a full disk should be an error'

all_passed
