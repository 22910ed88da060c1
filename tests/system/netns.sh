#!/bin/sh
# Three networks with a switch between them, for tests that cut them off
# (faults_nodes.c): namespaces PREFIX-0, -1, -2, each with eth0 at 10.77.0.1, .2, .3, and
# PREFIX-hub, which has the other ends, port0, port1, port2.  Needs root.
#
# Environment: BUILD, SERVER (as in the Makefile).
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
server=$(realpath -m "${SERVER:-server/server}")
prefix=quintet$$

cleanup() {
  for n in 0 1 2 hub; do ip netns del "$prefix-$n" 2>/dev/null || :; done
}

if ! command -v ip >/dev/null || ! ip netns add "$prefix-hub" 2>/dev/null; then
  echo "skipped: network namespaces are not permitted here (root and iproute2 are needed)"
  exit 0
fi
trap cleanup EXIT
trap 'exit 1' INT TERM
if ! ip -n "$prefix-hub" link add switch type bridge 2>/dev/null; then
  echo "skipped: a bridge between network namespaces is not permitted here"
  exit 0
fi
ip -n "$prefix-hub" link set switch up
for n in 0 1 2; do
  ip netns add "$prefix-$n"
  ip -n "$prefix-hub" link add "port$n" type veth peer name eth0 netns "$prefix-$n"
  ip -n "$prefix-hub" link set "port$n" master switch up
  ip -n "$prefix-$n" link set lo up
  ip -n "$prefix-$n" addr add "10.77.0.$((n + 1))/24" dev eth0
  ip -n "$prefix-$n" link set eth0 up
done

# The harness starts QUINTET_SERVER; this one goes to its lab's network first.
wrapper=$(mktemp)
trap 'rm -f "$wrapper"; cleanup' EXIT
cat >"$wrapper" <<EOT
#!/bin/sh
case \$1 in
--data) exec ip netns exec "$prefix-\$LAB" "$server" "\$@" --listen 0.0.0.0:9034 ;;
*) exec "$server" "\$@" ;;
esac
EOT
chmod 755 "$wrapper"
export QUINTET_SERVER="$wrapper" QUINTET_NETNS="$prefix"
"$BUILD/tests/system/faults_nodes"
