"""The machine, and the versions of all programs that take part."""

import ctypes
import datetime
import os
import pathlib
import platform
import re
import subprocess

from . import peers
from .load import BEGAT, ROOT
from .parts import FORTUNE

ABSENT = "absent"


def first_line(*words):
    try:
        run = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=ROOT)
    except OSError:
        return ""
    return (run.stdout.strip().splitlines() or [""])[0]


def debian_version(package):
    """Of the package in the archive, which is what was unpacked."""
    run = subprocess.run(["apt-cache", "policy", package], stdout=subprocess.PIPE, text=True, check=False)
    found = re.search(r"Candidate: (\S+)", run.stdout)
    return found[1] if found else ""


def landlock():
    """The version of Landlock that the kernel offers to begat's sandbox."""
    landlock_create_ruleset, version = 444, 1
    answer = ctypes.CDLL(None).syscall(landlock_create_ruleset, None, 0, version)
    return str(answer) if answer > 0 else "none"


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    autogroup = pathlib.Path("/proc/sys/kernel/sched_autogroup_enabled")
    distribution = platform.freedesktop_os_release()["PRETTY_NAME"]
    return {
        "processor": f"{model[1] if model else platform.machine()}, {len(os.sched_getaffinity(0))} in use of {os.cpu_count()}",
        "memory": f"{int(memory[1]) / (1 << 20):.1f} GiB",
        "kernel": platform.release(),
        "Landlock": landlock(),
        "sched_autogroup_enabled": autogroup.read_text().strip() if autogroup.exists() else "-",
        "system": distribution,
        "user": "root" if os.geteuid() == 0 else "no privilege",
    }


def versions():
    """Programs and their versions."""
    found = {"begat": f"{first_line(BEGAT, '--version')} ({first_line('git', 'describe', '--always', '--dirty')})"}
    packages = [("xinetd", "xinetd"), ("openbsd-inetd", "inetd"), ("ucspi-tcp", "tcpserver"), ("s6-networking", "s6-tcpserverd"),
                ("s6", "s6-ipcserverd"), ("socat", "socat"), ("ncat", "ncat"), ("systemd", "systemd-socket-activate")]
    found |= {package: debian_version(package) if peers.program(command) else ABSENT for package, command in packages}
    found["fortune-mod"] = debian_version("fortune-mod") if FORTUNE else ABSENT
    found["Perl"] = re.sub(r".*\(v([\d.]+)\).*", r"\1", first_line("perl", "-e", 'printf "(v%vd)", $^V'))
    found["Python"] = first_line(peers.PYTHON, "--version").removeprefix("Python ")
    found["C compiler"] = first_line("cc", "--version")
    return found


def load_average():
    return os.getloadavg()[0]


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
