# SPDX-License-Identifier: MIT
"""Calls of nodes, against a bare splice of two sockets, and across two nodes
against one TLS connection, alone and with a plain connection at either end of it
as a call has them."""

import shutil
import subprocess

from figures import Figure, column, ratio
from world import SERVER, Data, Process, Server, answer, program

MANY = 100


class Splice(Process):
    def __init__(self):
        super().__init__([program("splice")], "splice.log")


def fingerprint(data):
    """What another node names this one by."""
    out = subprocess.run([SERVER, "node", "id", "--data", data.dir], stdout=subprocess.PIPE,
                         text=True, check=True).stdout
    return out.split()[-1]


def measure(rounds, run_ms):
    data = Data("calls", users=2 * MANY)
    raw = {"one": [], "one_floor": [], "many": [], "many_floor": [], "set_up": []}
    floor, server = Splice(), Server(data)
    for _ in range(rounds):
        raw["one_floor"].append(floor.load("nodes", "--floor", calls=1, run_ms=run_ms))
        raw["one"].append(server.load("nodes", calls=1, run_ms=run_ms))
        raw["many_floor"].append(floor.load("nodes", "--floor", calls=MANY, run_ms=run_ms))
        raw["many"].append(server.load("nodes", calls=MANY, run_ms=run_ms))
        raw["set_up"].append(server.load("nodes", set_up=50))
    floor.stop()
    server.stop()
    raw.update(across(data, rounds, run_ms))
    return raw


def across(data, rounds, run_ms):
    """Two nodes with the same users, callers at one and callees at the other."""
    other = Data("calls-other", users=0)
    # The first start makes the keys by which they know each other.
    Server(data).stop()
    Server(other).stop()
    for part in ("users", "uins", "pems"):
        shutil.copytree(f"{data.dir}/{part}", f"{other.dir}/{part}", dirs_exist_ok=True)
    there = Server(other, nodes__peers=fingerprint(data))
    here = Server(data, nodes__peers=f"{fingerprint(other)}@127.0.0.1:{there.port}")
    raw = {"across": [], "tls_floor": [], "tunnel_floor": []}
    ends = {"other_port": there.port, "other_pid": there.pid}
    for _ in range(rounds):
        for name, option in (("tls_floor", "--tls"), ("tunnel_floor", "--tunnel")):
            raw[name].append(answer([program("nodes"), option, "--keys", data.keys,
                                     "--run-ms", str(run_ms)]))
        raw["across"].append(here.load("nodes", calls=1, run_ms=run_ms, **ends))
    here.stop()
    there.stop()
    return raw


def figures(raw):
    return [
        ratio("one call: throughput over a bare splice's", (raw["one"], "mb_per_s"),
              (raw["one_floor"], "mb_per_s"), "MB/s", 0.9, at_least=True),
        ratio(f"{MANY} calls: CPU a byte over the splice's", (raw["many"], "cpu_ns_per_kib"),
              (raw["many_floor"], "cpu_ns_per_kib"), "ns/KiB", 1.2),
        ratio("a call across two nodes: throughput over plain, TLS and plain connections'",
              (raw["across"], "mb_per_s"), (raw["tunnel_floor"], "mb_per_s"), "MB/s", 0.8, at_least=True),
        ratio("a call across two nodes: throughput over one TLS connection's alone",
              (raw["across"], "mb_per_s"), (raw["tls_floor"], "mb_per_s"), "MB/s"),
        Figure("a call's set-up, from 03 to the first byte", "us", column(raw["set_up"], "set_up_us")),
    ]
