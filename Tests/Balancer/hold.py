"""Holds connections that send nothing: a program, so that it can run in another network namespace.

usage: hold.py COUNT PLACE [PORT [SOURCE]]

With SOURCE they come from successive IPv4 addresses, of which it is the first.

Prints "held" when all are connected; at the end of standard input, the number of those that the server has not closed.
"""

import ipaddress
import select
import socket
import sys


def main():
    count, place = int(sys.argv[1]), sys.argv[2]
    held = []
    for number in range(count):
        client = socket.socket(socket.AF_UNIX if place[0] in "/@" else socket.AF_INET, socket.SOCK_STREAM)
        client.settimeout(10)
        if len(sys.argv) > 4:
            client.bind((str(ipaddress.ip_address(sys.argv[4]) + number), 0))
        client.connect((place, int(sys.argv[3])) if len(sys.argv) > 3 else place.replace("@", "\0", 1))
        held.append(client)
    print("held", flush=True)
    sys.stdin.read()
    poller = select.poll()
    for client in held:
        poller.register(client, select.POLLIN)
    print(count - len(poller.poll(0)))


main()
