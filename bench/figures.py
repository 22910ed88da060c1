# SPDX-License-Identifier: MIT
"""What is measured, and what it is held against."""

from statistics import median

from world import Data, Floor, Holder, Server, answer, program

# name -> (title, options of bench/relay)
WORKLOADS = {
    "single": ("one pair, one at a time", {}),
    "batch": ("one pair, 32 at a time", {"batch": 32}),
    "pairs": ("8 pairs", {"pairs": 8}),
    "large": ("one pair, 16 KiB messages", {"text": 16384, "window": 64}),
}


class Figure:
    """One line of the table.  values: one for each round, which already are
    what the goal speaks of (ratios within a round).  at_least turns the goal
    around; goal None only informs.  parts: what a ratio was made of."""

    def __init__(self, title, unit, values, goal=None, at_least=False, parts="", note=""):
        self.title, self.unit, self.parts, self.note = title, unit, parts, note
        self.values, self.goal, self.at_least = list(values), goal, at_least

    @property
    def median(self):
        return median(self.values)

    @property
    def verdict(self):
        if self.goal is None:
            return ""
        good = self.median >= self.goal if self.at_least else self.median <= self.goal
        return "ok" if good else "MISSED"

    def strain(self, value):
        """value as a share of the goal: up to 1 is good."""
        return self.goal / value if self.at_least else value / self.goal

    def as_dict(self):
        return {"figure": self.title, "unit": self.unit, "goal": self.goal,
                "at_least": self.at_least, "median": self.median, "min": min(self.values),
                "max": max(self.values), "rounds": self.values, "parts": self.parts,
                "note": self.note, "verdict": self.verdict}


def column(rows, key, scale=1):
    return [row[key] * scale for row in rows]


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def ratio(title, over, under, unit, goal=None, at_least=False, scale=1):
    """over and under: (rows, key); the rounds are divided one by one."""
    a, b = column(*over, scale), column(*under, scale)
    parts = f"{number(median(a))} / {number(median(b))} {unit}"
    return Figure(title, "x", [x / y for x, y in zip(a, b)], goal, at_least, parts)


# ---- messages through the relay ----

def warm_memory(mebibytes=768):
    """Touch memory and give it back, so that the kernel has that much at hand.
    A virtual machine's host takes free pages away within seconds; getting them
    again, for the page cache of a file that grows by 300 MB a second, costs the
    writer three times what the writing does, and is nothing of ours."""
    touched = b"\1" * (mebibytes << 20)
    del touched


class Archived:
    """The server with relay.archive = yes, on an empty message folder for each
    load: what one load leaves for the kernel to write must not burden the
    next."""

    def __init__(self):
        self.data = Data("archive")

    def load(self, *options, **named):
        warm_memory()
        server = Server(self.data, relay__archive="yes")
        result = server.load("relay", *options, **named)
        server.stop()
        self.data.forget_messages()
        return result


def relay(rounds, run_ms):
    floor = Floor()
    plain = Server(Data("plain"), relay__archive="no")
    archived = Archived()
    targets = {
        "floor": lambda **o: floor.load("relay", **o),
        "plain": lambda **o: plain.load("relay", **o),
        "archive": archived.load,
    }
    raw = {name: {t: [] for t in targets} for name in WORKLOADS}
    for i in range(rounds):
        order = list(targets)
        order = order[i % 3:] + order[:i % 3]
        for name, (_, options) in WORKLOADS.items():
            for t in order:
                raw[name][t].append(targets[t](run_ms=run_ms, **options))
    raw.update(pingpong(rounds, floor, plain))
    plain.stop()
    floor.stop()
    return raw


def pingpong(rounds, floor, plain):
    """Where the kernel wakes a thread decides more than what the thread does,
    so the runs are many and short; a second set has everything on one
    processor, where only the work is left."""
    raw = {"pingpong": {"floor": [], "plain": []}, "pingpong-pinned": {"floor": [], "plain": []}}
    for name, cpus in (("pingpong", None), ("pingpong-pinned", {0})):
        for target in (floor, plain):
            target.pin(cpus or all_cpus())
        for _ in range(3 * rounds):
            for key, target in (("floor", floor), ("plain", plain)):
                command = target.command("relay", "--pingpong", run_ms=300, warm_ms=50)
                if cpus:
                    command = ["taskset", "-c", "0", *command]
                raw[name][key].append(answer(command))
    for target in (floor, plain):
        target.pin(all_cpus())
    return raw


def all_cpus():
    import os
    return set(range(os.cpu_count()))


def relay_figures(raw):
    out = []
    for name, (title, _) in WORKLOADS.items():
        rows = raw[name]
        judged = name in ("batch", "pairs")
        for t, label, goal in (("plain", "no archive", 1.25), ("archive", "archive", 1.75)):
            out.append(ratio(f"{title}, {label}: server CPU over floor's", (rows[t], "cpu_us"),
                             (rows["floor"], "cpu_us"), "us/message", goal if judged else None))
        # One worker that may use 1.75 times the floor's CPU cannot move 0.8 times
        # as much: with archive the throughput is told, not judged.
        for t, label, goal in (("plain", "no archive", 0.8), ("archive", "archive", None)):
            out.append(ratio(f"{title}, {label}: throughput over floor's", (rows[t], "per_second"),
                             (rows["floor"], "per_second"), "k/s", goal if judged else None,
                             at_least=True, scale=1e-3))
    for name, title in (("pingpong", "one in flight"),
                        ("pingpong-pinned", "one in flight, all on one processor")):
        rows = raw[name]
        for key, what, goal in (("p50_us", "median round trip", 1.15),
                                ("p99_us", "99th percentile", None)):
            out.append(ratio(f"{title}: {what} over floor's", (rows["plain"], key),
                             (rows["floor"], key), "us", goal))
    return out


# ---- logins ----

def login(rounds):
    raw = {}
    for kind, rsa in (("ec", False), ("rsa", True)):
        users = 40 if rsa else 400
        server = Server(Data("login-" + kind, users=users, rsa=rsa))
        options = ["--users", str(users)] + (["--rsa"] if rsa else [])
        options += ["--threads", "4"]
        server.load("login", *options, logins=200)
        raw[kind] = [server.load("login", *options, logins=1000) for _ in range(rounds)]
        server.stop()
    return raw


def login_figures(raw):
    out = []
    for kind in ("ec", "rsa"):
        rows, title = raw[kind], f"login, {kind.upper()} keys"
        out.append(ratio(f"{title}: server CPU over its primitives'", (rows, "login_us"),
                         (rows, "primitives_us"), "us", 1.4))
        out.append(ratio(f"{title}, with connection and end: server CPU over the same",
                         (rows, "visit_us"), (rows, "primitives_us"), "us"))
        out.append(Figure(f"{title}: rate", "1/s", column(rows, "per_second")))
    return out


# ---- crowds ----

IDLE, CROWD = 5000, 10000


def crowd(rounds, run_ms):
    data = Data("crowd", users=CROWD + 16)
    settings = {"relay__archive": "no"}
    raw = {"idle": [], "alone": [], "beside": []}
    server = Server(data, **settings)
    raw["idle"].append(server.load("crowd", count=IDLE))
    server.stop()
    alone = Server(data, **settings)
    idle_data = Data("crowd-beside", users=IDLE + 16)
    beside = Server(idle_data, **settings)
    holder = Holder(beside.command("crowd", "--hold", count=IDLE, first=16))
    raw["idle"].append(holder.result)
    for _ in range(rounds):
        raw["alone"].append(alone.load("relay", pairs=8, run_ms=run_ms))
        raw["beside"].append(beside.load("relay", pairs=8, run_ms=run_ms))
    holder.release()
    beside.stop()
    alone.stop()
    server = Server(data, **settings)
    raw["crowd"] = server.load("crowd", "--chat", count=CROWD)
    server.stop()
    return raw


def crowd_figures(raw):
    big = raw["crowd"]
    steps = ", ".join(f"{step} {big[step + '_s']:.1f} s" for step in ("login", "list", "chat", "leave"))
    return [
        Figure(f"idle connection, {IDLE:,} of them: resident memory", "KiB",
               column(raw["idle"], "rss_kib"), 16),
        Figure(f"idle connection, {IDLE:,} of them: kernel memory, both ends", "KiB",
               column(raw["idle"], "kernel_kib")),
        Figure("connections at once that log in, list, chat, leave", "", [big["count"]], CROWD,
               at_least=True, parts=steps),
        ratio(f"8 pairs beside {IDLE:,} idle connections: CPU over alone", (raw["beside"], "cpu_us"),
              (raw["alone"], "cpu_us"), "us/message", 1.1),
    ]


# ---- the length of a message file ----

LONG = 1000000


def log_length(rounds, run_ms):
    """The same pair's load onto a file of a million records and onto none."""
    long_data = Data("long", logs=1, records=LONG)
    short_data = Data("short")
    raw = {"short": [], "long": []}
    for _ in range(rounds):
        for key, data in (("short", short_data), ("long", long_data)):
            warm_memory()
            server = Server(data, relay__archive="yes")
            raw[key].append(server.load("relay", run_ms=run_ms, batch=32))
            server.stop()
        short_data.forget_messages()
    long_data.remove()
    return raw


def log_length_figures(raw):
    return [ratio("message onto a file of 1,000,000: CPU over an empty one's", (raw["long"], "cpu_us"),
                  (raw["short"], "cpu_us"), "us/message", 1.1)]


# ---- start ----

def start(rounds):
    empty, full = Data("empty", users=0), Data("full", users=10000, logs=1000, records=1000)
    raw = {"empty": [], "full": []}
    for data in (empty, full):
        Server(data).stop()  # makes the server's own keys
    for _ in range(rounds):
        for key, data in (("empty", empty), ("full", full)):
            server = Server(data)
            raw[key].append({"ms": server.start_s * 1e3})
            server.stop()
    full.remove()
    return raw


def start_figures(raw):
    allowed = [{"ms": 1.2 * row["ms"] + 100} for row in raw["empty"]]
    return [
        Figure("start on an empty directory", "ms", column(raw["empty"], "ms")),
        ratio("start with 10,000 users, 1,000,000 messages: over 1.2 x empty + 0.1 s",
              (raw["full"], "ms"), (allowed, "ms"), "ms", 1),
    ]


# ---- the store alone ----

def store():
    import os
    from world import WORK
    return answer([program("store"), os.path.join(WORK, "store")])


def store_figures(raw):
    append, always, many, page = (raw[part] for part in ("append", "always", "always_many", "page"))
    return [
        ratio("append, one record each: rate over bare write of the same bytes",
              (append, "append_per_second"), (append, "write_per_second"), "k/s", 0.7,
              at_least=True, scale=1e-3),
        ratio("always, 64 writers on one log: rate over one fdatasync a record",
              (always, "one_log_per_second"), (always, "single_per_second"), "k/s", 20, at_least=True, scale=1e-3),
        ratio("always, 64 writers on 64 logs: rate over one fdatasync a record",
              (many, "many_logs_per_second"), (many, "single_per_second"), "k/s", at_least=True, scale=1e-3),
        ratio("page of 50 in a log of 1,000,000: CPU over one in 1,000", (page, "long_us"),
              (page, "short_us"), "us", 1.5),
    ]
