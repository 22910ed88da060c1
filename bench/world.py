# SPDX-License-Identifier: MIT
"""The things a benchmark needs around it: data directories, a running server
or floor, and the load programs, whose answer is one line of JSON each."""

import json
import os
import resource
import shutil
import signal
import subprocess
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
SERVER = os.path.abspath(os.environ.get("SERVER", "server/server"))
WORK = os.path.join(BUILD, "bench", "work")


def program(name):
    return os.path.join(BUILD, "bench", name)


def raise_limits():
    """As many descriptors as we may have: 10,000 connections need that many
    in the server and as many in the load generator."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard > 65536:
        hard = 65536
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def fresh_work():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)


class Data:
    """A data directory with users, and perhaps message logs, in it."""

    def __init__(self, name, users=16, rsa=False, logs=0, records=0, tokens=False):
        self.dir = os.path.join(WORK, name)
        self.keys = self.dir + ".keys"
        command = [program("mkdata"), "--data", self.dir, "--keys", self.keys, "--users", str(users)]
        if rsa:
            command.append("--rsa")
        if logs:
            command += ["--logs", str(logs), "--records", str(records)]
        if tokens:
            self.tokens = self.dir + ".tokens"
            command += ["--tokens", self.tokens] + (["--board"] if tokens == "board" else [])
        subprocess.run(command, check=True)

    def forget_messages(self):
        shutil.rmtree(os.path.join(self.dir, "messages"), ignore_errors=True)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class Process:
    """A program that says "listening on ADDRESS:PORT" when it is ready."""

    def __init__(self, command, log):
        begin = time.monotonic()
        with open(os.path.join(WORK, log), "ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.pid = self.process.pid
        for line in self.process.stdout:
            if line.startswith("listening on "):
                break
        else:
            raise SystemExit(f"{command[0]} did not start; see {os.path.join(WORK, log)}")
        self.start_s = time.monotonic() - begin
        self.port = int(line.rsplit(":", 1)[1])

    def load(self, name, *options, **named):
        return answer(self.command(name, *options, **named))

    def command(self, name, *options, **named):
        command = [program(name), "--port", str(self.port), "--pid", str(self.pid), *options]
        for key, value in named.items():
            command += ["--" + key.replace("_", "-"), str(value)]
        return command

    def pin(self, cpus):
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            os.sched_setaffinity(int(thread), cpus)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stdout.close()


class Floor(Process):
    def __init__(self):
        super().__init__([program("floor")], "floor.log")


class Server(Process):
    def __init__(self, data, **settings):
        command = [SERVER, "--data", data.dir, "--listen", "127.0.0.1:0"]
        # So high that nothing is refused, and not 0: what counting costs is measured too.
        for kind in ("messages", "joins", "searches"):
            command += ["--set", f"limits.{kind}=1000000", "--set", f"limits.{kind}_rate=1000000000"]
        for key, value in settings.items():
            command += ["--set", key.replace("__", ".") + "=" + str(value)]
        self.data = data
        super().__init__(command, "server.log")

    def command(self, name, *options, **named):
        return super().command(name, "--keys", self.data.keys, *options, **named)


def answer(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{os.path.basename(command[0])} failed: {' '.join(command[1:])}")
    return json.loads(done.stdout)


class Holder:
    """A load program that keeps its connections until it is released."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{os.path.basename(command[0])} failed")
        self.result = json.loads(line)

    def release(self):
        self.process.stdin.close()
        self.process.wait(120)
        self.process.stdout.close()


def machine():
    """What the figures were measured on, without its name."""
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break

    def said(*command):
        out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
        return out.splitlines()[0].strip() if out else "unknown"

    return {
        "cpu": model,
        "cpus": os.cpu_count(),
        "kernel": os.uname().release,
        "compiler": said(os.environ.get("CC", "gcc"), "--version"),
        "openssl": said("openssl", "version"),
        "date": time.strftime("%Y-%m-%d"),
    }
