#!/bin/sh
# Install the Debian packages that the build and the tests need, with --dev also
# what lint, sanitizers, fuzzing and coverage need.  Nothing happens when they are
# all there.  Without the right to install, print the one command.
#
# Then fetch what comes from npm, as tools/npm/package-lock.json pins it, into build/npm.
# Only tests and a benchmark want it, which skip without: where the registry cannot be
# reached, say so once and go on.
set -eu

packages="gcc libc6-dev make pkg-config libssl-dev libbsd-dev libutf8proc-dev libdeflate-dev
libseccomp-dev libinih-dev libcrypt-dev libhttp-parser-dev libwslay-dev libjansson-dev libgd-dev
libarchive-dev libncurses-dev check tmux python3 python3-cryptography python3-websockets
chromium"
if [ "${1:-}" = --dev ]; then
  packages="$packages clang clang-format libclang-rt-14-dev llvm cppcheck shellcheck valgrind
mandoc git iproute2"
fi

# Node comes in other packages as well.
command -v node >/dev/null || packages="$packages nodejs"
command -v npm >/dev/null || packages="$packages npm"

fetch_npm() {
  lock=tools/npm/package-lock.json
  dir=build/npm
  if cmp -s $lock $dir/tried.json || ! command -v npm >/dev/null; then
    return 0
  fi
  mkdir -p $dir
  cp tools/npm/package.json $lock $dir/
  if ! npm ci --prefix $dir --ignore-scripts --no-audit --no-fund --silent \
    --fetch-retries 0 --fetch-timeout 20000 >/dev/null 2>&1; then
    echo "npm's registry cannot be reached: tests with the stock client and a browser will be skipped" >&2
  fi
  cp $lock $dir/tried.json
}
cd "$(dirname "$0")/.."

missing=""
for p in $packages; do
  dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed ||
    missing="$missing $p"
done
if [ -z "$missing" ]; then
  fetch_npm
  exit 0
fi

if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root="sudo"
else
  echo "These packages are missing. Install them with:" >&2
  echo "  sudo apt-get install$missing" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing
fetch_npm
