"""Machines that leave and return one by one, and a machine that fails."""

import threading
import time

from network import Failure
from scene import placement, require_all_served


def roll(scene, number, backends=("begat-time",)):
    """Takes a machine out of service, starts it anew, and waits until HAProxy sends it clients again."""
    machine = scene.machines[number - 1]
    machine.begat("drain", "--all", "--wait=30s")
    for backend in backends:
        scene.haproxy.await_state(backend, f"m{number}", "DRAIN")
    machine.stop()
    machine.start()
    machine.begat("resume", "--all")
    for backend in backends:
        scene.haproxy.await_state(backend, f"m{number}", "UP")


def test_one_machine_after_the_other(scene):
    scene.start()
    flood = scene.flood(37, "10.64.3.1+500", 200, 300)
    for number in [1, 2, 3]:
        roll(scene, number)
    report = scene.report(flood, now=True)
    require_all_served(report)
    return f"{report['offered']} clients, slowest {report['max'] / 1000:.0f} ms"


def test_stop_announces_itself(scene):
    """With SIGTERM alone clients are accepted until HAProxy has learnt of it."""
    scene.start()
    flood = scene.flood(37, "10.64.3.1+500", 200, 300)
    machine = scene.machines[1]
    stop = threading.Thread(target=machine.stop)
    stop.start()
    scene.haproxy.await_state("begat-time", "m2", "DRAIN")
    stop.join()
    report = scene.report(flood, now=True)
    require_all_served(report)
    return f"{report['offered']} clients, slowest {report['max'] / 1000:.0f} ms"


def test_one_service_alone_is_drained(scene):
    scene.start()
    scene.machines[0].begat("drain", "echo", "--wait=30s")
    scene.haproxy.await_state("begat-echo", "m1", "DRAIN")
    if not (status := scene.haproxy.servers("begat-time")["m1"]["status"]).startswith("UP"):
        raise Failure(f"time: {status}")
    scene.machines[0].begat("resume", "echo")
    scene.haproxy.await_state("begat-echo", "m1", "UP")


def test_a_machine_that_fails(scene):
    """Without announcement clients are connected to another machine, and only those that it was serving are cut."""
    scene.start()
    flood = scene.flood(37, "10.64.3.1+500", 200, 300)
    began = time.monotonic()
    scene.network.machines[2].run("ip", "link", "set", "uplink", "down")
    # inter, the check's timeout, fastinter, the second check's timeout, and a margin for a busy machine.
    scene.haproxy.await_state("begat-time", "m3", "DOWN", 2 + 2 + 0.5 + 2 + 3)
    seconds = time.monotonic() - began
    scene.network.machines[2].run("ip", "link", "set", "uplink", "up")
    scene.network.machines[2].run("ip", "route", "replace", "default", "via", "10.1.3.1")
    scene.haproxy.await_state("begat-time", "m3", "UP", 30)
    report = scene.report(flood, now=True)
    if report["failed"] or report["closed"] or report["short"]:
        raise Failure(f"{report}")
    return (f"DOWN after {seconds:.1f} s, {report['unfinished']} of {report['offered']} clients cut, slowest "
            f"{report['max'] / 1000:.0f} ms")


def test_sources_that_move(scene):
    """A machine that leaves moves only its own sources, and gets the same ones back."""
    scene.start()
    sources = [f"10.64.20.{number}" for number in range(1, 101)]
    before = placement(scene, sources)
    scene.machines[1].begat("drain", "variables", "--wait=30s")
    scene.haproxy.await_state("begat-variables", "m2", "DRAIN")
    during = placement(scene, sources)
    scene.machines[1].begat("resume", "variables")
    scene.haproxy.await_state("begat-variables", "m2", "UP")
    after = placement(scene, sources)
    if moved := [source for source in before if before[source] != "m2" and during[source] != before[source]]:
        raise Failure(f"moved without need: {moved}")
    if "m2" in during.values() or "m2" not in before.values() or after != before:
        raise Failure(f"{before}\n{during}\n{after}")
    return f"{list(before.values()).count('m2')} of {len(before)} sources move"
