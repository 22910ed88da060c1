#!/bin/sh
# Install the Debian packages that are needed: with --run to build and run, without it
# also for the tests and the benchmarks, with --dev also for lint, sanitizers, fuzzing and
# coverage.  Nothing happens when they are all there.  Without the right to install, print
# the one command.
#
# Then fetch what comes from npm, as tools/npm/package-lock.json pins it, into build/npm:
# the web page's socket.io-client, and what some tests and a benchmark want, which skip
# without.  Where the registry cannot be reached, say so and go on, and try again after an
# hour.
set -eu

packages="gcc libc6-dev make pkg-config libssl-dev libbsd-dev libutf8proc-dev libdeflate-dev
libseccomp-dev libinih-dev libcrypt-dev libhttp-parser-dev libwslay-dev libjansson-dev libgd-dev
libarchive-dev libncurses-dev"
if [ "${1:-}" != --run ]; then
  packages="$packages check tmux python3 python3-cryptography python3-websockets chromium"
fi
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
  command -v npm >/dev/null || return 0
  # Root leaves no folder behind that whoever builds afterwards cannot write to.
  [ "$(id -u)" != 0 ] || [ "$(stat -c %u .)" = 0 ] || return 0
  if cmp -s $lock $dir/tried.json &&
    { [ -d $dir/node_modules/socket.io-client ] || [ -n "$(find $dir/tried.json -mmin -60)" ]; }; then
    return 0
  fi
  mkdir -p $dir
  cp tools/npm/package.json $lock $dir/
  if ! npm ci --prefix $dir --ignore-scripts --no-audit --no-fund --silent \
    --fetch-retries 0 --fetch-timeout 20000 >/dev/null 2>&1; then
    echo "npm's registry cannot be reached: the web page has no socket.io-client, and tests with" \
      "the stock client and a browser will be skipped" >&2
  fi
  cp $lock $dir/tried.json
}

# The web page's own copy, beside its other files.
place_client() {
  from=build/npm/node_modules/socket.io-client/dist/socket.io.min.js
  to=web/socket.io/socket.io.js
  if [ -f $from ] && ! cmp -s $from $to; then
    mkdir -p web/socket.io
    cp $from $to
  fi
}
cd "$(dirname "$0")/.."

missing=""
for p in $packages; do
  dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed ||
    missing="$missing $p"
done
if [ -z "$missing" ]; then
  fetch_npm
  place_client
  exit 0
fi

if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
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
place_client
