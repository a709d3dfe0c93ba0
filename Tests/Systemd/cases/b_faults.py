"""Configurations and programs that do not work: nothing stays failed, and the journal stays readable."""

import time

from machine import Failure, wait_for
from support import CONFIGURATION, running, start


def test_broken_configuration(machine):
    began_at = machine.now()
    with running(machine):
        machine.write("/etc/begat/begatd.toml", CONFIGURATION + "\n[service.time]\nserve = 1\n")
        machine.try_run("systemctl", "restart", "begatd")
        began = time.monotonic()
        text = wait_for("the reason as an error", lambda: machine.journal(
            "-u", "begatd", "-p", "err", "--since", began_at))
        if "begatd.toml" not in text:
            raise Failure(text)
        mark = machine.now()
        wait_for("a minute", lambda: time.monotonic() - began > 61, 65)
        lines = machine.journal("-u", "begatd", "--since", mark).splitlines()
        lines += machine.journal("_PID=1", "--since", mark, "UNIT=begatd.service").splitlines()
        count = len(set(lines))
        if count > 8:
            raise Failure(f"{count} lines in a minute:\n" + "\n".join(lines))
        start(machine)
        wait_for("service", lambda: machine.try_run("begat", "time", "127.0.0.1:37").returncode == 0)
    return f"{count} lines in a minute"
