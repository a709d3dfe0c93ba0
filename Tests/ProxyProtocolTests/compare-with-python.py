#!/usr/bin/env python3
"""Compares the project's reader of PROXY headers with one written in Python, over generated and mutated headers.

    compare-with-python.py --probe PATH [--count N] [--seed N]

The two readers share nothing: this one reads version 1 by a regular expression and addresses by the module ipaddress.
proxy-probe answers each input with its verdict, and a header with its length, addresses and variables; the first
differences are printed, and the exit status is then 1.  It is 1 as well if many inputs never led to one of the verdicts.

The same seed gives the same inputs.
"""

import argparse
import collections
import ipaddress
import random
import re
import socket
import struct
import subprocess
import sys

sys.dont_write_bytecode = True

from generated_headers import SIGNATURE, crc32c, inputs


# The reader.

class Invalid(Exception):
    pass


class Incomplete(Exception):
    pass


LINE = re.compile(rb"PROXY (?:(UNKNOWN)(?: [^\r\n]*)?|TCP([46]) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+))\r\n", re.DOTALL)
HOST = re.compile(rb"(?!-)[A-Za-z0-9.-]{1,255}", re.DOTALL)
PROTOCOL = re.compile(rb"(?!-)[A-Za-z0-9._/+-]{1,255}", re.DOTALL)
NAME = re.compile(rb"(?!-)(?:(?![\"'`$\\])[ -~]){1,1024}", re.DOTALL)


def shown(packed, port):
    """An address in the form of the probe."""
    if len(packed) == 16 and packed.startswith(b"\0" * 10 + b"\xff\xff"):
        packed = packed[12:]
    if len(packed) == 4:
        return f"ipv4/{socket.inet_ntop(socket.AF_INET, packed)}:{port}"
    return f"ipv6/[{socket.inet_ntop(socket.AF_INET6, packed)}]:{port}"


def read_line(data):
    end = data.find(b"\r\n")
    line = data[:end + 2] if end >= 0 else data
    # A CR or a LF of its own is a fault as soon as the byte behind it is there.
    broken = re.search(rb"\n|\r(?!\n|\Z)", line[:-2] if end >= 0 else line)
    if broken and broken.start() < 106:
        raise Invalid("lone CR or LF")
    if end < 0 and len(data) < 107:
        raise Incomplete
    if not 0 <= end <= 105:
        raise Invalid("long line")
    match = LINE.fullmatch(line)
    if not match:
        raise Invalid("grammar")
    if match[1]:
        return f"header {len(line)} 1 - -"
    ends = []
    for host, port in ((match[3], match[5]), (match[4], match[6])):
        if not re.fullmatch(rb"0|[1-9][0-9]{0,4}", port) or int(port) > 65535:
            raise Invalid("port")
        kind = ipaddress.IPv4Address if match[2] == b"4" else ipaddress.IPv6Address
        if b"%" in host:
            raise Invalid("zone")
        try:
            ends.append(shown(kind(host.decode("latin-1")).packed, int(port)))
        except ValueError:
            raise Invalid("address")
    return f"header {len(line)} 1 {ends[0]} {ends[1]}"


def split(data):
    """The types and values of extensions, each with the place of the value."""
    parts = []
    place = 0
    while place < len(data):
        if len(data) - place < 3:
            raise Invalid("rest of an extension")
        kind, length = struct.unpack_from(">BH", data, place)
        if place + 3 + length > len(data):
            raise Invalid("overrun")
        parts.append((kind, data[place + 3:place + 3 + length], place + 3))
        place += 3 + length
    return parts


def variables(parts):
    found = {}

    def put(name, value):
        found.setdefault(name, value)

    def put_text(name, value, pattern, limit=1024):
        if len(value) <= limit and pattern.fullmatch(value):
            put(name, value.decode("ascii"))

    for kind, value, _ in parts:
        if kind == 1:
            put_text("SSL_ALPN", value, PROTOCOL)
        elif kind == 2:
            put_text("SSL_TLS_SNI_SERVERNAME", value, HOST)
        elif kind == 5 and 1 <= len(value) <= 128:
            put("PROXY_UNIQUE_ID", value.hex())
        elif kind == 0xE0 and len(value) == 8:
            put("GCP_PSC_CONNECTION_ID", str(int.from_bytes(value, "big")))
        elif kind == 0xEA and value[:1] == b"\1" and b"." not in value:
            put_text("AWS_VPC_ENDPOINT_ID", value[1:], HOST)
        elif kind == 0xEE and len(value) == 5 and value[0] == 1:
            put("AZURE_PRIVATE_ENDPOINT_LINKID", str(int.from_bytes(value[1:], "little")))
        elif kind == 0x20 and value[0] & 1:
            verified = value[0] & 6 and not any(value[1:5])
            if verified:
                put("SSL_CLIENT_VERIFY", "SUCCESS")
            for kind, value, _ in split(value[5:]):
                if kind == 0x21:
                    put_text("SSL_PROTOCOL", value, PROTOCOL, 64)
                elif kind == 0x23:
                    put_text("SSL_CIPHER", value, PROTOCOL, 64)
                elif kind == 0x22 and verified:
                    put_text("SSL_PEER_CERT_CN", value, NAME)
    return found


def read_binary(data):
    fixed = data[12:16]
    if fixed and fixed[0] not in (0x20, 0x21):
        raise Invalid("version or command")
    local = fixed[:1] == b"\x20"
    if len(fixed) > 1 and not local and (fixed[1] >= 0x40 or fixed[1] % 16 > 2):
        raise Invalid("family or transport")
    if len(fixed) < 4:
        raise Incomplete
    length = struct.unpack(">H", fixed[2:])[0]
    if length > 4096 - 16:
        raise Invalid("long header")
    family, transport = divmod(fixed[1], 16)
    known = not local and family and transport
    size = {1: 12, 2: 36, 3: 216}[family] if known else 0
    if length < size:
        raise Invalid("short addresses")
    if len(data) < 16 + length:
        raise Incomplete
    header = data[:16 + length]
    if not known:
        return f"header {len(header)} 2 - -"
    parts = split(header[16 + size:])
    checksums = 0
    for kind, value, place in parts:
        if kind == 3:
            checksums += 1
            start = 16 + size + place
            blank = header[:start] + bytes(4) + header[start + 4:]
            if checksums == 2:
                raise Invalid("second checksum")
            if len(value) != 4 or crc32c(blank) != int.from_bytes(value, "big"):
                raise Invalid("checksum")
        elif kind == 0x20:
            if len(value) < 5:
                raise Invalid("short TLS")
            split(value[5:])
    ends = ["-", "-"]
    if transport == 1 and family < 3:
        width = 4 if family == 1 else 16
        ports = struct.unpack_from(">HH", header, 16 + 2 * width)
        ends = [shown(header[16:16 + width], ports[0]), shown(header[16 + width:16 + 2 * width], ports[1])]
    return " ".join([f"header {len(header)} 2"] + ends)  + "".join(f" {n}={v}" for n, v in sorted(variables(parts).items()))


def expected(data, reached):
    """This reader's answer in the form of the probe, variables in the order of their names."""
    try:
        for start, read in ((SIGNATURE, read_binary), (b"PROXY ", read_line)):
            if data.startswith(start):
                answer = read(data)
                reached["header with variables" if "=" in answer else "header"] += 1
                return answer
            if start.startswith(data):
                raise Incomplete
        raise Invalid("no header")
    except Invalid as reason:
        reached[str(reason)] += 1
        return "invalid"
    except Incomplete:
        reached["incomplete"] += 1
        return "incomplete"


# The comparison.

def answers(probe, batch):
    stream = b"".join(struct.pack(">I", len(data)) + data for data in batch)
    result = subprocess.run([probe], input=stream, stdout=subprocess.PIPE)
    lines = result.stdout.decode("latin-1").split("\n")[:-1]
    if result.returncode or len(lines) != len(batch):
        sys.exit(f"proxy-probe ended with {result.returncode} after {len(lines)} inputs, at {batch[len(lines):][:1]}")
    return lines


def in_order(line):
    """The variables in the order of their names; their values may contain spaces, and names do not."""
    head, *found = re.split(r" (?=[A-Z0-9_]+=)", line)
    return " ".join([head] + sorted(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probe", required=True, help="the program proxy-probe")
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    reached = collections.Counter()
    stream = inputs(random.Random(options.seed))
    differences = done = 0
    while done < options.count:
        batch = [next(stream) for _ in range(min(20_000, options.count - done))]
        for data, ours in zip(batch, answers(options.probe, batch)):
            theirs = expected(data, reached)
            if ours != theirs and in_order(ours) != in_order(theirs):
                differences += 1
                if differences <= 10:
                    print(f"input: {data!r}\n  parser: {ours}\n  python: {theirs}")
        done += len(batch)
    print(f"{done} inputs, {differences} differences (seed {options.seed})")
    print(", ".join(f"{reason}: {number}" for reason, number in reached.most_common()))
    missing = VERDICTS - set(reached)
    if missing:
        print("no input led to:", ", ".join(sorted(missing)))
    sys.exit(1 if differences or missing else 0)


VERDICTS = {"header", "header with variables", "incomplete", "no header", "lone CR or LF", "long line", "grammar", "port",
            "zone", "address", "rest of an extension", "overrun", "version or command", "family or transport",
            "long header", "short addresses", "second checksum", "checksum", "short TLS"}

if __name__ == "__main__":
    main()
