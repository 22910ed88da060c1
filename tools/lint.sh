#!/usr/bin/env bash
# Everything that can be said about the sources without running them.  Prints what
# it checks; ends with status 1 when anything was found.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0
step() { echo "lint: $*"; }
fail() { bad=1; }

mapfile -t c_files < <(git ls-files '*.c')
mapfile -t all_c < <(git ls-files '*.c' '*.h')
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
flags=(-std=c17 -D_GNU_SOURCE '-DQUINTET_VERSION="lint"' -I. -Wall -Wextra -Wpedantic -Wshadow
  -Wconversion -Wstrict-prototypes -Wvla -Wmissing-prototypes -Wformat=2 -Wcast-qual -Wundef -Werror)

step "clang warnings and lock annotations"
printf '%s\n' "${c_files[@]}" | xargs -P "$(nproc)" -n 8 \
  clang "${flags[@]}" -Wthread-safety -fsyntax-only || fail

step "gcc warnings"
printf '%s\n' "${c_files[@]}" | xargs -P "$(nproc)" -n 8 gcc "${flags[@]}" -fsyntax-only || fail

step "each header stands alone"
for h in $(git ls-files '*.h'); do
  gcc "${flags[@]}" -Wno-pedantic -Wno-unused -fsyntax-only -x c - <<<"#include \"$h\"" || fail
done

step "layout (clang-format)"
clang-format --dry-run -Werror "${all_c[@]}" 2>&1 | head -n 40
[ "${PIPESTATUS[0]}" = 0 ] || fail

step "who may include whom"
tools/check-includes.sh || fail

step "cppcheck"
cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr -j "$(nproc)" \
  --suppress=missingIncludeSystem --suppress=unknownMacro --error-exitcode=1 -I. \
  -D_GNU_SOURCE '-DQUINTET_VERSION="lint"' base crypto protocol store server client || fail

step "shell scripts"
shellcheck "${scripts[@]}" || fail

step "manual pages"
for m in docs/man/*; do
  mandoc -Tlint -Wwarning "$m" || fail
done

step "settings in the manual"
if make -s server/server; then
  tools/config-manual.sh | diff docs/man/quintet.conf.5 - || fail
else
  fail
fi

if [ "$bad" = 0 ]; then
  echo "lint: nothing found"
else
  echo "lint: see above"
fi
exit "$bad"
