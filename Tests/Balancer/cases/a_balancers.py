"""Clients of HAProxy and nginx: served, and seen with their own addresses."""

import threading

from headers import SHUTDOWN, pause, send
from network import Failure, wait_for
from scene import CONFIGURATION, require_all_served, variables


def test_haproxy_passes_on_addresses_of_both_families(scene):
    scene.start()
    for family, source in [(4, "10.64.1.2"), (6, "fd00:64:0:7::9")]:
        seen = variables(scene.asked(1001, source=source, family=family))
        if (seen.get("TCPREMOTEIP"), seen.get("REMOTE_ADDR")) != (source, source):
            raise Failure(f"from {source}: {seen}")
        if seen["TCPLOCALIP"] != scene.network.balancer_address(family) or seen["TCPLOCALPORT"] != "1001":
            raise Failure(f"to {scene.network.balancer_address(family)}: {seen}")


def test_haproxy_reaches_machines_by_ipv6(scene):
    scene.start(family=6)
    seen = variables(scene.asked(1001, source="10.64.1.2"))
    if seen.get("TCPREMOTEIP") != "10.64.1.2":
        raise Failure(f"{seen}")


def test_many_clients_are_all_served(scene):
    scene.start()
    floods = [scene.flood(37, f"{base}+500", 300, 5, place=scene.network.balancer_address(family))
              for family, base in [(4, "10.64.3.1"), (6, "fd00:64:0:100::1")]]
    reports = [scene.report(flood) for flood in floods]
    for report in reports:
        require_all_served(report)
    served = [machine.status("time")["accepted"] for machine in scene.machines]
    if sum(served) != sum(report["offered"] for report in reports) or min(served) < 0.5 * sum(served) / 3:
        raise Failure(f"clients of the machines: {served}")
    return f"{served} of the machines, slowest {max(report['max'] for report in reports) / 1000:.0f} ms"


def test_a_source_always_comes_to_the_same_machine(scene):
    scene.start()
    for family, source in [(4, "10.64.9.9+1"), (6, "fd00:64:0:9::1+1")]:
        before = [machine.status("time")["accepted"] for machine in scene.machines]
        require_all_served(
            scene.report(scene.flood(37, source, 50, 1, place=scene.network.balancer_address(family))))
        served = [machine.status("time")["accepted"] - count for machine, count in zip(scene.machines, before)]
        if sorted(served) != [0, 0, 50]:
            raise Failure(f"clients of {source}: {served}")


def test_connections_show_the_client_and_the_proxy(scene):
    scene.start()
    held = threading.Thread(target=lambda: scene.speak(
        scene.network.balancer_address(), 7, send(b"x"), pause(3), SHUTDOWN, source="10.64.2.2"))
    held.start()
    try:
        rows = wait_for("the connection", lambda: [row for machine in scene.machines for row in machine.connections("echo")])
    finally:
        held.join()
    if len(rows) != 1 or not rows[0]["peer"].startswith("10.64.2.2:") or not rows[0]["via"].startswith("10.1."):
        raise Failure(f"{rows}")


def test_checks_of_haproxy_start_no_process(scene):
    scene.start()
    machine = scene.machines[0]
    # HAProxy asks the agent four times as often as it checks.
    asked = machine.status("agent")["accepted"]
    wait_for("some checks", lambda: machine.status("agent")["accepted"] >= asked + 12, 30)
    if accepted := machine.status("time")["accepted"]:
        raise Failure(f"{accepted} connections of checks")
    if "PROXY" in (lines := machine.log.read_text()):
        raise Failure(f"checks are logged:\n{lines}")


def test_nginx_sends_version_1(scene):
    scene.start_machines()
    scene.nginx.start({"1001": "10.1.1.2:1001", "[::]:1001": "10.1.1.2:1001", "7": "10.1.2.2:7"})
    for family, source in [(4, "10.64.1.2"), (6, "fd00:64:0:7::9")]:
        seen = variables(scene.asked(1001, source=source, family=family))
        if seen.get("TCPREMOTEIP") != source:
            raise Failure(f"from {source}: {seen}")
    if (got := scene.asked(7, send(b"to and fro"), SHUTDOWN, source="10.64.1.3")) != b"to and fro":
        raise Failure(f"echo: {got}")


def test_a_service_without_proxy_from_sees_the_balancer(scene):
    scene.start()
    require_all_served(scene.report(scene.flood(1003, "10.64.5.1+100", 100, 2)))


def test_proxy_from_taken_away_by_a_reload(scene):
    """Silent clients are then served immediately: the kernel no longer waits for their first byte."""
    scene.start_machines()
    machine = scene.machines[0]
    machine.configure(CONFIGURATION.replace("proxy-from", "#proxy-from").replace("proxy-timeout", "#proxy-timeout"))
    machine.begat("reload")
    answer = scene.speak("10.1.1.2", 37)
    if answer["outcome"] != "end" or len(answer["received"]) != 8 or answer["seconds"] > 0.9:
        raise Failure(f"{answer}")
