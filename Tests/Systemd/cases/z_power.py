"""Power-off, and how long a boot takes to the first answer."""

import time

from machine import Failure, wait_for
from support import held, start


def test_power_off_takes_no_longer_with_connections(machine):
    start(machine)
    alone = machine.power_off()
    machine.boot()
    start(machine)
    with held(machine), held(machine, "echo:127.0.0.1:1002", 1), held(machine, "echo:127.0.0.1:1003", 1):
        busy = machine.power_off()
    if busy > alone + 1:
        raise Failure(f"{busy:.2f} s, without connections {alone:.2f} s")
    return f"{busy:.2f} s, without connections {alone:.2f} s"


def test_boot_to_first_answer(machine):
    if machine.process.poll() is not None:
        machine.boot()
    machine.run("systemctl", "enable", "begatd")
    machine.power_off()
    began = time.monotonic()
    machine.boot()
    booted = time.monotonic() - began
    wait_for("an answer", lambda: machine.try_run("begat", "time", "127.0.0.1:37").returncode == 0)
    answered = time.monotonic() - began
    machine.run("systemctl", "disable", "begatd")
    return f"{answered:.2f} s, booted after {booted:.2f} s"
