"""begatd.service as it is shipped."""

import json

from machine import Failure, wait_for
from support import CONFIGURATION, connections, held, load, running, targets


def test_nothing_is_enabled_and_nothing_failed(machine):
    if names := machine.run("systemctl", "--failed", "--plain", "--no-legend").split():
        raise Failure(f"failed: {names}")
    listening = machine.run("ss", "-Hltun")
    if ":37 " in listening or ":2345 " in listening:
        raise Failure(listening)


def test_restart(machine):
    with running(machine), held(machine) as idle:
        with load(machine) as report:
            for _ in range(20):
                machine.run("systemctl", "restart", "begatd")
        if (alive := idle.alive()) != idle.count:
            raise Failure(f"{alive} of {idle.count} idle connections live on")
        if (shown := len(connections(machine, "echo"))) < idle.count:
            raise Failure(f"{shown} of {idle.count} idle connections are seen")
    return f"{report['asked']} asked, slowest {report['slowest'] * 1000:.0f} ms"


def test_kill(machine):
    with running(machine), held(machine) as idle:
        with load(machine) as report:
            for _ in range(6):
                old = machine.main_process()
                machine.run("kill", "-9", old)
                wait_for("the next begatd", lambda old=old: machine.property("begatd", "MainPID") not in ("0", str(old)))
                wait_for("service", lambda: machine.property("begatd", "ActiveState") == "active")
        if (alive := idle.alive()) != idle.count:
            raise Failure(f"{alive} of {idle.count} idle connections live on")
        if (shown := len(connections(machine, "echo"))) < idle.count:
            raise Failure(f"{shown} of {idle.count} idle connections are seen")
    return f"{report['asked']} asked, slowest {report['slowest'] * 1000:.0f} ms"


def test_left_connections_can_be_ended_and_count(machine):
    with running(machine), held(machine) as idle:
        machine.run("systemctl", "restart", "begatd")
        rows = connections(machine, "echo")
        if len(rows) != idle.count:
            raise Failure(f"shown: {rows}")
        began_at = machine.now()
        machine.run("begat", "end", "--service", "echo")
        wait_for("the end of all", lambda: not connections(machine, "echo"))
        lines = wait_for("their records", lambda: (
            text := machine.journal("--since", began_at, "_SYSTEMD_UNIT=begatd.service", "BEGAT_SERVICE=echo"),
            text.count("127.0.0.1") >= idle.count and text)[1])
        if (alive := idle.alive()) != 0:
            raise Failure(f"{alive} live on\n{lines}")


def test_stop_with_idle_connections(machine):
    import time
    with running(machine), held(machine):
        start = time.monotonic()
        machine.run("systemctl", "stop", "begatd")
        seconds = time.monotonic() - start
        if seconds >= 1:
            raise Failure(f"{seconds:.2f} s")
        # Every socket is free: the next start binds.
        machine.run("systemctl", "start", "begatd")
    return f"{seconds * 1000:.0f} ms"


def test_reload(machine):
    with running(machine), load(machine) as report:
        for round in range(5):
            more = f'[service.more]\nserve = "echo"\nlisten-stream = ["127.0.0.1:{3000 + round}"]\n'
            machine.write("/etc/begat/begatd.toml", CONFIGURATION + more)
            machine.run("systemctl", "reload", "begatd")
            # The store has the address no more: nothing answers there.
            if round and machine.try_run("begat", "connect", "127.0.0.1", str(3000 + round - 1)).returncode == 0:
                raise Failure("an address that was given up takes clients")
    return f"{report['asked']} asked"


def test_journal_fields(machine):
    with running(machine):
        began_at = machine.now()
        machine.run("begat", "time", "127.0.0.1:37")
        text = wait_for("the record", lambda: machine.journal(
            "--since", began_at, "-o", "json", "_SYSTEMD_UNIT=begatd.service", "BEGAT_SERVICE=time"))
        fields = json.loads(text.splitlines()[-1])
        for name in ["BEGAT_PEER", "BEGAT_CONNECTION_PID", "BEGAT_DURATION_USEC", "BEGAT_OUTCOME", "MESSAGE_ID"]:
            if name not in fields:
                raise Failure(f"{name} is missing in {fields}")


def test_identities_and_sandbox(machine):
    """F2, F3: the listener's own confinement is complete inside the hardened unit."""
    with running(machine):
        rows = json.loads(machine.run("begat", "status", "--json"))["services"]
        users = set()
        for row in rows:
            process = row["listeners"][0]["pid"]
            status = dict(line.split(":\t", 1) for line in machine.run("cat", f"/proc/{process}/status").splitlines()
                          if ":\t" in line)
            users.add(status["Uid"].split()[0])
            for name, wanted in [("NoNewPrivs", "1"), ("Seccomp", "2")] + [(f"Cap{set}", "0" * 16) for set in ("Inh", "Prm", "Eff", "Amb")]:
                if status[name].strip() != wanted:
                    raise Failure(f"{row['name']}: {name} {status[name]}")
        if len(users) != len(rows) or "0" in users:
            raise Failure(f"users: {users}")
        text = machine.journal("-u", "begatd", "-b")
        if "Landlock" in text or "seccomp" in text:
            raise Failure(text)


def test_watchdog_of_begatd(machine):
    machine.configure("begatd.service", "watchdog", "[Service]", "WatchdogSec=2")
    with running(machine), held(machine) as idle:
        with load(machine, clients=16) as report:
            old = machine.main_process()
            machine.run("kill", "-STOP", old)
            wait_for("the next begatd", lambda: machine.property("begatd", "MainPID") not in ("0", str(old)), 20)
            wait_for("service", lambda: machine.property("begatd", "ActiveState") == "active")
        if (alive := idle.alive()) != idle.count:
            raise Failure(f"{alive} of {idle.count} idle connections live on")
    return f"{report['asked']} asked, slowest {report['slowest']:.1f} s"
