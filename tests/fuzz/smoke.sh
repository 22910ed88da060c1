#!/bin/sh
# Run every libFuzzer target for FUZZ_SECONDS from its seeds; new inputs go to the
# build folder.  A crash leaves its input there and fails.
set -eu
cd "$(dirname "$0")/../.."
passed=0
failed=0
for bin in "$BUILD"/libfuzzer/fuzz_*; do
  case $bin in *.d | *.o) continue ;; esac
  name=$(basename "$bin")
  found=$BUILD/found/$name
  mkdir -p "$found"
  if "$bin" -max_total_time="${FUZZ_SECONDS:-10}" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found/crash-" "$found" "tests/fuzz/corpus/${name#fuzz_}" >"$found.log" 2>&1; then
    passed=$((passed + 1))
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$found.log") inputs, nothing found"
  else
    failed=$((failed + 1))
    echo "$name: FAILED"
    tail -n 40 "$found.log"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
