# SPDX-License-Identifier: MIT
"""board against the server of Socket.IO for Node, with handlers of the same events, in
the same run and by the same generator.  Node's keeps nothing; ours keeps every message.
Both run until they are measured no more; neither pings meanwhile."""

import os
import shutil

from figures import Figure, column, ratio, warm_memory
from world import Data, Process, Server

HERE = os.path.dirname(os.path.abspath(__file__))
NPM = os.path.join(os.path.dirname(HERE), "build", "npm")
IDLE = 1000
# title: options, and whether the goal is about it
LOADS = {
    "one to one": ({}, True),
    "one to one, 32 at a time": ({"batch": 32}, True),
    "8 pairs": ({"pairs": 8}, True),
    "to 50 connections": ({"readers": 50, "window": 64}, True),
    "polling, one to one": ({"polling": None}, False),
    "polling, one to one, 32 at a time": ({"polling": None, "batch": 32}, False),
    "polling, to 20 connections, 8 at a time":
        ({"polling": None, "readers": 20, "window": 64, "batch": 8}, False),
}


def missing():
    """Why there is nothing to measure against, or None."""
    if shutil.which("node") is None or not os.path.isdir(os.path.join(NPM, "node_modules", "socket.io")):
        return "no node, or no socket.io in build/npm (make deps)"
    return None


class Measured:
    """What board.c is run against."""

    def board(self, **named):
        flags = ["--" + name.replace("_", "-") for name, value in named.items() if value is None]
        values = {name: value for name, value in named.items() if value is not None}
        return self.load("board", *flags, tokens=self.data.tokens, **values)


class Node(Measured, Process):
    def __init__(self, data):
        self.data = data
        super().__init__(["node", os.path.join(HERE, "board_node.mjs"), NPM, data.tokens], "node.log")


class Ours(Measured, Server):
    def __init__(self, data):
        super().__init__(data, limits__trust="127.0.0.0/8", board__ping_interval="10m")


TARGETS = {"ours": Ours, "node": Node}


def measure(rounds, run_ms):
    """Both run at once, and take turns: what else the machine does meets them alike."""
    data = Data("board", users=IDLE, tokens="board")
    raw = {title: {name: [] for name in TARGETS} for title in LOADS}
    raw.update({kind: {name: [] for name in TARGETS} for kind in ("trip", "polling trip", "idle")})
    for _ in range(rounds):
        for name, start in TARGETS.items():
            target = start(data)
            raw["idle"][name].append(target.board(idle=IDLE))
            target.stop()
        targets = {name: start(data) for name, start in TARGETS.items()}
        for title, (options, _) in LOADS.items():
            for name, target in targets.items():
                warm_memory()
                raw[title][name].append(target.board(run_ms=run_ms, **options))
        for name, target in targets.items():
            raw["trip"][name].append(target.board(round_trip=None, run_ms=run_ms))
            raw["polling trip"][name].append(target.board(round_trip=None, polling=None, run_ms=run_ms))
        for target in targets.values():
            target.stop()
    data.remove()
    return raw


def figures(raw):
    out = []
    for title, (_, judged) in LOADS.items():
        rows = raw[title]
        out.append(ratio(f"board, {title}: server CPU over Node's", (rows["ours"], "cpu_us"),
                         (rows["node"], "cpu_us"), "us/message", 0.2 if judged else None))
        out.append(Figure(f"board, {title}: rate", "k/s", column(rows["ours"], "per_second", 1e-3)))
    for key, title, goal in (("trip", "round trip", 1.0), ("polling trip", "polling, round trip", None)):
        out.append(ratio(f"board, {title}: median over Node's", (raw[key]["ours"], "p50_us"),
                         (raw[key]["node"], "p50_us"), "us", goal))
    out.append(ratio(f"board, idle connection, {IDLE:,} of them: resident memory over Node's",
                     (raw["idle"]["ours"], "rss_kib"), (raw["idle"]["node"], "rss_kib"), "KiB", 0.5))
    return out
