"""begat upgrade: another program in the place of begatd, without a client noticing."""

from machine import Failure, wait_for
from support import held, load, running

PROGRAM = "/usr/sbin/begatd"


def replace(machine, text=None):
    """Replaces the file of begatd, as a package does: by a copy of the same program if no text is given."""
    new = machine.path(PROGRAM + ".new")
    if text is None:
        machine.run("cp", PROGRAM + ".kept", PROGRAM + ".new")
    else:
        new.write_bytes(text.encode())
        new.chmod(0o755)
    machine.run("mv", PROGRAM + ".new", PROGRAM)


def test_upgrade(machine):
    machine.run("cp", "-a", PROGRAM, PROGRAM + ".kept")
    with running(machine), held(machine) as idle:
        process = machine.main_process()
        descriptors = len(machine.run("ls", f"/proc/{process}/fd").split())
        with load(machine) as report:
            for _ in range(20):
                replace(machine)
                machine.run("begat", "upgrade")
        if machine.main_process() != process:
            raise Failure("begatd has another number")
        if machine.property("begatd", "ActiveState") != "active":
            raise Failure(machine.run("systemctl", "status", "begatd"))
        after = wait_for("no more descriptors than before", lambda: (
            count := len(machine.run("ls", f"/proc/{process}/fd").split()), count <= descriptors + 8 and count)[1])
        idle.check(machine)
    return f"{report['asked']} asked, slowest {report['slowest'] * 1000:.0f} ms, descriptors {descriptors} -> {after}"


def test_upgrade_that_cannot_work(machine):
    """The old begatd goes on if the new program exits, hangs, knows no upgrade, or is no program."""
    machine.run("cp", "-a", PROGRAM, PROGRAM + ".kept")
    programs = {
        "exits": "#!/bin/sh\nexit 3\n", "hangs": "#!/bin/sh\nexec sleep 1000\n", "is none": "no program\n",
        "knows no upgrade": "#!/bin/sh\necho 'Error: Unknown option' >&2\nexit 64\n"}
    with running(machine), held(machine) as idle:
        process = machine.main_process()
        with load(machine, clients=16) as report:
            for name, text in programs.items():
                replace(machine, text)
                done = machine.try_run("begat", "upgrade")
                if done.returncode == 0 or not done.stderr.strip():
                    raise Failure(f"{name}: {done}")
        replace(machine)
        if machine.main_process() != process or idle.alive() != idle.count:
            raise Failure("the old begatd does not go on")
        machine.run("begat", "upgrade")
    return f"{report['asked']} asked"


def test_deleted_programs(machine):
    """begatd restarts its processes after the program files were deleted."""
    for name in ["begatd", "begat-listener"]:
        machine.run("cp", "-a", f"/usr/sbin/{name}", f"/usr/sbin/{name}.kept")
    try:
        with running(machine), load(machine, clients=8) as report:
            machine.run("rm", PROGRAM, "/usr/sbin/begat-listener")
            for name in ["begat-listener: time", "begatd: names"]:
                old = machine.run("pgrep", "-f", f"^{name}").split()[0]
                machine.run("kill", "-9", old)
                wait_for(f"another {name}", lambda name=name, old=old: (
                    numbers := machine.try_run("pgrep", "-f", f"^{name}").stdout.split(), numbers and old not in numbers)[1])
            if machine.try_run("pgrep", "-x", "begat-listener").returncode != 0:
                raise Failure(machine.run("ps", "-ef"))
    finally:
        for name in ["begatd", "begat-listener"]:
            machine.run("mv", f"/usr/sbin/{name}.kept", f"/usr/sbin/{name}")
    return f"{report['asked']} asked"
