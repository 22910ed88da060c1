#!/bin/sh
# Install the Debian packages that the build and the tests need, with --dev also
# what lint, sanitizers, fuzzing and coverage need.  Nothing happens when they are
# all there.  Without the right to install, print the one command.
set -eu

packages="gcc libc6-dev make pkg-config libssl-dev libbsd-dev libutf8proc-dev libdeflate-dev
libseccomp-dev libinih-dev libcrypt-dev libhttp-parser-dev libwslay-dev libjansson-dev libgd-dev
libarchive-dev libncurses-dev check tmux python3 python3-cryptography python3-websockets"
if [ "${1:-}" = --dev ]; then
  packages="$packages clang clang-format libclang-rt-14-dev llvm cppcheck shellcheck valgrind
mandoc git iproute2"
fi

missing=""
for p in $packages; do
  dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed ||
    missing="$missing $p"
done
[ -n "$missing" ] || exit 0

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
