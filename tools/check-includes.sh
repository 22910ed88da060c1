#!/bin/sh
# The folders' rule (docs/architecture.md, "Who may include whom"):
#   base                 nobody
#   crypto protocol      base
#   store                base, crypto
#   server               base, crypto, protocol, store
#   client               base, crypto, protocol
# Tests and benchmarks may include anything; nothing includes server or client but
# their own files, tests and bench.
set -eu
cd "$(dirname "$0")/.."
bad=0
check() {
  folder=$1
  allowed=$2
  found=$(git ls-files "$folder/*.c" "$folder/*.h" "$folder/**/*.c" "$folder/**/*.h" | sort -u |
    xargs grep -nE '^#[[:space:]]*include "' | grep -vE "#[[:space:]]*include \"($allowed)/" || true)
  if [ -n "$found" ]; then
    echo "$folder may include only $allowed:"
    echo "$found"
    bad=1
  fi
}
check base 'base'
check crypto 'base|crypto'
check protocol 'base|protocol'
check store 'base|crypto|store'
check server 'base|crypto|protocol|store|server'
check client 'base|crypto|protocol|client'
exit $bad
