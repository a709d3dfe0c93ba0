"""begatd on a machine, and the balancers in front: HAProxy and nginx."""

import contextlib
import json
import os
import pathlib
import signal
import socket

from network import Failure, end_process, read, wait_for


class Begatd:
    """A begatd with a directory of its own, in a network."""

    def __init__(self, namespace, programs, place):
        self.namespace = namespace
        self.programs = pathlib.Path(programs)
        self.place = pathlib.Path(place) / namespace.name
        self.place.mkdir(parents=True, exist_ok=True)
        self.configuration = self.place / "begatd.toml"
        self.log = self.place / "log"
        self.process = None
        self.environment = dict(
            os.environ, RUNTIME_DIRECTORY=str(self.place / "run"), STATE_DIRECTORY=str(self.place / "state"))

    def configure(self, text):
        self.configuration.write_text(text)

    def start(self):
        """Returns when every address is bound."""
        reading, writing = os.pipe()
        with open(self.log, "ab") as log:
            self.process = self.namespace.start(
                self.programs / "begatd", "--config", self.configuration, "--ready-fd", writing, stdout=log, stderr=log,
                env=self.environment, pass_fds=[writing])
        os.close(writing)
        with open(reading, "rb") as ready:
            if not ready.read():
                raise Failure(f"{self.namespace.name}: begatd did not start:\n{read(self.log)[-4000:]}")

    def stop(self, number=signal.SIGTERM, limit=60):
        return end_process(self.process, number, limit)

    def begat(self, *arguments, limit=60):
        """The output of a command of begat that must succeed."""
        return self.namespace.run(self.programs / "begat", *arguments, env=self.environment, limit=limit)

    def status(self, service=None):
        """The status of one service, or of all, from `begat status --json`."""
        services = json.loads(self.begat("status", "--json"))["services"]
        if not service:
            return services
        for one in services:
            if one["name"] == service:
                return one
        raise Failure(f"{self.namespace.name} has no service {service}")

    def connections(self, service=None):
        rows = json.loads(self.begat("ps", "--json"))["connections"]
        return [row for row in rows if service in (None, row["service"])]


class HAProxy:
    """Debian's HAProxy, with a global section of the test's own before an exported configuration."""

    GLOBAL = "global\n    stats socket {socket} level admin\n    hard-stop-after 2s\n"

    def __init__(self, namespace, peers, place):
        self.namespace = namespace
        self.program = pathlib.Path(peers) / "bin/haproxy"
        self.place = pathlib.Path(place) / "haproxy"
        self.place.mkdir(parents=True, exist_ok=True)
        self.socket = self.place / "admin"
        self.log = self.place / "log"
        self.process = None

    def start(self, configuration):
        main = self.place / "global.cfg"
        main.write_text(self.GLOBAL.format(socket=self.socket))
        file = self.place / "begat.cfg"
        file.write_text(configuration)
        checked = self.namespace.try_run(self.program, "-c", "-f", main, "-f", file)
        if checked.returncode != 0 or "WARNING" in checked.stderr:
            raise Failure(f"haproxy -c: {checked.stdout}{checked.stderr}\n{configuration}")
        self.socket.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = self.namespace.start(self.program, "-db", "-f", main, "-f", file, stdout=log, stderr=log)
        wait_for("HAProxy's socket", self._answers)

    def _answers(self):
        if self.process.poll() is not None:
            raise Failure(f"HAProxy ended with {self.process.returncode}:\n{read(self.log)[-4000:]}")
        with contextlib.suppress(OSError):
            return bool(self.ask("show info"))
        return False

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(10)
            admin.connect(str(self.socket))
            admin.sendall(command.encode() + b"\n")
            parts = []
            while part := admin.recv(65536):
                parts.append(part)
        return b"".join(parts).decode()

    def servers(self, backend):
        """Columns of `show stat` by server."""
        lines = self.ask("show stat").removeprefix("# ").splitlines()
        names = lines[0].split(",")
        rows = [dict(zip(names, line.split(","))) for line in lines[1:] if line]
        return {row["svname"]: row for row in rows if row["pxname"] == backend and row["type"] == "2"}

    def await_state(self, backend, server, state, seconds=10.0):
        """Waits until a server's status begins with UP, DRAIN, DOWN or the like."""
        wait_for(
            f"{server} of {backend} {state}", lambda: self.servers(backend)[server]["status"].startswith(state), seconds)

    def stop(self):
        if self.process:
            end_process(self.process, signal.SIGUSR1)


class Nginx:
    """Debian's nginx with its stream module, which sends version 1 of the PROXY protocol."""

    CONFIGURATION = """
load_module {root}/usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
master_process off;
user root;
pid {place}/pid;
error_log {place}/log;
events {{ worker_connections 4096; }}
stream {{
  proxy_protocol on;
  proxy_half_close on;
{servers}
}}
"""

    def __init__(self, namespace, peers, place):
        self.namespace = namespace
        self.peers = pathlib.Path(peers)
        self.place = pathlib.Path(place) / "nginx"
        self.place.mkdir(parents=True, exist_ok=True)
        self.process = None

    def start(self, servers):
        """servers: addresses to listen at, each with the address to connect to."""
        text = "".join(f"  server {{ listen {listen}; proxy_pass {to}; }}\n" for listen, to in servers.items())
        file = self.place / "nginx.conf"
        file.write_text(self.CONFIGURATION.format(root=self.peers / "root", place=self.place, servers=text))
        with open(self.place / "output", "ab") as log:
            self.process = self.namespace.start(
                self.peers / "bin/nginx", "-e", self.place / "log", "-p", self.place, "-c", file, stdout=log, stderr=log)
        wait_for("nginx", self._listens)

    def _listens(self):
        if self.process.poll() is not None:
            raise Failure(f"nginx ended:\n{read(self.place / 'output')}{read(self.place / 'log')}")
        return (self.place / "pid").exists()

    def stop(self):
        if self.process:
            end_process(self.process, signal.SIGTERM)
