#!/usr/bin/env bash
# The whole thing in ten seconds: a server, two clients that enrol and chat, alice
# passing on the README line by line, and what the server has stored of it.
#
# Environment: SERVER, CLIENT, the programs; TEXT, what alice passes on.  Ends with
# status 0 when bob got every line exactly as alice sent it.
set -u
cd "$(dirname "$0")/.." || exit 1
SERVER=$(realpath "${SERVER:-server/server}")
CLIENT=$(realpath "${CLIENT:-client/client}")
TEXT=${TEXT:-README.md}

dir=$(mktemp -d) || exit 1
running=()
clean_up() {
  if [ ${#running[@]} -gt 0 ]; then
    kill "${running[@]}" 2>/dev/null
    wait
  fi
  rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
step() { printf '\n== %s\n' "$*"; }
fail() {
  printf 'demo: %s\n' "$1" >&2
  tail -n 5 "$dir"/*.said "$dir"/*.err >&2
  exit 1
}
# Wait until a line of file $1 begins with $2, for five seconds.
until_line() {
  for _ in $(seq 250); do
    grep -q -- "^$2" "$1" 2>/dev/null && return
    sleep 0.02
  done
  fail "waited in vain for \"$2\""
}
# $1's client: own home, commands from standard input.
as() {
  local name=$1
  shift
  XDG_CONFIG_HOME=$dir/$name "$CLIENT" "$@" --user "$name"
}

step "a server, on an empty folder"
"$SERVER" --data "$dir/data" --listen 127.0.0.1:0 >"$dir/server.said" 2>"$dir/server.err" &
server=$!
running=("$server")
until_line "$dir/server.said" "listening on "
grep '^listening on ' "$dir/server.said"
at=$(sed -n 's/^listening on //p' "$dir/server.said" | head -n 1)
code=$("$SERVER" enroll-code --data "$dir/data") || fail "no enrolment code"
echo "enrolment code $code"

step "alice and bob enrol"
for name in alice bob; do
  as "$name" --enroll "$at" <<<"$code" || fail "$name could not enrol"
done

step "they chat"
{
  echo "/wait request 10"
  echo "/accept"
  echo "/wait chat 10"
  echo "Hello Alice, I am listening."
  echo "/wait closed 30"
} | as bob "$at" >"$dir/bob.said" 2>"$dir/bob.err" &
bob=$!
running+=("$bob")
until_line "$dir/bob.said" "\* logged in"
{
  echo "/chat bob"
  echo "/wait chat 10"
  sed 's,^/,//,' "$TEXT"
  echo "/wait message 10"
  echo "/end"
} | as alice "$at" >"$dir/alice.said" 2>"$dir/alice.err" || fail "alice could not chat"
wait "$bob" || fail "bob could not chat"
running=("$server")
for name in alice bob; do
  echo "-- $name's screen, the last lines:"
  tail -n 7 "$dir/$name.said" | cut -c 1-100
done

step "did bob get every line?"
sed -n 's/^<alice> //p' "$dir/bob.said" | diff -q "$TEXT" - >/dev/null ||
  fail "what bob got is not what alice sent"
echo "yes: $(wc -l <"$TEXT") lines of $TEXT, byte for byte"
grep -q '^<bob> Hello Alice' "$dir/alice.said" || fail "alice did not get bob's answer"

step "what the server has stored: messages/alice+bob.log"
head -n 3 "$dir/data/messages/alice+bob.log" | cut -c 1-100
echo "... $(wc -l <"$dir/data/messages/alice+bob.log") lines, which the server could not read"
grep -q 'Hello Alice' "$dir/data/messages/alice+bob.log" && fail "the log can be read"

kill "$server"
wait "$server" || fail "the server did not end well"
running=()
