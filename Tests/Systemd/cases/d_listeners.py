"""Each service alone: begat-NAME.socket with begat-listener@NAME.service, and no begatd."""

import contextlib
import json

from machine import Failure, wait_for
from support import Load, await_next, held, load

# A target for clients, and the official port.
CLIENTS = {
    "echo": ("echo:127.0.0.1:7", 7), "daytime": ("line:127.0.0.1:13", 13), "fortune": ("line:127.0.0.1:17", 17),
    "time": ("time:127.0.0.1:37", 37), "hello": ("line:127.0.0.1:2345", 2345)}
OTHERS = {"discard": 9, "chargen": 19, "command": 9000}
DATAGRAMS = {"time-datagram": 37, "daytime-datagram": 13}


@contextlib.contextmanager
def units(machine, *names):
    try:
        for name in names:
            machine.run("systemctl", "start", f"begat-{name}.socket")
        yield
    finally:
        for name in names:
            machine.try_run("systemctl", "stop", f"begat-{name}.socket")
            machine.reset(f"begat-listener@{name}.service")


def test_each_pair_alone(machine):
    for name, (target, port) in CLIENTS.items():
        with units(machine, name):
            if machine.property(f"begat-listener@{name}", "ActiveState") != "inactive":
                raise Failure(f"{name} runs without a client")
            with load(machine, clients=1, places=[target]):
                pass
            wait_for("READY", lambda name=name: machine.property(f"begat-listener@{name}", "ActiveState") == "active")
            if not machine.property(f"begat-listener@{name}", "StatusText"):
                raise Failure(f"{name} has no status")
            # One socket opens one service.
            ports = {line.split()[3].rsplit(":", 1)[1] for line in machine.run("ss", "-Hltn").splitlines()}
            if ports != {str(port)}:
                raise Failure(f"{name} opens {ports}")
    for name, port in OTHERS.items():
        with units(machine, name):
            machine.try_run("sh", "-c", f"echo quit | timeout 1 begat connect 127.0.0.1 {port} | head -c 100")
            wait_for("READY", lambda name=name: machine.property(f"begat-listener@{name}", "ActiveState") == "active")


def test_datagrams_apart(machine):
    mark = machine.now()
    with units(machine, "time-datagram", "time"):
        with load(machine, clients=2, places=["datagram:127.0.0.1:37", "time:127.0.0.1:37"]):
            pass
    with units(machine, *DATAGRAMS):
        pass
    if text := machine.journal("--since", mark, "-p", "warning"):
        raise Failure(text)


def test_restart(machine):
    with units(machine, "time"), load(machine, clients=8, places=["time:127.0.0.1:37"]) as report:
        wait_for("READY", lambda: machine.property("begat-listener@time", "ActiveState") == "active")
        for _ in range(5):
            machine.run("systemctl", "restart", "begat-listener@time")
    return f"{report['asked']} asked, slowest {report['slowest'] * 1000:.0f} ms"


def test_kill(machine):
    """Connections end with their listener, at most one of each client; the others wait at the socket."""
    kills, clients = 3, 8
    with units(machine, "time"):
        asking = Load(machine, ["time:127.0.0.1:37"], clients)
        try:
            wait_for("READY", lambda: machine.property("begat-listener@time", "ActiveState") == "active")
            for _ in range(kills):
                old = machine.main_process("begat-listener@time")
                machine.run("kill", "-9", old)
                await_next(machine, "begat-listener@time", old)
        finally:
            outcomes = asking.end()["targets"]["time:127.0.0.1:37"]
    lost = sum(outcomes.values()) - outcomes["ok"]
    if "refused" in outcomes or lost > kills * clients:
        raise Failure(f"{outcomes}")
    return f"{outcomes}"


def test_watchdog(machine):
    machine.configure("begat-listener@.service", "watchdog", "[Service]", "WatchdogSec=2")
    try:
        with units(machine, "time"):
            with load(machine, clients=1, places=["time:127.0.0.1:37"]):
                pass
            wait_for("READY", lambda: machine.property("begat-listener@time", "ActiveState") == "active")
            old = machine.main_process("begat-listener@time")
            machine.run("kill", "-STOP", old)
            await_next(machine, "begat-listener@time", old)
            with load(machine, clients=1, places=["time:127.0.0.1:37"]):
                pass
    finally:
        machine.reset("begat-listener@.service")


def test_seen_and_confined(machine):
    with units(machine, "echo", "time"), held(machine, count=3):
        wait_for("READY", lambda: machine.property("begat-listener@echo", "ActiveState") == "active")
        rows = wait_for("three connections in begat ps", lambda: (
            rows := json.loads(machine.run("begat", "ps", "--json"))["connections"], len(rows) == 3 and rows)[1])
        if {row["service"] for row in rows} != {"echo"}:
            raise Failure(f"{rows}")
        process = machine.main_process("begat-listener@echo")
        status = machine.run("cat", f"/proc/{process}/status")
        for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapBnd:\t0000000000000000"]:
            if line not in status:
                raise Failure(status)
        with load(machine, clients=1, places=["time:127.0.0.1:37"]):
            pass
        wait_for("READY", lambda: machine.property("begat-listener@time", "ActiveState") == "active")
        # Listeners of one user could end each other.
        users = {machine.run("stat", "-c", "%u", f"/proc/{machine.main_process(f'begat-listener@{name}')}").strip()
                 for name in ["echo", "time"]}
        if len(users) != 2 or "0" in users:
            raise Failure(f"users of two listeners: {users}")
        for child in machine.run("pgrep", "-P", process).split():
            if "NOTIFY_SOCKET" in machine.run("cat", f"/proc/{child}/environ"):
                raise Failure("a connection process knows the manager")


def test_priorities(machine):
    mark = machine.now()
    machine.configure("begat-listener@echo.service", "options", "[Service]", "Environment=OPTIONS=--no-such-option")
    with units(machine, "echo"):
        with contextlib.suppress(Failure), load(machine, clients=1, places=["echo:127.0.0.1:7"]):
            pass
        text = wait_for("the reason as an error", lambda: machine.journal(
            "--since", mark, "-p", "err", "-u", "begat-listener@echo"))
        if "no-such-option" not in text:
            raise Failure(text)
        if machine.property("begat-echo.socket", "ActiveState") != "active":
            raise Failure("the socket has failed")
