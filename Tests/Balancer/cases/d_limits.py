"""Limits of clients' own addresses behind a balancer."""

from network import Failure
from scene import BURST, RATE, allowed, require_all_served


def last_process():
    """The number of the newest process of this namespace: each fork takes the next one."""
    with open("/proc/sys/kernel/ns_last_pid", encoding="ascii") as file:
        return int(file.read())


def test_rate_of_one_source_beside_others(scene):
    scene.start()
    seconds = 10
    noisy = scene.flood(1002, "10.64.7.7", 3 * RATE, seconds)
    others = scene.flood(1002, "10.64.8.1+100", 100, seconds)
    noisy, others = scene.report(noisy), scene.report(others)
    require_all_served(others)
    if not 0.95 * allowed(noisy) <= noisy["served"] <= 1.05 * allowed(noisy):
        raise Failure(f"{noisy['served']} of {noisy['offered']} served, not {allowed(noisy):.0f}")
    return (f"{noisy['served']} of {noisy['offered']} served, {allowed(noisy):.0f} allowed; all {others['offered']} of the "
            "others")


def test_refused_clients_start_no_process(scene):
    scene.start()
    require_all_served(scene.report(scene.flood(1002, "10.64.7.7", BURST, 1)))
    before = last_process()
    accepted = [machine.status("limited")["accepted"] for machine in scene.machines]
    report = scene.report(scene.flood(1002, "10.64.7.7", 10 * RATE, 5))
    after = last_process()
    served = sum(machine.status("limited")["accepted"] for machine in scene.machines) - sum(accepted)
    refused = report["offered"] - served
    # `begat status`, nsenter and the agents start far fewer processes than one for each refused client.
    others = after - before - served
    if refused < report["offered"] / 2 or others > refused / 10:
        raise Failure(f"{refused} refused, {others} processes beside the {served} served")
    return f"{refused} refused, {others} processes besides those of the {served} served"


def test_denied_clients(scene):
    scene.start()
    answer = scene.speak(scene.network.balancer_address(), 7, source="10.64.0.66")
    if answer["received"]:
        raise Failure(f"{answer}")
