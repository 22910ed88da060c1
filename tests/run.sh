#!/usr/bin/env bash
# Run every test program below $BUILD/tests, several at a time, and end with one
# line "N passed, N failed".  Words given as arguments select programs by name.
#
# What failed is printed twice: in full beside its program, and one line a check right
# before the last line, since often the end of a log is all that anybody keeps.
#
# Environment: BUILD, SERVER, CLIENT (as in the Makefile), JOBS (programs at once),
# SLOW (time limits are multiplied by it, for sanitizers and valgrind), SKIP (a
# pattern: programs to leave out), WRAP (a command to run each test program under).
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
export QUINTET_SERVER=$PWD/${SERVER:-server/server}
export QUINTET_CLIENT=$PWD/${CLIENT:-client/client}
export QUINTET_BUILD=$PWD/$BUILD
export CK_TIMEOUT_MULTIPLIER=${SLOW:-1} SLOW=${SLOW:-1}
export CK_DEFAULT_TIMEOUT=120
logs=$BUILD/test-logs
rm -rf "$logs"
mkdir -p "$logs"

list=$(find "$BUILD/tests" -maxdepth 2 -type f \( -name 'test_*' -o -name 'fuzz_*' \) ! -name '*.so' | sort)
if [ $# -gt 0 ]; then
  list=$(for w in "$@"; do grep -- "$w" <<<"$list"; done | sort -u)
fi
[ -z "${SKIP:-}" ] || list=$(grep -vE -- "$SKIP" <<<"$list")

one() {
  local bin=$1 name log start
  name=$(basename "$bin")
  log=$2/$(basename "$(dirname "$bin")")-$name.log
  start=$SECONDS
  case $name in
  fuzz_*) set -- "$bin" "tests/fuzz/corpus/${name#fuzz_}" ;;
  *) set -- "$bin" ;;
  esac
  # shellcheck disable=SC2086
  timeout -k 5 $((300 * SLOW)) ${WRAP:-} "$@" >"$log" 2>&1 </dev/null
  echo "exit $?" >>"$log"
  echo "$((SECONDS - start))" >"$log.time"
}

# The failed checks of one log, "file:line, test: message"; of a program that ended
# without saying which, the last it said.
brief() {
  local log=$1 name=$2 found
  local -x LC_ALL=C # whatever bytes a test was given
  found=$(sed -nE 's/^([^ :]+:[0-9]+):[FE]:[^:]*:([^:]*:-?[0-9]+): (.*)$/\1, \2: \3/p' "$log" |
    tr -cd '[:print:]\n' | sort -u)
  if [ -z "$found" ] || grep -qE '(Sanitizer|runtime error):|^==[0-9]+== ' "$log"; then
    found+=${found:+$'\n'}$(grep -E 'SUMMARY: |runtime error: |^==[0-9]+== [A-Z]' "$log" | cut -c 1-160 | sort -u |
      head -n 3)
  fi
  [ -n "${found//$'\n'/}" ] || found=$(tail -n 4 "$log")
  grep -v '^$' <<<"$found" | cut -c 1-300 | sed "s|^|$name: |"
}

export -f one
export WRAP=${WRAP:-}
# shellcheck disable=SC2016
xargs -r -P "${JOBS:-$(($(nproc) * 2))}" -I{} bash -c 'one "$1" "$2"' _ {} "$logs" <<<"$list"

passed=0 failed=0 broken=
for bin in $list; do
  name=$(basename "$(dirname "$bin")")-$(basename "$bin")
  log=$logs/$name.log
  rc=$(sed -n 's/^exit //p' "$log" | tail -n 1)
  counts=$(sed -nE 's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+)$/\1 \2 \3/p' "$log" | tail -n 1)
  read -r checks failures errors <<<"${counts:-0 0 0}"
  bad=$((failures + errors))
  # A program that ended badly without counting a failure is one.
  if [ "$bad" = 0 ] && [ "${rc:-1}" != 0 ]; then
    bad=1
    [ "$checks" -gt 0 ] || checks=1
  fi
  passed=$((passed + checks - bad))
  failed=$((failed + bad))
  printf '%-36s %4d passed %3d failed %4ss\n' "$name" $((checks - bad)) "$bad" "$(cat "$log.time" 2>/dev/null)"
  if [ "$bad" -gt 0 ]; then
    sed 's/^/    /' "$log" | tail -n 60
    broken+=$(brief "$log" "$name")$'\n'
  fi
done
# A check that cannot be made here counts as passed, but not in silence.
skipped=$(cd "$logs" && grep -H '^skipped: ' ./*.log 2>/dev/null | sed -E 's|^\./(.*)\.log:|\1: |' | sort | uniq -c)
[ -z "$skipped" ] || printf 'What was skipped, how often:\n%s\n' "$skipped"
if [ -n "$broken" ]; then
  lines=$(wc -l <<<"${broken%$'\n'}")
  echo "What failed:"
  head -n 36 <<<"${broken%$'\n'}"
  [ "$lines" -le 36 ] || echo "and $((lines - 36)) lines more: see $logs"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
