"""begatd with services to measure, and begat-listener alone."""

import functools
import os
import re
import subprocess

from .load import BEGAT
from .server import NotOffered, Process, Server, wait_until

PROGRAMS = os.path.dirname(BEGAT)
HELD = 20000


@functools.cache
def has_spares():
    """Whether this begat can keep processes that are forked before their clients come."""
    text = subprocess.run([f"{PROGRAMS}/begat-listener", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return "--spare-processes" in text


def literal(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'


class Daemon:
    """One begatd with services, {NAME: {KEY: VALUE}}, and where they listen."""

    def __init__(self, services, place):
        place.mkdir(parents=True, exist_ok=True)
        lines = []
        for name, settings in services.items():
            lines += [f"[service.{name}]", *(f"{key} = {literal(value)}" for key, value in settings.items())]
        (place / "begatd.toml").write_text("\n".join(lines) + "\n")
        self.ready = place / "ready"
        with open(self.ready, "wb") as ready:
            self.process = Process(
                [f"{PROGRAMS}/begatd", "--config", place / "begatd.toml", "--ready-fd", ready.fileno()], place / "log",
                {"RUNTIME_DIRECTORY": str(place), "STATE_DIRECTORY": str(place / "state")}, [ready.fileno()])

    def targets(self, count):
        """Where so many sockets listen, as soon as begatd has said so."""
        def find():
            self.process.check()
            found = re.findall(r"^\S+ (\S+)(?: datagram)?\n", self.ready.read_text(), re.MULTILINE)
            return found if len(found) == count else None
        places = [word.rpartition(":") for word in wait_until("begatd's readiness", find)]
        return [(host, int(port)) if host else port for host, _, port in places]


def begatd(name, label="begatd", at="127.0.0.1:0", **settings):
    """begatd with one service; settings are the keys of its table, with _ for -."""
    settings = {key.replace("_", "-"): value for key, value in settings.items()}
    # Datagrams make no connections that could leave a line.
    are_datagrams = settings.pop("datagrams", False)
    # A connection counts until its process is reaped: 16 clients at one address are more than 16 connections sometimes.
    streams = {"listen-stream": [at], "log": "problems", "max-connections-per-source": 128}
    table = {"listen-datagram": [at]} if are_datagrams else streams
    table |= settings
    if "exec" not in table:
        table["serve"] = name

    def begin(folder):
        if "spare-processes" in table and not has_spares():
            raise NotOffered("this begatd does not know spare-processes")
        service, place = dict(table), folder / re.sub(r"\W+", "-", f"{label} {name}")
        if at.startswith("%t/"):
            service["listen-stream"] = [str(place / at[3:])]
        daemon = Daemon({name: service}, place)
        return daemon.targets(1)[0], [daemon.process]

    limits = f"{table.get('max-connections', 256)} connections, {table.get('max-connections-per-source')} of a source"
    if are_datagrams:
        limits = f"{table.get('rate-per-source', '10/s')} of a source"
    spares = str(table.get("spare-processes", "default")) if has_spares() else "none"
    return Server(label, begin, table.get("log", "none"), limits, spares, table.get("sandbox", "on"), is_supervisor=True)


def listener(service):
    """begat-listener without begatd."""
    def begin(folder):
        process = Process(
            [f"{PROGRAMS}/begat-listener", "--serve", service, "--listen-stream", "127.0.0.1:0", "--log", "problems",
             "--max-connections-per-source", 128],
            folder / "begat-listener.log")
        def find():
            process.check()
            return re.search(r"ready on 127\.0\.0\.1:(\d+)", process.log.read_text())
        return ("127.0.0.1", int(wait_until("begat-listener's readiness", find)[1])), [process]

    return Server("begat-listener alone", begin, "problems", "256 connections, 128 of a source",
                  "default" if has_spares() else "none", "on")
