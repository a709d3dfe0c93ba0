"""A machine with a real systemd as its first process, in a container that leaves nothing behind.

Its /usr is this machine's, with systemd's packages and begat laid over it; all else is made anew, in memory.  Mounts belong
to the mount namespace of the caller, who has one of its own.
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Support"))
from waiting import Failure, wait_for


class NoSystemd(Failure):
    """No systemd runs here, whatever its units are."""


class Machine:
    """One boot; the files stay until the mount namespace ends."""

    ETC = ["passwd", "group", "nsswitch.conf", "services", "protocols", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
           "pam.d", "security", "dbus-1", "login.defs", "alternatives"]

    def __init__(self, place, tree, peers):
        """place: an empty directory; tree: begat, installed below it; peers: unpacked packages of Debian."""
        self.nspawn = shutil.which("systemd-nspawn") or str(peers / "root/usr/bin/systemd-nspawn")
        self.libraries = ":".join(sorted({str(file.parent) for file in peers.glob("root/usr/lib/**/*.so*")}))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1g,mode=755", "tmpfs", place], check=True)
        self.root = place / "root"
        for name in ["usr", "etc/systemd/system", "var/log/journal", "run", "tmp", "proc", "sys", "dev", "root", "home"]:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for name in ["bin", "sbin", "lib", "lib64"]:
            (self.root / name).symlink_to(f"usr/{name}")
        self._lay_usr(place, tree, peers)
        for name in self.ETC:
            source = pathlib.Path("/etc", name)
            if source.is_dir():
                shutil.copytree(source, self.root / "etc" / name, symlinks=True)
            elif source.exists():
                shutil.copy(source, self.root / "etc" / name)
        shutil.copytree(tree / "etc", self.root / "etc", dirs_exist_ok=True)
        (self.root / "etc/machine-id").write_text("4d3b5c8d0e6f4f1b9a7b0c1d2e3f4a5b\n")
        (self.root / "etc/hostname").write_text("machine\n")
        self.console = None
        self.process = None
        self.leader = 0
        self.answers = False

    def _lay_usr(self, place, tree, peers):
        """Packages may have files in /lib, which is a link on merged systems."""
        layers = [tree / "usr"]
        unmerged = place / "unmerged"
        for name in ["bin", "sbin", "lib"]:
            if (peers / "root" / name).is_dir():
                shutil.copytree(peers / "root" / name, unmerged / name, symlinks=True)
        if unmerged.exists():
            layers.append(unmerged)
        if (peers / "root/usr").is_dir():
            layers.append(peers / "root/usr")
        layers.append("/usr")
        upper, work = place / "upper", place / "work"
        upper.mkdir()
        work.mkdir()
        options = f"lowerdir={':'.join(map(str, layers))},upperdir={upper},workdir={work}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.root / "usr"], check=True)

    # Booting

    def boot(self, target="multi-user.target"):
        """Boots, and returns when the target is reached."""
        # The number of an earlier boot may belong to another process by now.
        self.leader = 0
        self.answers = False
        self.console = open(self.root.parent / "console", "ab")
        environment = dict(os.environ, LD_LIBRARY_PATH=self.libraries) if self.libraries else None
        self.process = subprocess.Popen(
            [self.nspawn, "-q", "-D", self.root, f"--machine=begat-{os.getpid()}", "--register=no", "--keep-unit",
             "--private-network", "--console=pipe",
             # systemd-nspawn 252 has a filter of its own, without these.
             "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self", "-b",
             f"systemd.unit={target}"],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console, env=environment)
        try:
            self.leader = int(wait_for("the first process", self._find_leader))
            wait_for("a booted machine", self._is_booted, 60)
        except Failure as failure:
            self.kill()
            text = (self.root.parent / "console").read_text(errors="replace")[-4000:]
            raise (Failure if self.answers else NoSystemd)(f"{failure}\n{text}") from None

    def _find_leader(self):
        if self.process.poll() is not None:
            raise Failure(f"systemd-nspawn has ended with status {self.process.returncode}")
        with contextlib.suppress(OSError):
            for child in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
                if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                    return child
        return None

    def _is_booted(self):
        if self.process.poll() is not None:
            raise Failure(f"systemd-nspawn has ended with status {self.process.returncode}")
        state = self.try_run("systemctl", "is-system-running").stdout.strip()
        # From its first answer on, a boot that is not finished is the units' fault.
        self.answers = self.answers or state not in ("", "offline", "unknown")
        return state in ("running", "degraded")

    def power_off(self, limit=60.0):
        """Returns how long it took, in seconds."""
        start = time.monotonic()
        self.try_run("systemctl", "poweroff")
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"the machine does not power off within {limit:g} s") from None
        finally:
            self.console.close()
        return time.monotonic() - start

    def kill(self):
        """Kills the machine's first process, and so all others; killing systemd-nspawn would leave them."""
        if not self.process or self.process.poll() is not None:
            return
        leader = self.leader or int(self._find_leader() or 0)
        if leader > 1:
            os.kill(leader, signal.SIGKILL)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    # Inside

    def inside(self, *command):
        """A command that runs another one inside."""
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--", *map(str, command)]

    def with_network(self, *command):
        """A command that runs a program of the host in the machine's network."""
        return ["nsenter", "-t", str(self.leader), "-n", "--", *map(str, command)]

    def try_run(self, *command, limit=60):
        return subprocess.run(
            self.inside(*command), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=limit, check=False)

    def run(self, *command, limit=60):
        """Returns the output of a command that must succeed."""
        done = self.try_run(*command, limit=limit)
        if done.returncode != 0:
            raise Failure(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def path(self, inside):
        """The path of a file that is inside."""
        return pathlib.Path(f"/proc/{self.leader}/root") / inside.lstrip("/")

    def write(self, inside, text):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    # systemd

    def property(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit).strip()

    def main_process(self, unit="begatd.service"):
        """The number that the main process has inside; never 0, which would mean every process to kill(1)."""
        number = int(self.property(unit, "MainPID"))
        if number == 0:
            raise Failure(f"{unit} has no main process")
        return number

    def configure(self, unit, name, *lines):
        """Adds a drop-in; the next `reset` removes it."""
        self.write(f"/etc/systemd/system/{unit}.d/{name}.conf", "\n".join(lines) + "\n")
        self.run("systemctl", "daemon-reload")

    def reset(self, unit):
        """Stops a unit and removes its drop-ins."""
        self.try_run("systemctl", "stop", unit)
        shutil.rmtree(self.path(f"/etc/systemd/system/{unit}.d"), ignore_errors=True)
        self.run("systemctl", "daemon-reload")
        self.try_run("systemctl", "reset-failed", unit)

    def journal(self, *arguments):
        return self.run("journalctl", "--no-pager", "-q", *arguments)

    def now(self):
        """This moment, for a later `journal("--since", …)`: with matches, --after-cursor of systemd 252 skips an entry."""
        self.run("journalctl", "--sync")
        return f"@{time.time():.6f}"
