"""Services behind a balancer, with the machines, networks and clients that a test needs."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys

from machines import Begatd, HAProxy, Nginx
from network import Failure, Network, read

HERE = pathlib.Path(__file__).resolve().parent
FLOOD = HERE.parent.parent / "Benchmarks/limit/flood"

# The balancer connects to the machines from these networks; the clients are in others.
TRUSTED = '["10.1.0.0/16", "fd00:1::/32"]'
PROXY_TIMEOUT = 2.0
# The rate-per-source of `limited`. The burst makes up for a second in which this machine is busy with something else.
RATE, BURST = 100, 100

CONFIGURATION = f"""
[daemon]
drain-timeout = "10s"
announce-time = "2s"

[defaults]
max-connections = 1000
max-connections-per-source = 1000

[service.time]
serve = "time"
listen-stream = ["37"]
proxy-from = {TRUSTED}
proxy-timeout = "{PROXY_TIMEOUT:g}s"
log = "problems"

[service.echo]
serve = "echo"
listen-stream = ["7"]
proxy-from = {TRUSTED}
proxy-timeout = "{PROXY_TIMEOUT:g}s"
deny = ["10.64.0.66"]

[service.variables]
exec = ["/usr/bin/env"]
environment = {{ MACHINE = "@MACHINE@" }}
listen-stream = ["1001"]
proxy-from = {TRUSTED}

[service.files]
serve = "echo"
listen-stream = ["@begat-files"]
proxy-from = ["unix:*"]
proxy-timeout = "{PROXY_TIMEOUT:g}s"

[service.limited]
serve = "time"
listen-stream = ["1002"]
proxy-from = {TRUSTED}
rate-per-source = "{RATE}/s burst {BURST}"
log = "problems"

[service.plain]
serve = "time"
listen-stream = ["1003"]

[service.agent]
serve = "haproxy-agent"
listen-stream = ["9346"]
allow = {TRUSTED}
log = "none"
"""


class Scene:
    def __init__(self, programs, peers, place):
        self.programs, self.peers, self.place = programs, peers, place
        self._build()

    def _build(self):
        self.network = Network()
        self.client, self.balancer = self.network.client, self.network.balancer
        self._begin()

    def _begin(self):
        self.machines = [Begatd(machine, self.programs, self.place) for machine in self.network.machines]
        self.haproxy = HAProxy(self.balancer, self.peers, self.place)
        self.nginx = Nginx(self.balancer, self.peers, self.place)

    # Machines and balancers

    def start_machines(self, machines=None, configuration=CONFIGURATION):
        for machine in machines or self.machines:
            machine.configure(configuration.replace("@MACHINE@", machine.namespace.name))
            machine.start()

    def export(self, *options, family=4, machines=None):
        """The configuration of HAProxy for the machines, by `begat export`."""
        done = self.balancer.try_run(
            self.programs / "begat", "export", "haproxy", "--config", self.machines[0].configuration,
            "--servers", self.network.addresses(family, len(machines or self.machines)), *options)
        if done.returncode != 0:
            raise Failure(f"begat export: status {done.returncode}: {done.stderr}")
        return done.stdout

    def start(self, configuration=CONFIGURATION, family=4, machines=None):
        """Machines, and HAProxy in front with every server up."""
        self.start_machines(machines, configuration)
        self.haproxy.start(self.export(family=family, machines=machines))
        for number in range(1, len(machines or self.machines) + 1):
            self.haproxy.await_state("begat-time", f"m{number}", "UP")

    def reset(self):
        """Ends all processes in these namespaces except those that hold the networks."""
        held = {1, os.getpid(), *(namespace.holder.pid for namespace in self.network.namespaces)}
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) not in held:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(name), signal.SIGKILL)
        for process in [self.haproxy.process, self.nginx.process, *(machine.process for machine in self.machines)]:
            if process:
                process.wait()
        # The first process of the namespace inherits the children of those that ended.
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        for log in [self.haproxy.log, *(machine.log for machine in self.machines)]:
            log.unlink(missing_ok=True)
        self._begin()

    def renew(self):
        """Ends all processes and builds the networks anew, so that no socket is left in them."""
        self.reset()
        for namespace in self.network.namespaces:
            namespace.holder.kill()
            namespace.holder.wait()
        self._build()

    def logs(self):
        """The end of each log, for a test that failed."""
        text = ""
        for log in [self.haproxy.log, *(machine.log for machine in self.machines)]:
            if log.exists():
                text += f"--- {log}\n{read(log)[-1500:]}"
        return text

    # Clients

    def speak(self, place, port, *steps, at=None, source=None, limit=10.0):
        """One connection from a namespace; see speak.py for the steps and the answer."""
        request = {"place": place, "port": port, "steps": list(steps), "source": source, "limit": limit}
        return self.speak_all([request], at or self.client)[0]

    @staticmethod
    def speak_all(requests, at):
        """Connections one after the other, from one process."""
        limit = sum(request["limit"] for request in requests) + 30
        done = at.try_run(sys.executable, "-ISB", HERE / "speak.py", json.dumps(requests), limit=limit)
        if done.returncode != 0:
            raise Failure(f"speak.py: {done.stderr}")
        return json.loads(done.stdout)

    def asked(self, port, *steps, source=None, family=4, limit=10.0):
        """One client of the balancer; returns the bytes that it received to the end."""
        answer = self.speak(self.network.balancer_address(family), port, *steps, source=source, limit=limit)
        if answer["outcome"] != "end":
            raise Failure(f"port {port} from {source}: {answer}")
        return bytes.fromhex(answer["received"])

    def flood(self, port, source, rate, seconds, place=None, expect=4, at=None):
        """Starts clients that connect at a rate; `report` ends them."""
        return (at or self.client).start(
            FLOOD, place or self.network.balancer_address(), port, source, rate, seconds, expect,
            stdout=subprocess.PIPE, text=True)

    @staticmethod
    def report(flood, now=False):
        """The results of a flood; with `now`, no more clients connect from here on."""
        if now:
            flood.terminate()
        output, _ = flood.communicate(timeout=600)
        if flood.returncode != 0:
            raise Failure(f"flood ended with {flood.returncode}")
        return json.loads(output)


def require_all_served(report):
    """Requires that no client was refused, cut off or left waiting."""
    if report["served"] != report["offered"] or report["short"] or not report["offered"]:
        raise Failure(f"clients: {report}")


def allowed(report):
    """The number of clients of one source that `limited` admits during a flood."""
    return RATE * report["offered"] / report["rate"] + BURST


def placement(scene, sources):
    """The machine that serves each of the sources."""
    place = scene.network.balancer_address()
    answers = scene.speak_all(
        [{"place": place, "port": 1001, "steps": [], "source": source, "limit": 10.0} for source in sources], scene.client)
    return {source: variables(bytes.fromhex(answer["received"]))["MACHINE"] for source, answer in zip(sources, answers)}


def variables(output):
    """The lines of env(1) as a dictionary."""
    return dict(line.split("=", 1) for line in output.decode(errors="replace").splitlines() if "=" in line)
