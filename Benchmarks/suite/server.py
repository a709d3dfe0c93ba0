"""Starts servers, each in a session of its own as daemons are, and ends them."""

import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import time

from .processes import children

PATIENCE = 20


class ServerError(Exception):
    pass


class NotOffered(ServerError):
    """The server's program does not have what is to be measured."""


def raise_limit_of_descriptors(wanted=65536):
    """Children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), max(hard, wanted)))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port(kind=socket.SOCK_STREAM):
    """A port for a server that cannot say which one the kernel chose."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, is_so, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not (value := is_so()):
        if time.monotonic() > deadline:
            raise ServerError(f"{what}: not within {seconds} s")
        time.sleep(0.002)
    return value


def accepts(target):
    family, address = (socket.AF_UNIX, target) if isinstance(target, str) else (socket.AF_INET, target)
    try:
        with socket.socket(family) as probe:
            probe.connect(address)
            return True
    except OSError:
        return False


def answers(target):
    """Whether a datagram is answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(target)
            probe.send(b"")
            return bool(probe.recv(64))
        except OSError:
            return False


class Process:
    """A server's process, the leader of its session; output and errors go to a file."""

    # Those that have not been ended, also of servers that did not become ready.
    living = []

    def __init__(self, words, log, environment=None, descriptors=()):
        self.words, self.log = [str(word) for word in words], pathlib.Path(log)
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                self.words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                env={**os.environ, **(environment or {})}, pass_fds=descriptors)
        Process.living.append(self)

    @property
    def number(self):
        return self.process.pid

    def check(self):
        if self.process.poll() is not None:
            text = self.log.read_text(errors="replace").strip()
            raise ServerError(f"{' '.join(self.words)} ended with {self.process.returncode}: {text[-500:]}")

    def announced(self):
        """The place that it prints as "ready ADDRESS PORT"."""
        def find():
            self.check()
            return re.search(r"^ready (\S+) (\d+)$", self.log.read_text(errors="replace"), re.MULTILINE)
        found = wait_until(f"readiness of {self.words[0]}", find)
        return found[1], int(found[2])

    def wait_until_it_accepts(self, target):
        def is_there():
            self.check()
            return accepts(target)
        wait_until(f"{self.words[0]} at {target}", is_there)

    def end(self):
        Process.living.remove(self)
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(PATIENCE)
                return
            except ProcessLookupError:
                self.process.wait()
                return
            except subprocess.TimeoutExpired:
                continue


class Server:
    """A server to measure: its name, its settings as the results show them, and how it starts.

    `begin` takes the folder for its files and returns its target and its processes.  With `is_supervisor` these do not
    accept clients themselves, but their children do.
    """

    def __init__(self, label, begin, log="none", limits="none", spares="none", sandbox="none", is_supervisor=False):
        self.label, self.begin, self.is_supervisor = label, begin, is_supervisor
        self.settings = {"log": log, "limits": limits, "spares": spares, "sandbox": sandbox}
        self.target, self.processes = None, []

    def start(self, folder):
        self.target, self.processes = self.begin(folder)

    def acceptors(self):
        """The numbers of the processes that accept clients, while there are none."""
        own = [process.number for process in self.processes]
        if not self.is_supervisor:
            return own
        started_by = children()
        return [number for process in own for number in started_by.get(process, [])]


class Servers:
    """Those of one part, running.  A server that does not start is left out, and the reason is printed; one that cannot
    exist here is skipped, which is no fault."""

    def __init__(self, servers, folder, say):
        self.wanted, self.folder, self.say = servers, pathlib.Path(folder), say
        self.running, self.left_out, self.skipped = [], [], []

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for server in self.wanted:
            try:
                server.start(self.folder)
                self.running.append(server)
            except NotOffered as error:
                self.skipped.append(f"{server.label}: {error}")
                self.say(f"skipped: {self.skipped[-1]}")
            except (ServerError, OSError) as error:
                self.left_out.append(f"{server.label}: {error}")
                self.say(f"left out: {self.left_out[-1]}")
        return self

    def __exit__(self, *_):
        while Process.living:
            Process.living[-1].end()

    def turns(self, rounds):
        """Each round's servers, beginning with another one each time, and every second round backwards: neither the server
        before nor a change of the machine then helps one of them."""
        for number in range(rounds):
            start = number // 2 % len(self.running) if self.running else 0
            turn = self.running[start:] + self.running[:start]
            yield number, turn[::-1] if number % 2 else turn
