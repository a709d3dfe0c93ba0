"""begatd with the drop-ins activated.conf, for the sockets of begatd.socket, and one-identity.conf."""

import contextlib
import shutil

from machine import Failure, wait_for
from support import await_next, load

EXAMPLES = "/usr/share/doc/begat/examples/systemd/begatd.service.d"
PLACES = ["time:127.0.0.1:10037", "line:127.0.0.1:2345", "line:[::1]:2345",
          "line:127.0.0.1:10017", "line:127.0.0.1:10013", "echo:127.0.0.1:10007"]


@contextlib.contextmanager
def drop_in(machine, name):
    """begatd with a drop-in and the configuration that is shipped."""
    folder = machine.path("/etc/systemd/system/begatd.service.d")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(machine.path(f"{EXAMPLES}/{name}"), folder / name)
        shutil.copy(machine.path("/usr/share/doc/begat/begatd.toml"), machine.path("/etc/begat/begatd.toml"))
        machine.run("systemctl", "daemon-reload")
        machine.run("sh", "-c", "rm -f /run/userdb/begat-*")
        yield
    finally:
        machine.try_run("systemctl", "stop", "begatd.socket")
        machine.reset("begatd.service")


def refuse_records(machine):
    """Where all services run as begat, no user of theirs may have a name."""
    if names := machine.run("find", "/run", "-path", "/run/userdb/begat-*").split():
        raise Failure(f"{names}")


def test_activated(machine):
    with drop_in(machine, "activated.conf"):
        machine.run("systemctl", "start", "begatd.socket")
        places = PLACES + [f"line:{machine.path('/run/begat/catsock')}"]
        with load(machine, clients=16, places=places) as report:
            wait_for("begatd", lambda: machine.property("begatd", "ActiveState") == "active")
            for _ in range(3):
                machine.run("systemctl", "restart", "begatd")
            for _ in range(3):
                old = machine.main_process()
                machine.run("kill", "-9", old)
                await_next(machine, "begatd", old)
            machine.run("systemctl", "reload", "begatd")
            refuse_records(machine)
    return f"{report['asked']} asked, slowest {report['slowest'] * 1000:.0f} ms"


def test_crash_loop_leaves_the_socket(machine):
    with drop_in(machine, "activated.conf"):
        machine.write("/etc/begat/begatd.toml", "[service.time]\nserve = 1\n")
        machine.run("systemctl", "start", "begatd.socket")
        mark = machine.now()
        with load(machine, clients=2, places=["time:127.0.0.1:10037"]) as report:
            wait_for("its complaint", lambda: machine.journal("--since", mark, "-p", "err", "-u", "begatd"))
            shutil.copy(machine.path("/usr/share/doc/begat/begatd.toml"), machine.path("/etc/begat/begatd.toml"))
            wait_for("service", lambda: machine.property("begatd", "ActiveState") == "active", 15)
        if machine.property("begatd.socket", "ActiveState") != "active":
            raise Failure(machine.run("systemctl", "status", "begatd.socket"))
    return f"slowest {report['slowest']:.1f} s"


def test_one_identity(machine):
    with drop_in(machine, "one-identity.conf"):
        machine.run("systemctl", "start", "begatd")
        with load(machine, clients=8, places=PLACES):
            machine.run("systemctl", "restart", "begatd")
            machine.run("systemctl", "reload", "begatd")
        refuse_records(machine)
