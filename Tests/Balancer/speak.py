"""Connections that take given steps, one after the other: a program, so that it can run in another network namespace.

usage: speak.py JSON

The argument is a list of objects, each with place (an address, a /path or an @name), port, source (an address or null),
limit (the maximum of seconds for each step) and steps:
  {"send": HEX}, {"pause": SECONDS}, {"shutdown": true}, {"receive": COUNT}
Afterwards each reads to the end.  Prints a list of objects: outcome (end, reset, refused or late), received in
hexadecimal, the seconds until the end, and the client's own address.
"""

import errno
import json
import socket
import sys
import time


def perform(client, steps, received):
    """Takes the steps, and reads to the end; extends received."""
    for step in steps:
        if "send" in step:
            client.sendall(bytes.fromhex(step["send"]))
        elif "pause" in step:
            time.sleep(step["pause"])
        elif "shutdown" in step:
            client.shutdown(socket.SHUT_WR)
        else:
            wanted = len(received) + step["receive"]
            while len(received) < wanted:
                part = client.recv(wanted - len(received))
                if not part:
                    return
                received += part
    while part := client.recv(65536):
        received += part


def converse(request):
    place = request["place"]
    family = socket.AF_UNIX if place[0] in "/@" else socket.AF_INET6 if ":" in place else socket.AF_INET
    address = (place, request["port"]) if family != socket.AF_UNIX else place.replace("@", "\0", 1)
    answer = {"outcome": "end", "address": None}
    received = bytearray()
    began = time.monotonic()
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(request["limit"])
        try:
            if request["source"]:
                client.bind((request["source"], 0))
            client.connect(address)
            if family != socket.AF_UNIX:
                answer["address"] = client.getsockname()[:2]
            perform(client, request["steps"], received)
        except ConnectionRefusedError:
            answer["outcome"] = "refused"
        except (ConnectionResetError, BrokenPipeError):
            answer["outcome"] = "reset"
        except TimeoutError:
            answer["outcome"] = "late"
        except OSError as error:
            # shutdown(2) reports this for a connection that was reset.
            if error.errno != errno.ENOTCONN:
                raise
            answer["outcome"] = "reset"
    answer["received"] = received.hex()
    answer["seconds"] = time.monotonic() - began
    return answer


print(json.dumps([converse(request) for request in json.loads(sys.argv[1])]))
