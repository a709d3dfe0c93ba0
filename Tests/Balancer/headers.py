"""Valid and invalid headers of the PROXY protocol, and steps for speak.py.

Source: https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
"""

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0, 1
UNSPEC, INET, INET6, UNIX = 0, 1, 2, 3
STREAM, DATAGRAM = 1, 2


def v1(source, destination="10.1.1.2", source_port=1111, destination_port=37):
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {destination} {source_port} {destination_port}\r\n".encode()


def v2_block(block, command=PROXY, family=INET, transport=STREAM, version=2, length=None):
    """A header around any bytes; its length field may differ from their number."""
    return SIGNATURE + struct.pack(
        "!BBH", version << 4 | command, family << 4 | transport, len(block) if length is None else length) + block


def v2(source, destination=None, source_port=1111, destination_port=37, extensions=b""):
    address = ipaddress.ip_address(source)
    destination = ipaddress.ip_address(destination or ("10.1.1.2" if address.version == 4 else "fd00:1:1::2"))
    block = address.packed + destination.packed + struct.pack("!HH", source_port, destination_port) + extensions
    return v2_block(block, family=INET if address.version == 4 else INET6)


def extension(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def send(data):
    return {"send": data.hex()}


def pause(seconds):
    return {"pause": seconds}


def receive(count):
    return {"receive": count}


SHUTDOWN = {"shutdown": True}
