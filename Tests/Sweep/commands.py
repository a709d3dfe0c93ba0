"""The commands that are run, each with what it prints where all is well."""
import dataclasses
import os
import random
import subprocess

from services import Services

random_numbers = random.SystemRandom()


@dataclasses.dataclass
class Command:
    name: str
    """With FILE for a file that holds a line, NEW for the name of one to be made, KEY for a System V key and NETWORK for
    one that no other command names."""
    words: list
    """A regular expression for what it prints; none where it prints nothing."""
    output: bytes = b""
    input: bytes = b""
    """Commands of a shell before it."""
    before: str = ""
    has_files: bool = False
    takes_many: bool = False
    """Whether it has a begatd to itself, because it ends or replaces it."""
    has_own_daemon: bool = False
    services: object = None

    def run_in(self, place, circumstance):
        """Its result there; what it made is removed."""
        if self.has_own_daemon:
            with Services(self.services.programs) as own:
                return self.run_with(own, place, circumstance)
        return self.run_with(self.services, place, circumstance)

    def run_with(self, services, place, circumstance):
        strange = circumstance.name == "no-UTF-8"
        name = b"name\xff" if strange else b"name"
        with open(os.path.join(os.fsencode(place), name), "wb") as file:
            file.write(b"line\n")
        key = str(random_numbers.randrange(1_000_000, 2_000_000_000))
        network = "10.%d.%d.%d" % tuple(random_numbers.randbytes(3))
        meanings = {b"FILE": b"./" + name, b"NEW": b"./new" + name, b"KEY": key.encode(), b"NETWORK": network.encode()}
        words = [os.fsencode(word) for word in self.words]
        for short, meaning in meanings.items():
            words = [word.replace(short, meaning) for word in words]
        if circumstance.name == "10,000-words":
            words += words[-1:] * 9_999
        try:
            if self.before:
                script = self.before.replace("KEY", key).replace("NETWORK", network).replace("BEGAT", services.begat)
                subprocess.run(
                    ["sh", "-c", script], check=True, stdout=subprocess.DEVNULL, cwd=place, env=services.environment)
            return circumstance.run([services.begat.encode()] + words, self.input, services, place)
        finally:
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
        Command("allow", ["allow", "NETWORK"], b"10[.]", before="BEGAT deny NETWORK"),
        Command("cat", ["cat", "FILE"], b"line", has_files=True, takes_many=True),
        Command("cat -", ["cat", "-"], b"typed", b"typed\n"),
        Command("cat command", ["cat", "echo printed |"], b"printed"),
        Command("check", ["check", "--config", config], b"daytime"),
        Command("connect", ["connect", *echo], b"typed", b"typed\n"),
        Command("connect --receive-only", ["connect", "--receive-only", *services.address("daytime").rsplit(":", 1)], b"20"),
        Command("connect --udp", ["connect", "--udp", "--linger", "5s", *services.address("daytime", 1).rsplit(":", 1)],
                b"20"),
        Command("daytime", ["daytime", services.address("daytime")], b"20"),
        Command("deny", ["deny", "--for", "1h", "NETWORK"], b"10[.]"),
        Command("drain", ["drain", "drained"], b"drained", takes_many=True),
        Command("end", ["end", "--service", "drained"], b""),
        Command("end, none", ["end", "999999999"], takes_many=True),
        Command("export", ["export", "haproxy", "--config", str(services.balanced), "--servers", "m1=192.0.2.1"],
                b"backend"),
        Command("get", ["get", status, "/healthz"], b""),
        Command("get -o", ["get", "-o", "NEW", status, "/healthz"], has_files=True),
        Command("interact", ["interact", "--no-input", "--", "echo", "printed"], b"printed"),
        Command("interact typed", ["interact", "--no-echo", "--", "cat"], b"typed", b"typed\n"),
        Command("interact --log", ["interact", "--no-input", "--log", "NEW", "true"], has_files=True),
        Command("help", ["help", "run"], b"USAGE"),
        Command("load", ["load", "--connections", "3", *services.address("daytime").rsplit(":", 1)], b"3 ok"),
        Command("load --json", ["load", "--json", "--connections", "3", *services.address("daytime").rsplit(":", 1)],
                b"\"ok\":3"),
        Command("pipe", ["pipe", "--no-input", "--", "echo", "printed"], b"printed"),
        Command("pipe typed", ["pipe", "--", "cat"], b"typed", b"typed\n"),
        Command("pipe --errors", ["pipe", "--no-input", "--errors", "NEW", "true"], has_files=True),
        Command("ps", ["ps"], b"SERVICE|ID"),
        Command("reload --dry-run", ["reload", "--dry-run"], b""),
        Command("resume", ["resume", "echo"], b"", takes_many=True),
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
        Command("status --check", ["status", "--check", "echo"], b"ready"),
        Command("status --prometheus", ["status", "--prometheus"], b"begat_up 1"),
        Command("stop", ["stop"], b"", has_own_daemon=True),
        Command("time", ["time", services.address("time")], b"SECONDS"),
        Command("top", ["top"], b"echo"),
        Command("upgrade", ["upgrade"], b"", has_own_daemon=True),
    ]
    for row in rows:
        row.services = services
    return rows
