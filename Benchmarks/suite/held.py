"""Clients that connect, take the greeting and then say nothing; and the memory that they cost the machine."""

import pathlib
import resource
import selectors
import socket
import time

from .processes import descendants
from .server import PATIENCE, wait_until

# Not the load generator's address, so that neither takes the other's ports.
SOURCE = "127.0.0.2"
# How many connections wait for their greeting at the same time: no server's backlog is to overflow.
UNDER_WAY = 64
IP_BIND_ADDRESS_NO_PORT = 24
# So many processes are asked for their memory.
SAMPLE = 100


def available_memory():
    """KiB that the machine could still give away."""
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1])
    raise OSError("/proc/meminfo has no MemAvailable")


def living_tasks():
    return int(pathlib.Path("/proc/loadavg").read_text().split()[3].split("/")[1])


def own_memory(process):
    """KiB that a process has for itself alone: pages and page tables."""
    folder, kib = pathlib.Path(f"/proc/{process}"), 0
    for name, words in (("smaps_rollup", ("Private_Clean:", "Private_Dirty:")), ("status", ("VmPTE:",))):
        kib += sum(int(line.split()[1]) for line in (folder / name).read_text().splitlines() if line.startswith(words))
    return kib


def can_hold(count):
    """Whether this process may have so many sockets."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] > count + 100


class Held:
    """So many idle clients of one server, while the `with` block runs.

    `kib` is the memory that all of it took on the machine: processes, page tables and both ends of the connections;
    `process_kib` is the mean of what the connections' processes have for themselves alone.
    """

    def __init__(self, target, count, servers):
        self.target, self.count, self.servers, self.sockets = target, count, servers, []
        self.kib = self.process_kib = 0

    def connect(self):
        client = socket.socket(socket.AF_INET)
        client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        client.bind((SOURCE, 0))
        client.setblocking(False)
        client.connect_ex(self.target)
        self.sockets.append(client)
        return client

    def __enter__(self):
        self.tasks, before, old = living_tasks(), available_memory(), descendants(self.servers)
        deadline = time.monotonic() + PATIENCE + self.count / 50
        with selectors.DefaultSelector() as selector:
            greeted = 0
            while greeted < self.count:
                while len(self.sockets) < self.count and len(self.sockets) - greeted < UNDER_WAY:
                    selector.register(self.connect(), selectors.EVENT_READ)
                for key, _ in selector.select(1):
                    if not key.fileobj.recv(256):
                        raise OSError(f"a client to hold was refused, after {greeted}")
                    selector.unregister(key.fileobj)
                    greeted += 1
                if time.monotonic() > deadline:
                    raise OSError(f"only {greeted} of {self.count} clients were greeted")
        self.kib = before - available_memory()
        connections = sorted(descendants(self.servers) - old)[:SAMPLE]
        if connections:
            self.process_kib = sum(map(own_memory, connections)) / len(connections)
        return self

    def still_there(self):
        """How many the server has not closed."""
        count = 0
        for client in self.sockets:
            try:
                count += bool(client.recv(256))
            except BlockingIOError:
                count += 1
            except OSError:
                pass
        return count

    def __exit__(self, *_):
        for client in self.sockets:
            client.close()
        # The next server is measured when the processes of this one are gone.
        wait_until("the end of the held connections", lambda: living_tasks() < self.tasks + max(10, self.count // 20), 60)
