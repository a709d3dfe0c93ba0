"""The parts of a run: each has its servers, and measures each of them once in each round."""

import shutil
import socket
import threading
import time

from . import peers
from .begat import HELD, Daemon, begatd, has_spares, listener
from .held import Held, can_hold
from .load import LIMIT, PATIENCE, Generator, LoadError, problems
from .processes import PageFaults
from .server import Servers, Server, ServerError

FORTUNE = shutil.which("fortune", path="/usr/games:/usr/bin")
SERVICES = 50
HELLO, LINE = str(LIMIT / "hello"), str(LIMIT / "line")
# Settings of begatd's service that are not to be met where many connections are held.
UNMET = {"max_connections": HELD, "max_connections_per_source": HELD}


class Part:
    """One measurement.  `reference` is the label of the server that the others are compared with."""

    name = title = reference = ""
    about = ""
    # The figure that ratios are made of and its unit.
    figure, unit = "rate", "connections per second"

    def __init__(self, settings, generator, say):
        self.settings, self.generator, self.say = settings, generator, say
        self.rounds, self.seconds = settings.rounds, settings.seconds

    def servers(self):
        """The servers, the reference first."""
        raise NotImplementedError

    def measure(self, server):
        """One run: a dictionary of figures, with notes under "note"."""
        raise NotImplementedError

    def run(self, folder):
        wanted = self.settings.server or [""]
        servers = [server for server in self.servers() if any(text in server.label for text in wanted)]
        with Servers(servers, folder / self.name, self.say) as servers:
            rows = {server.label: {"label": server.label, "settings": server.settings, "rounds": []}
                    for server in servers.running}
            for number, turn in servers.turns(self.rounds):
                for server in turn:
                    try:
                        figures = self.measure(server)
                    except (LoadError, ServerError, OSError) as error:
                        figures = {"note": str(error)}
                    figures["round"] = number
                    rows[server.label]["rounds"].append(figures)
                    value = figures.get(self.figure)
                    self.say(f"{self.name} {number + 1} {server.label}: {value if value is None else round(value, 1)}"
                             + (f" ({figures['note']})" if figures.get("note") else ""))
            rows = [rows[server.label] for server in servers.running]
        return {"name": self.name, "title": self.title, "about": self.about, "reference": self.reference, "figure": self.figure,
                "unit": self.unit, "rows": rows, "left_out": servers.left_out, "skipped": servers.skipped}


def figures_of(report):
    return {"rate": report["rate"], "generator_cpu": report.get("generator_cpu"), "note": problems(report),
            **report["latencies"]}


def time_servers():
    ours = [begatd("time"), begatd("time", "begatd, no spares", spare_processes=0),
            begatd("time", "begatd, log connections", log="connections")]
    return [peers.c_loop("fork", "C fork loop"), *ours, listener("time"), *peers.xinetd_time(),
            peers.perl("time"), peers.python("time")]


class Time(Part):
    name, reference = "time", "C fork loop"
    title = "`time` over TCP, 16 clients"
    about = ("4 bytes (RFC 868), then the end. All but xinetd and the last have a process for each connection; the last shows "
             "how fast the load generator is.")

    def servers(self):
        return [*time_servers(), peers.c_loop("close", "C accept and close, no byte")]

    def measure(self, server):
        expect = 0 if "no byte" in server.label else 4
        return figures_of(self.generator.closed_loop(server.target, 16, self.seconds, expect))


class OneClient(Part):
    name, reference = "one-client", "C fork loop"
    title = "`time` over TCP, one client after the other"
    about = "Microseconds from connect(2) to the end of file."
    figure, unit = "p50", "µs"

    def servers(self):
        return time_servers()

    def measure(self, server):
        return figures_of(self.generator.closed_loop(server.target, 1, self.seconds, 4))


class Latency(Part):
    name, reference = "latency", "C fork loop"
    title = "Latencies of `time` at a steady rate"
    figure, unit = "p99", "µs"

    @property
    def about(self):
        return (f"{self.settings.steady_rate} connections begin in a second, whatever becomes of those before: a server that "
                "pauses makes all wait that come meanwhile. Microseconds from the time when a connection was due to its end "
                "of file.")

    def servers(self):
        return time_servers()

    def measure(self, server):
        return figures_of(self.generator.open_loop(server.target, self.settings.steady_rate, 2 * self.seconds, 4))


class Faults(Part):
    name, reference = "faults", "C fork loop"
    title = "Page faults for each connection of `time`"
    about = ("Of the process that serves it, from fork to exit, and of the one that accepts: each costs about a microsecond. 4 "
             "clients.")
    figure, unit = "child_faults", "in the child"

    def servers(self):
        return time_servers()

    def measure(self, server):
        # The first connections touch what later ones find.
        self.generator.closed_loop(server.target, 4, self.seconds / 4, 4)
        before = PageFaults(server.acceptors())
        report = self.generator.closed_loop(server.target, 4, self.seconds, 4)
        after = PageFaults(server.acceptors())
        return {"child_faults": (after.children - before.children) / report["connections"],
                "parent_faults": (after.own - before.own) / report["connections"], "note": problems(report)}


class Executed(Part):
    name, reference = "executed", "C vfork loop"
    title = "A program executed for each connection, 16 clients"
    about = ("The program is `limit/hello`: static, writes 6 bytes and ends. The C loops take the steps that begat takes between vfork "
             "and execve.")

    def servers(self):
        ours = [begatd("hello", exec=[HELLO]), begatd("hello", "begatd, sandbox off", exec=[HELLO], sandbox="off")]
        loops = [peers.c_loop("exec", "C vfork loop", HELLO, options=["-c"], sandbox="the same"),
                 peers.c_loop("exec", "C vfork loop, not confined", HELLO)]
        return [*loops, *ours, *peers.executing("hello", [HELLO]),
                peers.perl("exec", "Perl fork and exec", HELLO)]

    def measure(self, server):
        return figures_of(self.generator.closed_loop(server.target, 16, self.seconds, 6))


class UnixSocket(Part):
    name, reference = "unix-socket", "begatd"
    title = "The same over a Unix socket"
    about = "Peers that listen on Unix sockets only."

    def servers(self):
        return [begatd("hello", at="%t/hello", exec=[HELLO]), *peers.s6_ipcserver([HELLO])]

    def measure(self, server):
        return figures_of(self.generator.closed_loop(server.target, 16, self.seconds, 6))


class Fortune(Part):
    name, reference = "fortune", "begatd"
    title = "A fortune of at most 160 characters, 16 clients"
    about = "Built into begat; the others execute `fortune -s`."

    def servers(self):
        ours = {"fortune.max-length": 160}
        others = peers.executing("fortune", [FORTUNE, "-s"]) if FORTUNE else []
        return [begatd("fortune", **ours), *others]

    def measure(self, server):
        return figures_of(self.generator.closed_loop(server.target, 16, self.seconds))


class Idle(Part):
    name, reference = "idle", "C loop, queued signals"
    title = "Rate and memory with idle connections held"
    about = ("Clients that were greeted and say nothing; beside them 16 that send a line, which ends their connection. Memory is "
             "that of the machine, for each held connection: its process and both ends of it; in brackets, what its process has for "
             "itself alone, page tables included. Interpreters hold 1,000 at most.")
    # Processes of interpreters: more of them than this might not fit into the memory.
    HEAVY, HEAVY_MOST = ("Perl", "Python"), 1000

    def servers(self):
        executed = [server for server in peers.executing("line", [LINE]) if server.label in ("tcpserver", "xinetd")]
        return [peers.c_loop("queued", "C loop, queued signals", "asked"), peers.c_loop("fork", "C fork loop", "asked"),
                begatd("command", **UNMET), peers.perl("asked"), peers.python("asked"),
                begatd("line", "begatd, executed program", exec=[LINE], **UNMET), *executed]

    def most(self, server):
        return self.HEAVY_MOST if server.label.startswith(self.HEAVY) else max(self.settings.held)

    def measure(self, server):
        figures, notes = {}, []
        for count in sorted(self.settings.held):
            if count > self.most(server):
                continue
            if not can_hold(count):
                notes.append(f"{count} not held: too few descriptors (ulimit -n)")
                continue
            with Held(server.target, count, [process.number for process in server.processes]) as held:
                report = self.generator.closed_loop(server.target, 16, self.seconds, send="quit")
                notes += [f"{count} held: {problem}" for problem in [problems(report)] if problem]
                if (there := held.still_there()) < count:
                    notes.append(f"{there} of {count} still held")
                figures[f"rate_{count}"] = report["rate"]
                if count:
                    figures |= {f"kib_{count}": held.kib / count, f"process_kib_{count}": held.process_kib}
        figures["rate"] = figures.get("rate_0")
        # The largest number says most about one of them.
        counts = [int(name[4:]) for name in figures if name.startswith("kib_")]
        if counts:
            figures |= {"kib": figures[f"kib_{max(counts)}"], "process_kib": figures[f"process_kib_{max(counts)}"]}
        return {**figures, "note": "; ".join(notes)}


class Datagrams(Part):
    name, reference = "datagrams", "C recvmmsg loop"
    title = "`time` over UDP, 16 clients"
    figure, unit = "rate", "answers per second"
    about = (f"Each client asks again when it has its answer, or has waited {PATIENCE} ms. xinetd throws away those datagrams that arrive while "
             "it answers another one: its clients wait.")

    def servers(self):
        never_met = "1000000/s"
        return [peers.c_loop("answer", "C recvmmsg loop"),
                begatd("time", datagrams=True, rate=never_met, rate_per_source=never_met), *peers.xinetd_datagrams()]

    def measure(self, server):
        report = self.generator.datagrams(server.target, 16, self.seconds, 4)
        return {**figures_of(report), "lost": 100 * report["lost"] / (report["ok"] + report["lost"])}


class Session(Part):
    name, reference = "session", "Perl (perlipc)"
    title = "One session of many commands"
    figure, unit = "rate", "commands per second"

    @property
    def about(self):
        return f"One client sends `date` {self.settings.commands} times without waiting and reads all answers."

    def servers(self):
        return [peers.perl("session"), begatd("command")]

    def measure(self, server):
        prompt, count = b"Command? ", self.settings.commands
        begun, prompts, rest = time.monotonic(), 0, b""
        with socket.create_connection(server.target, timeout=60) as client:
            sender = threading.Thread(target=client.sendall, args=(b"date\n" * count + b"quit\n",))
            sender.start()
            while part := client.recv(1 << 18):
                text = rest + part
                prompts += text.count(prompt)
                rest = text[-len(prompt) + 1:]
            sender.join()
        note = "" if prompts == count + 1 else f"{prompts} prompts instead of {count + 1}"
        return {"rate": count / (time.monotonic() - begun), "note": note}


class Start(Part):
    name, reference = "start", ""
    title = "Start of begatd to readiness"
    about = f"{SERVICES} services, from fork to the last line of `--ready-fd`."
    figure, unit = "milliseconds", "ms"

    def servers(self):
        spares = "default" if has_spares() else "none"
        return [Server("begatd", lambda folder: (None, []), "connections", "default", spares, "on")]

    def measure(self, server):
        services = {f"time{number}": {"serve": "time", "listen-stream": ["127.0.0.1:0"]} for number in range(SERVICES)}
        begun = time.monotonic()
        daemon = Daemon(services, self.settings.folder / self.name)
        try:
            daemon.targets(SERVICES)
            return {"milliseconds": (time.monotonic() - begun) * 1000}
        finally:
            daemon.process.end()


class Generators(Part):
    # Two pairs: the targets have the ratio of each.
    name, reference = "generators", ""
    title = "The load generators themselves"
    GENERATORS = {"limit/load": "c", "begat load": "begat"}
    LOOPS = {"": ("fork", 4), ", no fork": ("close", 0)}
    # They differ by less than a machine's speed does from one second to the next.
    SECONDS, LEAST_ROUNDS, QUICK_ROUNDS = 0.1, 40, 9

    def __init__(self, settings, generator, say):
        super().__init__(settings, generator, say)
        self.rounds = max(settings.rounds, self.QUICK_ROUNDS if settings.quick else self.LEAST_ROUNDS)
        self.seconds = self.SECONDS

    @property
    def about(self):
        return ("`begat load` and the one in plain C, in turn, against two C loops: one that forks and answers 4 bytes, and one "
                f"that only accepts and closes. 16 clients. {self.rounds} rounds of {self.seconds:g} s, whatever the other parts take: "
                "the median of so many ratios is within about 2 per cent, that of a few long ones within 10.")

    def servers(self):
        return [peers.c_loop(loop, label + suffix) for suffix, (loop, _) in self.LOOPS.items() for label in self.GENERATORS]

    def measure(self, server):
        label, comma, rest = server.label.partition(",")
        _, expect = self.LOOPS[comma + rest]
        return figures_of(Generator(self.GENERATORS[label]).closed_loop(server.target, 16, self.seconds, expect))


PARTS = {part.name: part for part in
         [Time, OneClient, Latency, Faults, Executed, UnixSocket, Fortune, Idle, Datagrams, Session, Start, Generators]}
