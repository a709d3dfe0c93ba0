"""A configuration with every kind of service, and clients for it."""

import contextlib
import json
import pathlib
import subprocess

from machine import Failure, wait_for

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients.py"

# A drain longer than any test, and no limit that many clients of one address would meet.
CONFIGURATION = """
[daemon]
drain-timeout = "10m"

[defaults]
max-connections = 1000
max-connections-per-source = 1000
rate = "1000000/s"
rate-per-source = "1000000/s"

[service.time]
serve = "time"
listen-stream = ["127.0.0.1:37", "[::1]:37"]
listen-datagram = ["127.0.0.1:37"]

[service.echo]
serve = "echo"
listen-stream = ["127.0.0.1:7"]

[service.hello]
serve = "hello"
listen-stream = ["/run/begat/hello"]

[service.words]
exec = ["/bin/echo", "hello"]
listen-stream = ["127.0.0.1:1001"]

[service.lines]
exec = ["/bin/cat"]
relay = true
listen-stream = ["127.0.0.1:1002"]

[service.programs]
exec = ["/bin/cat"]
listen-stream = ["127.0.0.1:1003"]
"""

TARGETS = ["time:127.0.0.1:37", "time:[::1]:37", "datagram:127.0.0.1:37", "echo:127.0.0.1:7", "line:127.0.0.1:1001",
           "echo:127.0.0.1:1002"]


def targets(machine):
    return TARGETS + [f"line:{machine.path('/run/begat/hello')}"]


def start(machine, configuration=CONFIGURATION):
    machine.write("/etc/begat/begatd.toml", configuration)
    machine.run("systemctl", "start", "begatd")


@contextlib.contextmanager
def running(machine, configuration=CONFIGURATION):
    """begatd as it is shipped, with a configuration; stopped and without drop-ins afterwards."""
    try:
        start(machine, configuration)
        yield
    finally:
        machine.reset("begatd.service")


class Load:
    """Clients that ask all the time."""

    def __init__(self, machine, places, clients=64):
        self.process = subprocess.Popen(
            machine.with_network("python3", "-B", CLIENTS, "load", clients, *places), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def end(self):
        """Ends the clients and returns their counts."""
        output, _ = self.process.communicate(timeout=60)
        return json.loads(output)


@contextlib.contextmanager
def load(machine, clients=64, places=None):
    """Clients that must all be answered: none refused, nothing in flight lost."""
    one = Load(machine, places or targets(machine), clients)
    report = {}
    try:
        yield report
    except BaseException:
        one.process.kill()
        one.process.wait()
        raise
    report.update(one.end())
    report["asked"] = sum(sum(outcomes.values()) for outcomes in report["targets"].values())
    wrong = {target: outcomes for target, outcomes in report["targets"].items() if set(outcomes) != {"ok"}}
    if wrong or not report["asked"]:
        raise Failure(f"of {report['asked']} clients: {wrong}")


class Held:
    """Idle connections."""

    def __init__(self, machine, place, count=8):
        self.process = subprocess.Popen(
            machine.with_network("python3", "-B", CLIENTS, "held", place, count), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.count = json.loads(self.process.stdout.readline())["held"]

    def alive(self):
        """The number of them that still answer."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())["alive"]

    def check(self, machine):
        """Requires that all of them still answer and that `begat ps` shows them."""
        if (alive := self.alive()) != self.count:
            raise Failure(f"{alive} of {self.count} idle connections live on")
        if (shown := len(connections(machine, "echo"))) < self.count:
            raise Failure(f"{shown} of {self.count} idle connections are seen")

    def close(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def held(machine, place="echo:127.0.0.1:7", count=8):
    one = Held(machine, place, count)
    try:
        yield one
    finally:
        one.close()


def connections(machine, service=None):
    """The connections that `begat ps` shows."""
    rows = json.loads(machine.run("begat", "ps", "--json"))["connections"]
    return [row for row in rows if service in (None, row["service"])]


def await_next(machine, unit, old):
    """Waits for another main process than the old one, in service."""
    wait_for(f"the next {unit}", lambda: (
        machine.property(unit, "MainPID") not in ("0", str(old)) and machine.property(unit, "ActiveState") == "active"), 20)
