"""Clients that count their outcomes: a program, so that it can run in another network namespace.

usage: clients.py held TARGET COUNT        holds idle connections; asks each for a line at every line of standard input
       clients.py load CLIENTS TARGET...   asks without a pause until standard input ends
Prints JSON.  A target is KIND:ADDRESS; kinds: time (4 bytes), line (a line, then the end), echo, datagram (4 bytes).
"""

import collections
import json
import socket
import sys
import threading
import time

LIMIT = 10.0


def address(text):
    if text.startswith("/"):
        return socket.AF_UNIX, text
    host, port = text.rsplit(":", 1)
    host = host.strip("[]")
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))


def read_all(stream):
    parts = []
    while part := stream.recv(65536):
        parts.append(part)
    return b"".join(parts)


def ask(kind, place):
    """The outcome of one client: ok, or the name of the fault."""
    family, name = address(place)
    with socket.socket(family, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM) as client:
        client.settimeout(LIMIT)
        try:
            client.connect(name)
            if kind == "datagram":
                client.send(b"?")
                return "ok" if len(client.recv(100)) == 4 else "short"
            if kind == "echo":
                client.sendall(b"hello\n")
                client.shutdown(socket.SHUT_WR)
            answer = read_all(client)
        except ConnectionRefusedError:
            return "refused"
        except (ConnectionResetError, BrokenPipeError):
            return "reset"
        except FileNotFoundError:
            return "no path"
        except TimeoutError:
            return "late"
    if not answer:
        return "empty"
    whole = {"time": len(answer) == 4, "line": answer.endswith(b"\n"), "echo": answer == b"hello\n"}[kind]
    return "ok" if whole else "short"


def load(clients, targets):
    counts = [collections.defaultdict(collections.Counter) for _ in range(clients)]
    slowest = [0.0] * clients
    done = threading.Event()

    def work(index):
        kind, place = targets[index % len(targets)].split(":", 1)
        while not done.is_set():
            start = time.monotonic()
            counts[index][f"{kind}:{place}"][ask(kind, place)] += 1
            slowest[index] = max(slowest[index], time.monotonic() - start)

    threads = [threading.Thread(target=work, args=[index]) for index in range(clients)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    sys.stdin.read()
    done.set()
    for thread in threads:
        thread.join()
    total = collections.defaultdict(collections.Counter)
    for one in counts:
        for target, outcomes in one.items():
            total[target].update(outcomes)
    print(json.dumps({"seconds": time.monotonic() - start, "slowest": max(slowest), "targets": total}))


def hold(target, count):
    _, place = target.split(":", 1)
    family, name = address(place)
    held = []
    for _ in range(count):
        client = socket.socket(family, socket.SOCK_STREAM)
        client.settimeout(LIMIT)
        client.connect(name)
        held.append(client)
    print(json.dumps({"held": len(held)}), flush=True)
    for _ in sys.stdin:
        alive = 0
        for client in held:
            try:
                client.sendall(b"still here\n")
                alive += client.recv(100) == b"still here\n"
            except OSError:
                pass
        print(json.dumps({"alive": alive}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "load":
        load(int(sys.argv[2]), sys.argv[3:])
    else:
        hold(sys.argv[2], int(sys.argv[3]))
