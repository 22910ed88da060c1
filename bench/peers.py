# SPDX-License-Identifier: MIT
"""contacts against ngircd and mosquitto from Debian, in the same run and by the
same generator.  Both get the settings under which they do the least: no
penalties, no look-ups, nothing kept on disk.  They run in the foreground, on
127.0.0.1, from files of their own, and only while they are measured."""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import time

from figures import Figure, column, ratio, warm_memory
from world import Data, Server, WORK, answer, program

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
PORTS = {"ngircd": (26670, 26671), "mosquitto": (26672, 26673)}  # plain, TLS


def missing():
    """Which peers are not installed."""
    return [name for name in ("ngircd", "mosquitto") if shutil.which(name, path=PATH) is None]


def certificate():
    """Self-signed, ECDSA P-256: as the server's own."""
    cert, key = (os.path.join(WORK, name) for name in ("peer.crt", "peer.key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", cert],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o644)  # read by a daemon that gives up root; it lives for a minute
    return cert, key


def ngircd_settings(ports, cert, key):
    return f"""[Global]
Name = irc.bench.invalid
Info = benchmark
Listen = 127.0.0.1
Ports = {ports[0]}
MotdPhrase = benchmark
ServerUID = 65534
ServerGID = 65534
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxNickLength = 20
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = {cert}
KeyFile = {key}
Ports = {ports[1]}
"""


def mosquitto_settings(ports, cert, key):
    return f"""persistence false
log_dest none
max_queued_messages 0
set_tcp_nodelay true
allow_anonymous true
listener {ports[0]} 127.0.0.1
listener {ports[1]} 127.0.0.1
certfile {cert}
keyfile {key}
"""


class Peer:
    def __init__(self, name):
        cert, key = certificate()
        text = {"ngircd": ngircd_settings, "mosquitto": mosquitto_settings}[name](PORTS[name], cert, key)
        path = os.path.join(WORK, name + ".conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        self.dialect, self.window = {"ngircd": ("irc", 0), "mosquitto": ("mqtt", 1000)}[name]
        command = [shutil.which(name, path=PATH)] + (["-n", "-f", path] if name == "ngircd" else ["-c", path])
        with open(os.path.join(WORK, name + ".log"), "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.pid = self.process.pid
        atexit.register(self.process.kill)  # also when a load fails
        self.ports = PORTS[name]
        for port in self.ports:
            wait_for(port, self.process)

    def load(self, tls, **named):
        # ngircd sometimes ends a connection here (why was not found); then with a window.
        for window in (self.window, 8000, 2000):
            found = generator(self.ports[tls], self.pid, self.dialect, tls, may_fail=True,
                              window=window, **named)
            if found:
                return found
        raise SystemExit(f"{self.dialect}: three loads failed")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def wait_for(port, process):
    for _ in range(100):
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended at once; see its log in {WORK}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{process.args[0]} does not listen on port {port}")


class Ours:
    def __init__(self, name, **settings):
        self.data = Data(name, users=0)
        self.server = Server(self.data, limits__accounts=1000, **settings)

    def load(self, tls, **named):
        return generator(self.server.port, self.server.pid, "contacts", tls, **named)

    def stop(self):
        self.server.stop()
        self.data.remove()


def generator(port, pid, dialect, tls, may_fail=False, **named):
    command = [program("contacts"), "--port", str(port), "--pid", str(pid), "--dialect", dialect]
    command += ["--tls"] if tls else []
    for key, value in named.items():
        command += ["--" + key.replace("_", "-"), str(value)]
    if not may_fail:
        return answer(command)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


TARGETS = {"contacts": lambda: Ours("contacts"), "ngircd": lambda: Peer("ngircd"),
           "mosquitto": lambda: Peer("mosquitto")}
# (TLS, pairs, messages a write).  ngircd stands still when a TLS record holds 32.
LOADS = ((False, 1, 1), (False, 1, 32), (False, 8, 1), (True, 1, 1), (True, 8, 1))


def load_name(tls, pairs, batch):
    return (f"contacts, {'TLS' if tls else 'plain'}, {'one pair' if pairs == 1 else f'{pairs} pairs'}"
            + (f", {batch} at a time" if batch > 1 else ""))


def measure(rounds, run_ms):
    """All run at once, and take turns: what else the machine does meets them alike."""
    raw = {load_name(*load): {name: [] for name in TARGETS} for load in LOADS}
    for _ in range(rounds):
        targets = {name: start() for name, start in TARGETS.items()}
        for tls, pairs, batch in LOADS:
            for name, target in targets.items():
                warm_memory()
                raw[load_name(tls, pairs, batch)][name].append(
                    target.load(tls, pairs=pairs, batch=batch, run_ms=run_ms))
        for target in targets.values():
            target.stop()
    raw["waiting"] = waiting(rounds)
    raw["always"] = always(rounds, run_ms)
    return raw


def waiting(rounds):
    """A login that finds 10,000 messages, in a chat of so many and in one of a million."""
    raw = {"short": [], "long": []}
    for _ in range(rounds):
        for name, before in (("short", 0), ("long", 1000000)):
            ours = Ours("waiting")
            raw[name].append(ours.load(False, mode="waiting", before=before, count=10000, batch=32))
            ours.stop()
    return raw


def always(rounds, run_ms):
    """64 senders, each with a chat of its own, and messages that are on disk before 219."""
    raw = {"alone": [], "stream": [], "one": []}
    for _ in range(rounds):
        ours = Ours("always", store__durability="always")
        place = os.path.join(WORK, "sync")
        raw["alone"].append(answer([program("contacts"), "--mode", "sync", "--file", place, "--run-ms", str(run_ms)]))
        raw["stream"].append(ours.load(False, pairs=64, run_ms=run_ms))
        raw["one"].append(ours.load(False, pairs=64, window=1, run_ms=run_ms))
        ours.stop()
    return raw


def figures(raw):
    out = []
    for title in (load_name(*load) for load in LOADS):
        rows = raw[title]
        for peer, goal in (("ngircd", 1), ("mosquitto", 0.5)):
            out.append(ratio(f"{title}: server CPU over {peer}'s", (rows["contacts"], "cpu_us"),
                             (rows[peer], "cpu_us"), "us/message", goal))
        out.append(Figure(f"{title}: rate", "k/s", column(rows["contacts"], "per_second", 1e-3)))
    found = raw["waiting"]
    out.append(Figure("contacts, 10,000 that waited: from login to the last", "ms",
                      column(found["short"], "wait_ms")))
    out.append(ratio("contacts, 10,000 that waited behind 1,000,000: CPU over behind none",
                     (found["long"], "cpu_us"), (found["short"], "cpu_us"), "us/message", 1.5))
    found = raw["always"]
    for key, how, goal in (("stream", "pipelined", 20), ("one", "one at a time", None)):
        out.append(ratio(f"contacts, always, 64 senders {how}: rate over one fdatasync a message",
                         (found[key], "per_second"), (found["alone"], "per_second"), "k/s", goal,
                         at_least=True, scale=1e-3))
    return out
