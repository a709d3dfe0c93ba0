"""The commands that are run, each with what it prints where all is well."""
import dataclasses
import itertools
import os
import random
import subprocess

numbers = itertools.count(random.randrange(1_000_000, 2_000_000_000))


@dataclasses.dataclass
class Command:
    name: str
    """With FILE for a file that holds a line, NEW for the name of one to be made, and KEY for a System V key."""
    words: list
    """A regular expression for what it prints; none where it prints nothing."""
    output: bytes = b""
    input: bytes = b""
    """Commands of a shell before it."""
    before: str = ""
    has_files: bool = False
    takes_many: bool = False
    """Whether a failure has no words of its own: those are another program's."""
    is_silent: bool = False
    services: object = None
    keys: list = dataclasses.field(default_factory=list)

    def words_in(self, place, circumstance):
        strange = circumstance.name == "no-UTF-8"
        name = b"name\xff" if strange else b"name"
        with open(os.path.join(os.fsencode(place), name), "wb") as file:
            file.write(b"line\n")
        key = str(next(numbers))
        self.keys.append(key)
        meanings = {b"FILE": b"./" + name, b"NEW": b"./new" + name, b"KEY": key.encode()}
        words = [os.fsencode(word) for word in self.words]
        for short, meaning in meanings.items():
            words = [word.replace(short, meaning) for word in words]
        if circumstance.name == "10,000-words":
            words += words[-1:] * 9_999
        if self.before:
            script = self.before.replace("KEY", key).replace("BEGAT", self.services.begat)
            subprocess.run(["sh", "-c", script], check=True, stdout=subprocess.DEVNULL, cwd=place)
        return [self.services.begat.encode()] + words

    def clean(self):
        for key in self.keys:
            if "KEY" in " ".join(self.words):
                subprocess.run(["ipcrm", "-S", key, "-M", key], stderr=subprocess.DEVNULL)


def commands(services):
    echo = services.address("echo").rsplit(":", 1)
    sleeper = str(services.sleeper.pid)
    config = str(services.configuration)
    status = services.address("status")
    rows = [
        Command("--help", ["--help"], b"OVERVIEW"),
        Command("--version", ["--version"], b"begat "),
        Command("wrong command line", ["run", "--bogus"]),
        Command("alive", ["alive", sleeper], b"alive", takes_many=True),
        Command("cat", ["cat", "FILE"], b"line", has_files=True, takes_many=True),
        Command("cat -", ["cat", "-"], b"typed", b"typed\n"),
        Command("cat command", ["cat", "echo printed |"], b"printed"),
        Command("check", ["check", "--config", config], b"daytime"),
        Command("connect", ["connect", *echo], b"typed", b"typed\n"),
        Command("connect --receive-only", ["connect", "--receive-only", *services.address("daytime").rsplit(":", 1)], b"20"),
        Command("connect --udp", ["connect", "--udp", "--linger", "5s", *services.address("daytime", 1).rsplit(":", 1)],
                b"20"),
        Command("daytime", ["daytime", services.address("daytime")], b"20"),
        Command("export", ["export", "haproxy", "--config", str(services.balanced), "--servers", "m1=192.0.2.1"],
                b"backend"),
        Command("get", ["get", status, "/healthz"], b""),
        Command("get -o", ["get", "-o", "NEW", status, "/healthz"], has_files=True),
        Command("interact", ["interact", "--no-input", "--", "echo", "printed"], b"printed"),
        Command("interact typed", ["interact", "--no-echo", "--", "cat"], b"typed", b"typed\n"),
        Command("interact --log", ["interact", "--no-input", "--log", "NEW", "true"], has_files=True),
        Command("pipe", ["pipe", "--no-input", "--", "echo", "printed"], b"printed"),
        Command("pipe typed", ["pipe", "--", "cat"], b"typed", b"typed\n"),
        Command("pipe --errors", ["pipe", "--no-input", "--errors", "NEW", "true"], has_files=True),
        Command("ps", ["ps"], b"SERVICE|ID"),
        Command("reload --dry-run", ["reload", "--dry-run"], b""),
        Command("resume", ["resume", "echo"], b""),
        Command("run", ["run", "echo", "printed"], b"printed", takes_many=True),
        Command("run reads", ["run", "cat"], b"typed", b"typed\n"),
        Command("run a file", ["run", "cat", "FILE"], b"line", has_files=True),
        Command("run | run", ["run", "echo", "printed", "|", "cat"], b"printed"),
        Command("run --timeout", ["run", "--timeout", "30s", "echo", "printed"], b"printed", takes_many=True),
        Command("run --timeout, late", ["run", "--timeout", "100ms", "-k", "30s", "sleep", "600"]),
        Command("run --max-output", ["run", "--max-output", "1K", "echo", "printed"], b"printed"),
        Command("run --max-output, more", ["run", "--max-output", "4", "echo", "printed"], b"prin"),
        Command("sem create", ["sem", "create", "KEY"], b"[0-9]"),
        Command("sem take", ["sem", "take", "KEY", "echo", "printed"], b"printed", takes_many=True),
        Command("sem take, no command", ["sem", "take", "KEY"]),
        Command("sem give", ["sem", "give", "KEY"], before="BEGAT sem take KEY"),
        Command("sem show", ["sem", "show", "KEY"], b"VALUE", before="BEGAT sem create KEY"),
        Command("sem show a file's", ["sem", "show", "FILE"], has_files=True),
        Command("sem list", ["sem", "list"], b"ID"),
        Command("sem remove", ["sem", "remove", "KEY"], before="BEGAT sem create KEY"),
        Command("shm create", ["shm", "create", "--key", "KEY", "100"], b"[0-9]"),
        Command("shm write", ["shm", "write", "--key", "KEY"], b"", b"typed", before="BEGAT shm create --key KEY 100"),
        Command("shm read", ["shm", "read", "--key", "KEY", "--count", "5"], b"typed",
                before="BEGAT shm create --key KEY 100; printf typed | BEGAT shm write --key KEY"),
        Command("shm show", ["shm", "show", "--key", "KEY"], b"BYTES", before="BEGAT shm create --key KEY 100"),
        Command("shm list", ["shm", "list"], b"ID"),
        Command("shm remove", ["shm", "remove", "--key", "KEY"], before="BEGAT shm create --key KEY 100"),
        Command("signal", ["signal", "CONT", sleeper], takes_many=True),
        Command("signal, none", ["signal", "CONT", "999999999"]),
        Command("signals", ["signals", "TERM"], b"TERM", takes_many=True),
        Command("signature, no command", ["signature", "--fifo", "NEW", "/nonexistent"], has_files=True),
        Command("status", ["status"], b"echo"),
        Command("status --check", ["status", "--check"], b"ready"),
        Command("status --prometheus", ["status", "--prometheus"], b"begat_up 1"),
        Command("time", ["time", services.address("time")], b"SECONDS"),
        Command("top", ["top"], b"echo"),
    ]
    for row in rows:
        row.services = services
    return rows
