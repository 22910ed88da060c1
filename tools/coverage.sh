#!/bin/sh
# One line a source file: how many of its lines the tests ran.  The argument is the
# build folder of `make coverage`.
set -eu
cd "$(dirname "$0")/.."
build=$1
for o in $(find "$build/obj" -name '*.gcno' ! -path '*/tests/*' | sort); do
  gcov -n -o "$(dirname "$o")" "$o" 2>/dev/null |
    awk '/^File/ { gsub(/\047/, ""); f = $2 } /^Lines executed/ { split($2, a, ":"); if (f !~ /^\//) print a[2], f, "of", $4; f = "/" }'
done | sort -t% -k1n
