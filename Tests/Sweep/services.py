"""A begatd of its own for the commands that speak to one, and a process for those that signal one."""
import os
import pathlib
import shutil
import subprocess
import tempfile

CONFIGURATION = """
[daemon]
log-target = "stderr"
[defaults]
max-connections-per-source = 1000
[service.echo]
serve = "echo"
listen-stream = ["127.0.0.1:0"]
[service.daytime]
serve = "daytime"
listen-stream = ["127.0.0.1:0"]
listen-datagram = ["127.0.0.1:0"]
rate-per-source = "10000/s"
[service.time]
serve = "time"
listen-stream = ["127.0.0.1:0"]
[service.drained]
serve = "echo"
listen-stream = ["127.0.0.1:0"]
[service.status]
serve = "status"
listen-stream = ["127.0.0.1:0"]
"""


class Services:
    def __init__(self, programs):
        self.programs = programs
        self.begat = str(programs / "begat")
        self.begatd = str(programs / "begatd")

    def __enter__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="begat-sweep-"))
        self.processes = []
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        self.place.chmod(0o755)
        self.configuration = self.place / "begatd.toml"
        self.configuration.write_text(CONFIGURATION)
        self.balanced = self.place / "balanced.toml"
        self.balanced.write_text('[service.echo]\nserve = "echo"\nlisten-stream = ["10007"]\n')
        for name in ("run", "state"):
            (self.place / name).mkdir()
        self.environment = dict(
            os.environ, RUNTIME_DIRECTORY=str(self.place / "run"), STATE_DIRECTORY=str(self.place / "state"),
            TERM="dumb", HOME=str(self.place))
        read, write = os.pipe()
        with open(self.place / "log", "w") as log:
            self.processes.append(subprocess.Popen(
                [self.begatd, "--config", str(self.configuration), "--ready-fd", str(write)], pass_fds=[write],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=self.environment))
        os.close(write)
        self.addresses = {}
        with os.fdopen(read) as ready:
            for line in ready:
                name, address = line.split()[:2]
                self.addresses.setdefault(name, []).append(address)
        if not self.addresses:
            raise SystemExit(f"begatd did not start: {(self.place / 'log').read_text()}")
        self.sleeper = subprocess.Popen(["sleep", "600"])
        self.processes.append(self.sleeper)

    def __exit__(self, *reason):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(60)
        shutil.rmtree(self.place)

    def address(self, name, place=0):
        return self.addresses[name][place]
