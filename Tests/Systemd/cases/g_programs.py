"""Programs inside begatd.service, and the lines of the drop-in programs.conf that lift its restrictions."""

import contextlib
import json
import subprocess

from machine import Failure
from support import running

EXAMPLE = "/usr/share/doc/begat/examples/systemd/begatd.service.d/programs.conf"


def service(name, port, command, *keys):
    return "\n".join([
        f"[service.{name}]", f"exec = {json.dumps(['/bin/sh', '-c', command])}", f'listen-stream = ["127.0.0.1:{port}"]',
        *keys, ""])


def answer(machine, port):
    """The output of a program, with its errors."""
    done = subprocess.run(
        machine.with_network("python3", "-c", "import socket, sys; s = socket.create_connection(('127.0.0.1', "
                             f"{port}), 10); s.settimeout(10); s.shutdown(1); "
                             "[sys.stdout.buffer.write(b) for b in iter(lambda: s.recv(4096), b'')]"),
        capture_output=True, text=True, check=False)
    return done.stdout.strip()


@contextlib.contextmanager
def given_back(machine, *lines):
    """begatd with these lines of the drop-in."""
    text = machine.path(EXAMPLE).read_text().splitlines()
    for line in lines:
        if f"#{line}" not in text:
            raise Failure(f"programs.conf does not offer {line}")
    try:
        machine.configure("begatd.service", "programs", "[Service]", *lines)
        yield
    finally:
        machine.reset("begatd.service")


def expect(found, wanted):
    if found != wanted:
        raise Failure(f"{found!r} instead of {wanted!r}")


def test_programs_of_the_unit_as_it_is(machine):
    machine.run("mkdir", "-p", "-m", "1777", "/srv/upload")
    # Each command, and what it prints.
    programs = [
        ("id -u", "1", 'user = "daemon"'),
        ("wc -w < /proc/uptime", "2"),
        ("echo text > /srv/upload/$$ && cat /srv/upload/$$", "text"),
        ("echo text > /tmp/$$ && cat /tmp/$$", "text"),
        ("ulimit -v; ulimit -f", "65536\n128", 'limit-memory = "64M"', 'limit-file-size = "64K"'),
        ("ip -o link show lo | wc -l", "1"),
        # As a just-in-time compiler needs it.
        ("python3 -c 'import mmap; mmap.mmap(-1, 4096, prot=7); print(7)'", "7"),
        ("for place in /usr /etc /home /root; do touch $place/x 2>/dev/null && echo $place; done; echo none", "none"),
        ("sed -n 's/^NoNewPrivs:.//p; s/^CapEff:.//p' /proc/self/status", "0000000000000000\n1"),
        ("umask", "0022")]
    configuration = "\n".join(
        service(f"program-{index}", 70 + index, command, *keys) for index, (command, _, *keys) in enumerate(programs))
    with running(machine, configuration):
        for index, (_, wanted, *_) in enumerate(programs):
            expect(answer(machine, 70 + index), wanted)


def test_nice(machine):
    with given_back(machine, "SystemCallFilter=@resources"):
        with running(machine, service("nice", 79, "nice", "nice = 5")):
            expect(answer(machine, 79), "5")
    # A container may lack the capability.
    bounding = machine.run("sed", "-n", "s/^CapBnd:.//p", "/proc/1/status")
    if not int(bounding, 16) >> 24 & 1:
        return "5; not below 0, which needs CAP_SYS_RESOURCE"
    lines = ["CapabilityBoundingSet=CAP_SYS_RESOURCE", "AmbientCapabilities=CAP_SYS_RESOURCE"]
    with given_back(machine, "SystemCallFilter=@resources", *lines):
        with running(machine, service("nice", 79, "nice", "nice = -5")):
            expect(answer(machine, 79), "-5")
    return "5, -5"


def test_temporary_files(machine):
    command = "echo text > /tmp/shared && echo text > /var/tmp/shared && echo done"
    machine.run("rm", "-f", "/tmp/shared", "/var/tmp/shared")
    with running(machine, service("private", 79, command)):
        expect(answer(machine, 79), "done")
        for name in ["/tmp/shared", "/var/tmp/shared"]:
            if machine.try_run("test", "-e", name).returncode == 0:
                raise Failure(f"{name} is visible outside")
    with given_back(machine, "PrivateTmp=no", "ReadWritePaths=/tmp"):
        with running(machine, service("shared", 79, command)):
            expect(answer(machine, 79), "done")
            expect(machine.run("cat", "/tmp/shared", "/var/tmp/shared"), "text\ntext\n")


def test_owners_of_sockets(machine):
    configuration = '[service.echo]\nserve = "echo"\nlisten-stream = ["%t/echo"]\nsocket-user = "daemon"\n'
    with given_back(machine, "CapabilityBoundingSet=CAP_CHOWN", "AmbientCapabilities=CAP_CHOWN"):
        with running(machine, configuration):
            expect(machine.run("stat", "-c", "%U", "/run/begat/echo").strip(), "daemon")


def test_control_group(machine):
    configuration = '[daemon]\ncontrol-group = "adm"\n[service.echo]\nserve = "echo"\nlisten-stream = ["127.0.0.1:7"]\n'
    with given_back(machine, "SupplementaryGroups=adm"):
        with running(machine, configuration):
            machine.run("setpriv", "--reuid=nobody", "--regid=nogroup", "--groups=adm", "begat", "status")


def test_log_file(machine):
    configuration = ('[daemon]\nlog-target = "file"\nlog-file = "/var/log/begat/begatd.log"\n'
                     '[service.echo]\nserve = "echo"\nlisten-stream = ["127.0.0.1:7"]\n')
    with given_back(machine, "LogsDirectory=begat"):
        with running(machine, configuration):
            if "echo" not in machine.run("cat", "/var/log/begat/begatd.log"):
                raise Failure("the log file is empty")


def test_set_user_id(machine):
    lines = ["User=root", "Group=root", "CapabilityBoundingSet=~", "AmbientCapabilities=", "NoNewPrivileges=no",
             "RestrictSUIDSGID=no"]
    command = "sed -n 's/^NoNewPrivs:.//p' /proc/self/status"
    with given_back(machine, *lines):
        with running(machine, service("gains", 79, command, 'user = "daemon"', "allow-set-user-id = true")):
            expect(answer(machine, 79), "0")
