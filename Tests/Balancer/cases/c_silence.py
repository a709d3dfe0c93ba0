"""Connections from a trusted address that never send a header: no process, no place, and others are served."""

import contextlib
import subprocess
import sys

from headers import SHUTDOWN, send, v2
from network import Failure, wait_for
from scene import HERE, PROXY_TIMEOUT, require_all_served

COUNT = 1000


@contextlib.contextmanager
def silent(namespace, *place):
    process = namespace.start(
        sys.executable, "-ISB", HERE / "hold.py", COUNT, *place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline() != "held\n":
            raise Failure("the silent connections are not open")
        yield process
    finally:
        process.kill()
        process.wait()


def open_ones(process):
    """The number of silent connections that are still open; ends them."""
    return int(process.communicate(timeout=30)[0])


def test_silent_ones_from_a_proxy(scene):
    scene.start()
    with silent(scene.balancer, "10.1.1.2", 37) as process:
        # Long enough for the kernel to hand them over, and for the limit for a header.
        report = scene.report(scene.flood(37, "10.64.3.1+200", 100, 4 + PROXY_TIMEOUT))
        require_all_served(report)
        require_no_clients_but(scene, report["offered"])
        left = open_ones(process)
    return f"{left} of {COUNT} still open, {report['offered']} others served, slowest {report['max'] / 1000:.0f} ms"


def require_no_clients_but(scene, offered):
    accepted = sum(machine.status("time")["accepted"] for machine in scene.machines)
    if accepted != offered:
        raise Failure(f"{accepted} connections took a place, {offered} clients came")


def test_silent_ones_behind_syncookies(scene):
    """A kernel that answers with cookies does not wait for data: all of them reach the listener immediately."""
    machine = scene.network.machines[0]
    machine.set("ipv4/tcp_syncookies", 2)
    try:
        scene.start()
        with silent(scene.balancer, "10.1.1.2", 37) as process:
            report = scene.report(scene.flood(37, "10.64.3.1+200", 100, 2))
            require_all_served(report)
            require_no_clients_but(scene, report["offered"])
            wait_for("the end of the silent ones", lambda: closed(scene), 3 + 3 * PROXY_TIMEOUT)
            left = open_ones(process)
        # A machine that answers with cookies never hears of a connection whose last packet of the handshake is lost, as
        # happens to some of so many when the processors are busy.
        if left > COUNT / 2:
            raise Failure(f"{left} of {COUNT} are open after the limit for a header")
        return f"{COUNT - left} of {COUNT} were closed"
    finally:
        machine.set("ipv4/tcp_syncookies", 1)


def closed(scene):
    """Whether the first machine has no established connection left that waits for a header."""
    return not scene.network.machines[0].run("ss", "-Htn", "state", "established", "sport", "=", "37").strip()


def test_silent_ones_on_a_unix_socket(scene):
    """The kernel does not wait there: the listener holds the newest 64."""
    scene.start_machines(scene.machines[:1])
    inside = scene.network.machines[0]
    with silent(inside, "@begat-files") as process:
        answer = scene.speak("@begat-files", None, send(v2("10.64.0.7") + b"payload\n"), SHUTDOWN, at=inside)
        if bytes.fromhex(answer["received"]) != b"payload\n":
            raise Failure(f"{answer}")
        # The client has the end of its answer before the listener has seen its process end.
        wait_for("the end of the connection", lambda: not scene.machines[0].status("files")["active"])
        status = scene.machines[0].status("files")
        if status["accepted"] != 1:
            raise Failure(f"{status}")
        left = open_ones(process)
    if left > 64:
        raise Failure(f"{left} silent connections are held")
    return f"{left} of {COUNT} held"
