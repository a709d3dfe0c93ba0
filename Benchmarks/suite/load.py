"""The load generators, behind one interface: no other file knows which of them is used.

A target is (HOST, PORT) or the path of a Unix socket.
"""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LIMIT = ROOT / "Benchmarks/limit"
BEGAT = os.environ.get("BEGAT", str(ROOT / ".build/release/begat"))

# A datagram without an answer for so many milliseconds is lost.
PATIENCE = 2
# Names in reports of percentiles, and the part of the connections that took no longer.
PERCENTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99_9": 0.999, "p99_99": 0.9999}


class LoadError(Exception):
    pass


def milliseconds(seconds):
    return f"{round(seconds * 1000)}ms"


def words_of(target):
    return [target] if isinstance(target, str) else [str(word) for word in target]


def report_of(words, wrapper=()):
    """The JSON object that a generator printed.  A generator ends with 1 where connections failed: the report says so."""
    run = subprocess.run([*wrapper, *map(str, words)], stdout=subprocess.PIPE, check=False)
    try:
        return json.loads(run.stdout)
    except json.JSONDecodeError:
        raise LoadError(f"{' '.join(map(str, words))} ended with {run.returncode} and no report") from None


def with_latencies(report, prefix):
    """The report with its percentiles, in microseconds, under "latencies": those that at least one connection is beyond."""
    count = report.get("connections", report.get("offered"))
    report["latencies"] = {name: report[prefix + name] for name, part in PERCENTILES.items()
                           if prefix + name in report and count * (1 - part) >= 1}
    return report


def begat_load(target, *options, begat=BEGAT, wrapper=()):
    """One run of begat load, with its options as they are."""
    report = report_of([begat, "load", *words_of(target), *options, "--json"], wrapper)
    return with_latencies(report, "latency_")


def problems(report):
    """The problems of a run in words, empty if there were none: a server that refuses is fast."""
    failed = report["connections"] - report["ok"]
    notes = [f"{failed} of {report['connections']} failed"] if failed else []
    if report.get("not_begun"):
        notes.append(f"{report['not_begun']} not begun")
    if report.get("held", 0) < report.get("held_wanted", 0):
        notes.append(f"{report['held']} of {report['held_wanted']} held")
    return ", ".join(notes)


class Generator:
    """begat load, or those in plain C: limit/load, which knows neither Unix sockets nor time-outs, and limit/flood."""

    def __init__(self, name):
        self.name = name

    def closed_loop(self, target, concurrency, seconds, expect=None, send=None):
        """CONCURRENCY clients that connect, read to the end and connect again.  The report has at least: connections, ok,
        rate (connections per second), latencies (microseconds) and generator_cpu (processors)."""
        if self.name == "c" and not isinstance(target, str):
            return self.c_loop(target, concurrency, seconds, expect, send and send + "\n")
        options = ["--concurrency", concurrency, "--duration", milliseconds(seconds)]
        if expect is not None:
            options += ["--expect-bytes", expect]
        if send is not None:
            options += ["--send", send]
        return begat_load(target, *options)

    def datagrams(self, target, concurrency, seconds, expect):
        """CONCURRENCY clients that ask, wait for the answer and ask again, also after PATIENCE without it: "lost" counts those."""
        if self.name == "c":
            return self.c_loop(target, concurrency, seconds, expect, None, "-u", "-t", PATIENCE)
        report = begat_load(target, "--udp", "--concurrency", concurrency, "--duration", milliseconds(seconds),
                            "--expect-bytes", expect, "--timeout", f"{PATIENCE}ms")
        return {**report, "connections": report["connections"] - report["timed_out"], "lost": report["timed_out"]}

    def open_loop(self, target, rate, seconds, expect):
        """Connections that begin at a rate, whatever becomes of those before.  The report is that of the closed loop."""
        if self.name == "c":
            report = OpenLoop(target, "127.0.0.1", rate, seconds).report()
            return {**report, "connections": report["offered"], "ok": report["served"]}
        return begat_load(target, "--rate", rate, "--duration", milliseconds(seconds), "--expect-bytes", expect)

    @staticmethod
    def c_loop(target, concurrency, seconds, expect, send, *options):
        options = [*options, *(["-e", expect] if expect is not None else []), *(["-s", send] if send is not None else [])]
        return with_latencies(report_of([LIMIT / "load", *options, *words_of(target), concurrency, seconds]), "latency_")


class OpenLoop:
    """Connections that begin at a steady rate, whatever becomes of those before: limit/flood, which explains the report."""

    def __init__(self, target, source, rate, seconds):
        self.words = [str(LIMIT / "flood"), *words_of(target), source, str(rate), str(seconds)]
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, text=True)

    def report(self):
        output, _ = self.process.communicate()
        if self.process.returncode != 0:
            raise LoadError(f"{' '.join(self.words)} ended with {self.process.returncode}")
        return with_latencies(json.loads(output), "")
