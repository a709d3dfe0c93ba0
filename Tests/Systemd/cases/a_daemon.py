"""begatd.service as it is shipped."""

import json
import time

from machine import Failure, wait_for
from support import CONFIGURATION, Held, await_next, connections, held, load, running


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
        idle.check(machine)
    return f"{report['asked']} asked, slowest {report['slowest'] * 1000:.0f} ms"


def test_kill(machine):
    with running(machine), held(machine) as idle:
        with load(machine) as report:
            for _ in range(6):
                old = machine.main_process()
                machine.run("kill", "-9", old)
                await_next(machine, "begatd", old)
        idle.check(machine)
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


def test_store_with_300_addresses(machine):
    def configuration(count):
        ports = ", ".join(f'"127.0.0.1:{port}"' for port in range(5000, 5000 + count))
        return f'[defaults]\nmax-connections-per-source = 1000\n[service.many]\nserve = "time"\nlisten-stream = [{ports}]\n'

    def stored():
        return int(machine.property("begatd", "NFileDescriptorStore"))

    places = [f"time:127.0.0.1:{port}" for port in range(5000, 5010)]
    with running(machine, configuration(300)):
        wait_for("300 sockets in the store", lambda: stored() > 300)
        with load(machine, clients=16, places=places) as report:
            for _ in range(3):
                machine.run("systemctl", "restart", "begatd")
            machine.write("/etc/begat/begatd.toml", configuration(10))
            machine.run("systemctl", "reload", "begatd")
        if (count := stored()) > 20:
            raise Failure(f"{count} descriptors are stored for 10 addresses")
        if machine.try_run("begat", "connect", "127.0.0.1", "5299").returncode == 0:
            raise Failure("an address that was given up takes clients")
        # A start with another configuration gives up the rest of what the former one had.
        machine.write("/etc/begat/begatd.toml", configuration(5))
        machine.run("systemctl", "restart", "begatd")
        wait_for("a smaller store", lambda: stored() <= 15)
        if machine.try_run("begat", "connect", "127.0.0.1", "5007").returncode == 0:
            raise Failure("an address that was given up takes clients")
    return f"{report['asked']} asked, slowest {report['slowest'] * 1000:.0f} ms"


def test_stop_kills_the_group_of_a_waiting_program(machine):
    """A child of a program with the listening socket would keep the port, and the next start would fail."""
    text = """
[service.waits]
wait = true
exec = ["/bin/sh", "-c", "trap '' TERM; sleep 1000 & sleep 1000; sleep 1000"]
listen-stream = ["127.0.0.1:6000"]
"""
    with running(machine, text):
        client = Held(machine, "echo:127.0.0.1:6000", 1)
        wait_for("its program", lambda: machine.try_run("pgrep", "-x", "sleep").returncode == 0)
        client.close()
        start = time.monotonic()
        machine.run("systemctl", "stop", "begatd")
        seconds = time.monotonic() - start
        wait_for("the end of its group", lambda: machine.try_run("pgrep", "-x", "sleep").returncode != 0)
        machine.run("systemctl", "start", "begatd")
        if seconds > 2:
            raise Failure(f"{seconds:.2f} s")
    return f"{seconds:.2f} s"


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
    """A listener's own confinement is complete inside the hardened unit."""
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


def test_users_of_services_have_names(machine):
    """The unit lets root write the records, because begatd's user may not."""
    with running(machine):
        for service in ["echo", "words"]:
            machine.run("userdbctl", "user", f"begat-{service}")
        machine.write("/etc/begat/begatd.toml", CONFIGURATION.replace("[service.words]", "[service.others]"))
        machine.run("systemctl", "reload", "begatd")
        machine.run("userdbctl", "user", "begat-others")


def test_watchdog_of_begatd(machine):
    machine.configure("begatd.service", "watchdog", "[Service]", "WatchdogSec=2")
    with running(machine), held(machine) as idle:
        with load(machine, clients=16) as report:
            old = machine.main_process()
            machine.run("kill", "-STOP", old)
            await_next(machine, "begatd", old)
        idle.check(machine)
    return f"{report['asked']} asked, slowest {report['slowest']:.1f} s"
