#!/usr/bin/env bash
# Run every test program below $BUILD/tests, several at a time, and end with one
# line "N passed, N failed".  Words given as arguments select programs: those that
# have one of them in their path.
#
#   tests/run.sh                        all that is built (make check-build)
#   tests/run.sh /unit/ rooms           the units, and whatever has to do with rooms
#   CK_RUN_CASE=nodes_ends tests/run.sh test_nodes_links    one test case of a program
#
# What failed is printed twice: in full beside its program, and one line a check right
# before the last line, since often the end of a log is all that anybody keeps.  All
# that a program has said stays in $BUILD/test-logs until the next run.
#
# Several runs at once do not disturb each other, as long as each has a BUILD of its own:
# servers take ports that are free, and what is written lies in BUILD and in a folder of
# the run's own, which is removed at its end.  A run that is interrupted takes with it
# what it has started.
#
# Environment; paths are absolute or start at the repository's root:
#   BUILD   what was built into (build)
#   SERVER, CLIENT   the programs that are tested (server/server, client/client)
#   JOBS    programs at once (two a processor)
#   SLOW    time limits are multiplied by it, for sanitizers and valgrind (1)
#   SKIP    a pattern (grep -E): programs to leave out
#   WRAP    a command to run each test program under
#   TMPDIR  where the run's own folder is made (/tmp, also for a path over 30 bytes: the
#           names of sockets below it have to be short)
#   QUINTET_SANITIZER   what SERVER is built with, if anything: some tests cannot be made
#           then, and say so
# The test programs read QUINTET_SERVER, QUINTET_CLIENT, QUINTET_BUILD and SLOW, and
# Check's own variables (CK_RUN_CASE, CK_VERBOSITY, ...); tests/system/harness.h says more.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
QUINTET_SERVER=$(realpath -m "${SERVER:-server/server}")
QUINTET_CLIENT=$(realpath -m "${CLIENT:-client/client}")
QUINTET_BUILD=$(realpath -m "$BUILD")
export QUINTET_SERVER QUINTET_CLIENT QUINTET_BUILD
export CK_TIMEOUT_MULTIPLIER=${SLOW:-1} SLOW=${SLOW:-1}
export CK_DEFAULT_TIMEOUT=120
logs=$BUILD/test-logs
mkdir -p "$logs"
exec {lock}>"$BUILD/test-logs.lock"
if ! flock -n "$lock"; then
  echo "another run is at work in $BUILD: give this one another BUILD" >&2
  exit 1
fi
rm -rf "${logs:?}"/*
TMPDIR=${TMPDIR:-/tmp}
[ ${#TMPDIR} -le 30 ] || TMPDIR=/tmp
TMPDIR=$(mktemp -d "$TMPDIR/quintet-XXXXXX") || exit 1
chmod 711 "$TMPDIR" # for a server that gives up root
export TMPDIR

list=$(find "$BUILD/tests" -maxdepth 2 -type f \( -name 'test_*' -o -name 'fuzz_*' \) ! -name '*.so' | sort)
if [ $# -gt 0 ]; then
  list=$(for w in "$@"; do grep -- "$w" <<<"$list"; done | sort -u)
fi
[ -z "${SKIP:-}" ] || list=$(grep -vE -- "$SKIP" <<<"$list")
[ -n "$list" ] || echo "no such test program below $BUILD/tests: make check-build builds them" >&2

one() {
  local bin=$1 name log start
  name=$(basename "$bin")
  log=$2/$(basename "$(dirname "$bin")")-$name.log
  start=$SECONDS
  case $name in
  fuzz_*) set -- "$bin" "tests/fuzz/corpus/${name#fuzz_}" ;;
  *) set -- "$bin" ;;
  esac
  (
    echo "$BASHPID" >"$log.pid"
    # shellcheck disable=SC2086
    exec timeout -k 5 $((300 * SLOW)) ${WRAP:-} "$@" >"$log" 2>&1 </dev/null
  )
  echo "exit $?" >>"$log"
  rm "$log.pid"
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

# Interrupted: first who would start more, then what runs.  Each timeout has put itself
# and its program into a process group of its own, where no key of the terminal reaches
# them; told to end, it tells its program, and Check the test, whose servers and clients
# die with it.
stop() {
  trap '' INT TERM HUP
  kill -TERM -- "-$runner"
  for f in "$logs"/*.pid; do
    [ -e "$f" ] || continue
    kill -TERM "$(cat "$f")" 2>/dev/null
    timeout 10 tail -s 0.1 --pid="$(cat "$f")" -f /dev/null
    rm "$f"
  done
  echo "interrupted" >&2
  exit 1
}
trap 'rm -rf "$TMPDIR"' EXIT

export -f one
export WRAP=${WRAP:-}
# In a process group of its own, for stop; and without the lock, which is this run's.
set -m
# shellcheck disable=SC2016
xargs -r -P "${JOBS:-$(($(nproc) * 2))}" -I{} bash -c 'one "$1" "$2"' _ {} "$logs" \
  <<<"$list" {lock}>&- &
runner=$!
set +m
trap stop INT TERM HUP
wait "$runner"
trap - INT TERM HUP

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
