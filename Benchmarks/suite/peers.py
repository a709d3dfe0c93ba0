"""Servers that begat is compared with: Debian's, unpacked beside the project, and plain loops in C, Perl and Python."""

import getpass
import shutil
import socket
import sys

from .load import LIMIT, ROOT
from .server import Process, Server, answers, free_port, wait_until

OWN = ROOT / "Benchmarks/peers"
# Debian's, whatever else is called python3.
PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable
# `make bench` unpacks their programs into these; the machine's own come last.
FOLDERS = [ROOT / ".build/bench/peers", ROOT / ".build/bench/inetd"]


def program(name):
    """The program's path, or None."""
    for folder in FOLDERS:
        if (folder / "bin" / name).exists():
            return str(folder / "bin" / name)
    return shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin")


def printing_its_place(label, *words, log):
    """A server that takes port 0 and prints "ready ADDRESS PORT"."""
    def begin(folder):
        process = Process(words, folder / log)
        return process.announced(), [process]
    return Server(label, begin)


def c_loop(name, label, *words, options=(), sandbox="none"):
    server = printing_its_place(label, LIMIT / name, *options, "127.0.0.1", 0, *words, log=f"{label.replace(' ', '-').replace('/', '-')}.log")
    server.settings["sandbox"] = sandbox
    return server


def perl(what, label="Perl (perlipc)", *words):
    return printing_its_place(label, "perl", OWN / "forking-server.pl", what, 0, *words, log=f"perl-{what}.log")


def python(what):
    return printing_its_place("Python ForkingTCPServer", PYTHON, OWN / "forking-server.py", what, 0,
                              log=f"python-{what}.log")


def at_a_free_port(label, words_for, log):
    """A server that is told its port; words_for takes the port and the folder for its files."""
    def begin(folder):
        port = free_port()
        process = Process(words_for(port, folder), folder / log)
        target = ("127.0.0.1", port)
        process.wait_until_it_accepts(target)
        return target, [process]
    return Server(label, begin)


XINETD = """defaults
{{
  log_type = FILE /dev/null
}}
service {name}
{{
  type = {type}
  id = {name}-measured
  socket_type = {socket}
  protocol = {protocol}
  wait = {wait}
  user = {user}
  {server}
  bind = 127.0.0.1
  port = {port}
  instances = UNLIMITED
  per_source = UNLIMITED
  cps = 1000000 1
}}
"""


def xinetd_words(port, folder, **values):
    configuration = folder / f"xinetd-{port}.conf"
    configuration.write_text(XINETD.format(port=port, user=getpass.getuser(), **values))
    return [program("xinetd"), "-dontfork", "-f", configuration, "-pidfile", folder / f"xinetd-{port}.pid"]


def xinetd_time():
    """Answered inside xinetd, without a process."""
    return [at_a_free_port("xinetd, internal, no process", lambda port, folder: xinetd_words(
        port, folder, name="time", type="INTERNAL UNLISTED", socket="stream", protocol="tcp", wait="no", server=""),
        "xinetd-time.log")] if program("xinetd") else []


def xinetd_datagrams():
    def begin(folder):
        port = free_port(socket.SOCK_DGRAM)
        process = Process(xinetd_words(port, folder, name="time", type="INTERNAL UNLISTED", socket="dgram",
                                       protocol="udp", wait="yes", server=""), folder / "xinetd-datagrams.log")
        wait_until("xinetd's first answer", lambda: answers(("127.0.0.1", port)))
        return ("127.0.0.1", port), [process]
    return [Server("xinetd, internal", begin)] if program("xinetd") else []


def executing(name, words, most=100_000):
    """Every peer that can execute that program for each connection over TCP."""
    target, *arguments = words

    def xinetd(port, folder):
        line = f"server = {target}" + (f"\n  server_args = {' '.join(arguments)}" if arguments else "")
        return xinetd_words(port, folder, name=name, type="UNLISTED", socket="stream", protocol="tcp", wait="no", server=line)

    def inetd(port, folder):
        line = f"127.0.0.1:{port} stream tcp nowait.1000000 {getpass.getuser()} {target} {' '.join([name, *arguments])}\n"
        (folder / f"inetd-{port}.conf").write_text(line)
        return [program("inetd"), "-i", "-R", 0, folder / f"inetd-{port}.conf"]

    def tcpserver(port, _):
        return [program("tcpserver"), "-q", "-H", "-R", "-l", 0, "-c", most, "-b", 4096, "127.0.0.1", port, *words]

    # s6-tcpserver itself would look for these two in /usr/bin.
    def s6_tcpserverd(port, _):
        return [program("s6-tcpserver-socketbinder"), "-b", 4096, "127.0.0.1", port,
                program("s6-tcpserverd"), "-c", most, "-C", most, *words]

    def socat(port, _):
        return [program("socat"), f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr,backlog=4096",
                f"EXEC:{' '.join(words)},nofork"]

    def ncat(port, _):
        return [program("ncat"), "-l", "-k", "-m", most, "--sh-exec", " ".join(words), "127.0.0.1", port]

    def activate(port, _):
        return [program("systemd-socket-activate"), "--accept", "--inetd", "-l", f"127.0.0.1:{port}", *words]

    peers = [("tcpserver", "tcpserver", tcpserver), ("s6-tcpserverd", "s6-tcpserverd", s6_tcpserverd),
             ("xinetd", "xinetd", xinetd), ("socat", "socat EXEC,nofork", socat), ("systemd-socket-activate", "systemd-socket-activate", activate),
             ("inetd", "openbsd-inetd", inetd), ("ncat", "ncat --sh-exec", ncat)]
    return [at_a_free_port(label, words_for, f"{name}-{command}.log") for command, label, words_for in peers
            if program(command)]


def s6_ipcserver(words):
    """s6 over a Unix socket: the two programs that s6-ipcserver would look for in /usr/bin."""
    def begin(folder):
        path = str(folder / "s6.socket")
        binder, server = program("s6-ipcserver-socketbinder"), program("s6-ipcserverd")
        process = Process([binder, "-b", 4096, path, server, "-c", 1000, "-C", 1000, *words], folder / "s6-ipcserverd.log")
        process.wait_until_it_accepts(path)
        return path, [process]
    return [Server("s6-ipcserverd", begin)] if program("s6-ipcserverd") else []
