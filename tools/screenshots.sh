#!/usr/bin/env bash
# Take the pictures of docs/web.md again, on a server of their own; needs what the tests of
# the page need (make deps).
#
# Environment: SERVER, the program; TO, the folder (docs/images).
set -u
cd "$(dirname "$0")/.." || exit 1
SERVER=$(realpath "${SERVER:-server/server}")
TO=${TO:-docs/images}

dir=$(mktemp -d) || exit 1
"$SERVER" --data "$dir/data" --listen 127.0.0.1:0 >"$dir/said" 2>"$dir/err" &
server=$!
trap 'kill $server; wait $server; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM HUP
for _ in $(seq 250); do
  grep -q '^listening on ' "$dir/said" && break
  sleep 0.02
done
port=$(sed -n 's/^listening on .*://p' "$dir/said" | head -n 1)
[ -n "$port" ] || {
  cat "$dir/err" >&2
  exit 1
}
chromium=$(command -v chromium || command -v chromium-browser) || {
  echo "screenshots: no chromium (make deps)" >&2
  exit 1
}
node tools/screenshots.mjs build/npm "$port" "$TO" "" "$chromium" || exit 1
# Flat colours need no more than 256 of them.
! command -v pngquant >/dev/null || pngquant --force --ext .png "$TO"/web*.png
