# SPDX-License-Identifier: MIT
"""Rooms: what a delivery, a page, a login and an idle connection cost."""

import os

from figures import Figure, column, ratio
from world import Data, Server as PlainServer

SIZES = {1: 5000, 10: 3000, 100: 1000, 1000: 200}  # members online: messages
LENGTH, SHORT = 20000, 500  # messages of a room
LOGINS, SIGN_UPS, IDLE = 400, 40, 2000


class Server(PlainServer):
    def __init__(self, data):
        super().__init__(data, limits__trust="127.0.0.0/8", rooms__max_members=1100, rooms__captcha="off")

    def rooms(self, **named):
        return self.load("rooms", tokens=self.data.tokens, **named)


def measure(rounds):
    data = Data("rooms", users=max(max(SIZES) + 1, IDLE), tokens=True)
    os.makedirs(os.path.join(data.dir, "server"), exist_ok=True)
    with open(os.path.join(data.dir, "server", "test-mode"), "w", encoding="utf-8"):
        pass
    raw = {"fan_out": {n: [] for n in SIZES}, "pages": [], "log_in": [], "sign_up": [], "idle": [], "idle_tls": []}
    for i in range(rounds):
        server = Server(data)
        if i == 0:  # names are taken once
            raw["sign_up"].append(server.rooms(sign_up=SIGN_UPS))
        raw["idle"].append(server.rooms(idle=IDLE))
        raw["log_in"].append(server.rooms(log_in=LOGINS))
        for size, messages in SIZES.items():
            raw["fan_out"][size].append(server.rooms(fan_out=size, messages=messages))
        raw["pages"].append(server.rooms(sync=LENGTH, beside=SHORT))
        server.stop()
        # Of a server of its own: memory that others gave back would be used again.
        server = Server(data)
        raw["idle_tls"].append(server.load("rooms", "--tls", tokens=data.tokens, idle=IDLE))
        server.stop()
    return raw


def figures(raw):
    out = []
    for size, rows in raw["fan_out"].items():
        goal = 1.5 if size >= 100 else None
        out.append(ratio(f"rooms, {size:,} online: CPU a delivery over one seal and one send",
                         (rows, "cpu_us"), (rows, "floor_us"), "us", goal))
    one, most = raw["fan_out"][1], raw["fan_out"][1000]
    out.append(ratio("rooms, 1,000 online: CPU a delivery over that of one", (most, "cpu_us"),
                     (one, "cpu_us"), "us", 1.0))
    out.append(ratio(f"rooms: a page of {LENGTH:,} messages over one of {SHORT}", (raw["pages"], "large_us"),
                     (raw["pages"], "small_us"), "us", 1.2))
    out.append(ratio("rooms: connection and login over key pair, agreement and signature",
                     (raw["log_in"], "log_in_us"), (raw["log_in"], "primitives_us"), "us"))
    out.append(Figure("rooms: logins", "1/s", column(raw["log_in"], "per_second")))
    out.append(Figure("rooms: sign-up, server CPU without one hash of a password", "us",
                      column(raw["sign_up"], "rest_us")))
    out.append(Figure("rooms: sign-ups one after the other", "1/s", column(raw["sign_up"], "per_second")))
    out.append(Figure(f"rooms, idle connection, {IDLE:,} of them: resident memory", "KiB",
                      column(raw["idle"], "rss_kib"), 24))
    out.append(Figure(f"rooms over TLS, idle connection, {IDLE:,} of them: resident memory", "KiB",
                      column(raw["idle_tls"], "rss_kib"), 24))
    return out
