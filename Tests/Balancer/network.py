"""Network namespaces as machines, each with a cable to the balancer, which forwards between them.

                       balancer
    10.1.N.1, fd00:1:N::1    10.2.0.1, fd00:2::1
            |                        |
    10.1.N.2, fd00:1:N::2    10.2.0.2, fd00:2::2 and all of 10.64.0.0/16, fd00:64::/48
         machine mN                client

All of it belongs to the namespaces of the calling process, and ends with it.
"""

import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Support"))
from waiting import Failure, wait_for


class Namespace:
    """A network with a loopback interface; a process holds it."""

    def __init__(self, name):
        self.name = name
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        own = os.readlink("/proc/self/ns/net")
        wait_for(f"the network of {name}", lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != own)
        self.run("ip", "link", "set", "lo", "up")

    def inside(self, *command):
        """The command that executes another one in this network, in the same process."""
        return ["nsenter", "-t", str(self.holder.pid), "-n", "--", *map(str, command)]

    def start(self, *command, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.inside(*command), **options)

    def try_run(self, *command, limit=60, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(
            self.inside(*command), capture_output=True, text=True, errors="replace", timeout=limit, check=False, **options)

    def run(self, *command, **options):
        """Returns the output of a command that must succeed."""
        done = self.try_run(*command, **options)
        if done.returncode != 0:
            raise Failure(f"{self.name}: {' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def set(self, name, value):
        self.run("sh", "-c", 'echo "$2" > "/proc/sys/net/$1"', "set", name, value)


class Network:
    """A balancer, machines and clients, joined by cables."""

    CLIENTS = {4: "10.64", 6: "fd00:64:0"}

    def __init__(self, machines=3):
        self.balancer = Namespace("balancer")
        self.client = Namespace("client")
        self.machines = [Namespace(f"m{number}") for number in range(1, machines + 1)]
        for name in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]:
            self.balancer.set(name, 1)
        for number, machine in enumerate(self.machines, 1):
            self._join(machine, f"10.1.{number}", f"fd00:1:{number}")
        self._join(self.client, "10.2.0", "fd00:2")
        # The client owns whole networks.
        self.client.run("ip", "route", "add", "local", "10.64.0.0/16", "dev", "lo")
        self.client.run("ip", "-6", "route", "add", "local", "fd00:64::/48", "dev", "lo")
        self.client.set("ipv6/ip_nonlocal_bind", 1)
        self.balancer.run("ip", "route", "add", "10.64.0.0/16", "via", "10.2.0.2")
        self.balancer.run("ip", "-6", "route", "add", "fd00:64::/48", "via", "fd00:2::2")

    def _join(self, end, four, six):
        name = f"to-{end.name}"
        self.balancer.run("ip", "link", "add", name, "type", "veth", "peer", "name", "uplink", "netns", end.holder.pid)
        for namespace, interface, number in [(self.balancer, name, 1), (end, "uplink", 2)]:
            namespace.run("ip", "addr", "add", f"{four}.{number}/24", "dev", interface)
            # The detection of duplicates takes a second, and there are none.
            namespace.run("ip", "addr", "add", f"{six}::{number}/64", "dev", interface, "nodad")
            namespace.run("ip", "link", "set", interface, "up")
        end.run("ip", "route", "add", "default", "via", f"{four}.1")
        end.run("ip", "-6", "route", "add", "default", "via", f"{six}::1")

    @staticmethod
    def addresses(family, machines):
        """The machines' addresses, for `begat export haproxy --servers`."""
        return ",".join(
            f"m{number}=" + (f"10.1.{number}.2" if family == 4 else f"fd00:1:{number}::2")
            for number in range(1, machines + 1))

    @staticmethod
    def balancer_address(family=4):
        return "10.2.0.1" if family == 4 else "fd00:2::1"

    @property
    def namespaces(self):
        return [self.balancer, self.client, *self.machines]


def end_process(process, number=signal.SIGTERM, limit=30):
    """Ends a process, by force after the limit, and returns its status."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure(f"process {process.args} did not end within {limit} s") from None
    return process.returncode


def read(path):
    return pathlib.Path(path).read_text(errors="replace")
