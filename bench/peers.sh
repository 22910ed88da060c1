#!/bin/sh
# SPDX-License-Identifier: MIT
# Install what contacts is measured against: ngircd and mosquitto, from Debian.  Their
# services are neither started now nor at boot: bench/run starts its own and ends them.
set -eu

missing=""
for p in ngircd mosquitto; do
  dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed ||
    missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "These packages are missing. As root: make bench-peers, or" >&2
  echo "  sudo apt-get install$missing" >&2
  exit 1
fi

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing
for p in $missing; do
  systemctl disable "$p" >/dev/null 2>&1 || true # without systemd nothing starts it
done
