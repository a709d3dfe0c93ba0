"""The circumstances in which commands are run."""
import dataclasses
import fcntl
import os
import signal
import subprocess
import threading
import time

# Seconds.
LIMIT = 60
TIMED_OUT = 1000


@dataclasses.dataclass
class Result:
    status: int
    output: bytes
    errors: bytes


def is_idle(pid):
    """Whether a process and all that it has started sleep, or have ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            if file.read().rsplit(")", 1)[1].split()[0] not in "SZ":
                return False
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return all(is_idle(child) for child in file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        return True


class Circumstance:
    """As usual: pipes for all three streams."""
    shows_output = True
    shows_errors = True
    variables = {}
    without = ()
    prefix = ()

    def __init__(self, name):
        self.name = name

    def suits(self, command):
        return True

    def prepare(self):
        """In the child, before the program."""

    def environment(self, services):
        variables = dict(services.environment, **self.variables)
        return {name: value for name, value in variables.items() if name not in self.without}

    def output(self):
        """The descriptor for standard output, and the one to read from; None for a pipe as usual."""
        return None

    def shown(self, output):
        """The command's part of what came from the descriptor."""
        return output

    def run(self, words, input, services, place):
        output = self.output()
        process = subprocess.Popen(
            list(self.prefix) + words, stdin=subprocess.PIPE, stdout=output[0] if output else subprocess.PIPE,
            stderr=subprocess.PIPE, env=self.environment(services), cwd=place, preexec_fn=self.prepare,
            start_new_session=True)
        if output and output[0] > 2:
            os.close(output[0])
        parts = []

        def read_slowly():
            # Not before the command waits for room, or has ended; a program that tries again and again does neither.
            end = time.monotonic() + 5
            while time.monotonic() < end and not is_idle(process.pid):
                time.sleep(0.01)
            while part := os.read(output[1], 4096):
                parts.append(part)

        reader = None
        if output and output[1] is not None:
            reader = threading.Thread(target=read_slowly)
            reader.start()
        try:
            shown, errors = process.communicate(input, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            # With all that it has started, which has the pipes open.
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if reader:
                reader.join()
                os.close(output[1])
            return Result(TIMED_OUT, b"", b"")
        if reader:
            reader.join()
            os.close(output[1])
        return Result(process.returncode, shown if shown is not None else self.shown(b"".join(parts)), errors)


class Prepared(Circumstance):
    def __init__(self, name, prepare, shows_output=True, shows_errors=True):
        super().__init__(name)
        self.prepare = prepare
        self.shows_output = shows_output
        self.shows_errors = shows_errors


class Full(Circumstance):
    shows_output = False

    def output(self):
        return os.open("/dev/full", os.O_WRONLY | os.O_CLOEXEC), None


class NonBlocking(Circumstance):
    """A pipe that is full, whose writing end another process has made non-blocking, and whose reader is slow."""
    SIZE = 4096

    def suits(self, command):
        # A program that reads first sleeps before it writes: it may find room or none.
        return command.name != "run reads"

    def output(self):
        read, write = os.pipe2(os.O_CLOEXEC)
        fcntl.fcntl(write, 1031, self.SIZE)  # F_SETPIPE_SZ
        os.write(write, b"-" * self.SIZE)
        os.set_blocking(write, False)
        return write, read

    def shown(self, output):
        return output[self.SIZE:]


class ReaderGone(Circumstance):
    shows_output = False

    def __init__(self, name, ignoring=()):
        super().__init__(name)
        self.ignoring = ignoring

    def prepare(self):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN if signal.SIGPIPE in self.ignoring else signal.SIG_DFL)

    def output(self):
        read, write = os.pipe2(os.O_CLOEXEC)
        os.close(read)
        return write, None


class Variables(Circumstance):
    def __init__(self, name, without=(), **variables):
        super().__init__(name)
        self.variables = variables
        self.without = without


class WithoutProc(Circumstance):
    """No command starts there, for one reason."""
    prefix = ("unshare", "--mount", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh")

    def suits(self, command):
        return os.geteuid() == 0 and command.name == "run"


class StrangeNames(Circumstance):
    """Files whose names are not UTF-8."""

    def suits(self, command):
        return command.has_files


class ManyWords(Circumstance):
    """The last word 10,000 times."""

    def suits(self, command):
        return command.takes_many


CIRCUMSTANCES = [
    Circumstance("usual"),
    Prepared("closed-0", lambda: os.close(0)),
    Prepared("closed-1", lambda: os.close(1), shows_output=False),
    Prepared("closed-2", lambda: os.close(2), shows_errors=False),
    Full("full"),
    NonBlocking("non-blocking"),
    ReaderGone("reader-gone"),
    Prepared("SIGCHLD-ignored", lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)),
    ReaderGone("SIGPIPE-ignored", (signal.SIGPIPE,)),
    WithoutProc("no-proc"),
    Variables("no-TERM", without=("TERM",)),
    Variables("no-HOME", without=("HOME",)),
    Variables("LANG=C", LC_ALL="C"),
    Variables("LANG=UTF-8", LC_ALL="C.UTF-8"),
    StrangeNames("no-UTF-8"),
    ManyWords("10,000-words"),
]
