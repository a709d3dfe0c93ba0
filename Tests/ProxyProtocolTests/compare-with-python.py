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

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


# The reader.

class Invalid(Exception):
    pass


class Incomplete(Exception):
    pass


LINE = re.compile(rb"PROXY (?:(UNKNOWN)(?: [^\r\n]*)?|TCP([46]) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+))\r\n", re.DOTALL)
HOST = re.compile(rb"(?!-)[A-Za-z0-9.-]{1,255}", re.DOTALL)
PROTOCOL = re.compile(rb"(?!-)[A-Za-z0-9._/+-]{1,255}", re.DOTALL)
NAME = re.compile(rb"(?!-)(?:(?![\"'`$\\])[ -~]){1,1024}", re.DOTALL)
CRC_TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CRC_TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


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


# The inputs.

class Grammar:
    """Makes headers that are mostly valid."""

    def __init__(self, rng):
        self.rng = rng

    def maybe(self, probability):
        return self.rng.random() < probability

    def ipv4(self):
        return ".".join(str(self.rng.choice([0, 1, 10, 127, 192, 255, self.rng.randrange(256)])) for _ in range(4))

    def ipv6(self):
        kind = self.rng.randrange(5)
        if kind == 0:
            return self.rng.choice(["::", "::1", "::ffff:", "::FFFF:", "::", "64:ff9b::", "1:2:3:4:5:6:"]) + self.ipv4()
        if kind == 1:
            return self.rng.choice(["::", "::1", "1::", "fe80::1", "fe80::1%eth0", "::ffff:0:0", "::1:2:3:4:5:6:7",
                                    "1:2:3:4:5:6:7::", "1::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", ":::", ":1", "1:",
                                    "12345::", "::g", "::ffff:1.2.3", "::ffff:1.2.3.4.5", "::1.2.3.256"])
        groups = [f"{self.rng.choice([0, 0, 1, 0xffff, self.rng.randrange(65536)]):{self.rng.choice(['x', 'X', '04x'])}}"
                  for _ in range(8)]
        if kind == 2:
            start = self.rng.randrange(8)
            groups[start:start + self.rng.randint(1, 5)] = [""]
            return ":".join([""] * (start == 0) + groups + [""] * (groups[-1:] == [""]))
        return ":".join(groups)

    def port(self):
        return self.rng.choice(["0", "1", "80", "65535", "65536", "080", "99999", "", "+1", "1e3"]) if self.maybe(0.1) \
            else str(self.rng.randrange(65536))

    def line(self):
        kind = self.rng.randrange(8)
        if kind == 0:
            return b"PROXY UNKNOWN" + self.rng.choice([b"", b" ", b" x", b" 1.2.3.4 1.2.3.4 1 2", b"S",
                                                      b" " + self.rng.randbytes(self.rng.randint(80, 100))]) + b"\r\n"
        host = self.ipv4 if kind < 4 else self.ipv6
        family = ("TCP4" if kind < 4 else "TCP6") if self.maybe(0.95) else self.rng.choice(["TCP", "TCP4", "UDP4", "tcp6"])
        words = ["PROXY", family, host(), host(), self.port(), self.port()]
        return (" ".join(words) + self.rng.choice(["\r\n"] * 12 + ["\n", "\r", " \r\n", "\r\r\n"])).encode("ascii")

    def extension(self, kind, value):
        return bytes([kind]) + struct.pack(">H", len(value)) + value

    def word(self):
        return self.rng.choice([b"example.com", b"h2", b"http/1.1", b"TLSv1.3", b"TLS_AES_128_GCM_SHA256", b"", b"a b",
                                b"a\0b", b"a=b\n", b'"', b"() { :;}", "é".encode(), b"x" * self.rng.choice([63, 64, 65, 255, 256]),
                                b"vpce-08d2bf15fac5001c9", b"-rf", b"-", self.rng.randbytes(4)])

    def tls(self):
        flags = self.rng.choice([0, 1, 1, 3, 3, 5, 7, 7, 2, 255])
        verify = self.rng.choice([bytes(4), bytes(4), b"\0\0\0\1", self.rng.randbytes(4)])
        parts = [self.extension(self.rng.choice([0x21, 0x22, 0x23, 0x24, 0x25]), self.word())
                 for _ in range(self.rng.randrange(4))]
        value = bytes([flags]) + verify + b"".join(parts)
        return value if self.maybe(0.95) else value[:self.rng.randint(0, len(value))]

    def extensions(self):
        parts = []
        for _ in range(self.rng.choice([0, 0, 1, 2, 3])):
            kind = self.rng.choice([1, 2, 3, 4, 5, 0x20, 0x20, 0x30, 0xE0, 0xEA, 0xEE, self.rng.randrange(256)])
            if kind == 0x20:
                value = self.tls()
            elif kind == 3:
                value = self.rng.randbytes(self.rng.choice([4, 4, 3, 0]))
            elif kind in (0xEA, 0xEE):
                value = self.rng.choice([b"\1", b"\1", b"\2", b""]) + self.rng.choice([self.word(), self.rng.randbytes(4)])
            elif kind == 0xE0:
                value = self.rng.randbytes(self.rng.choice([8, 8, 7, 0]))
            elif kind == 5:
                value = self.rng.randbytes(self.rng.choice([0, 1, 16, 128, 129]))
            else:
                value = self.word()
            parts.append(self.extension(kind, value))
        return parts

    def binary(self):
        command = 0x21 if self.maybe(0.85) else self.rng.choice([0x20, 0x20, 0x22, 0x10, 0x31, self.rng.randrange(256)])
        family = self.rng.choice([0x11, 0x21]) if self.maybe(0.8) else self.rng.choice(
            [0x00, 0x10, 0x01, 0x12, 0x22, 0x31, 0x32, 0x13, 0x41, self.rng.randrange(256)])
        size = {1: 12, 2: 36, 3: 216}.get(family >> 4, 0)
        addresses = self.rng.randbytes(size)
        if size == 36 and self.maybe(0.3):
            addresses = bytes(10) + b"\xff\xff" + addresses[12:]
        parts = self.extensions()
        if self.maybe(0.2):
            parts.insert(self.rng.randint(0, len(parts)), b"\3\0\4" + bytes(4))
        rest = addresses + b"".join(parts)
        header = bytearray(SIGNATURE + bytes([command, family]) + struct.pack(">H", len(rest)) + rest)
        place = 16 + size
        for part in parts:
            if part == b"\3\0\4" + bytes(4):
                header[place + 3:place + 7] = struct.pack(">I", crc32c(header))
                if self.maybe(0.9):
                    break
            place += len(part)
        if self.maybe(0.03):
            header += self.rng.randbytes(8) * self.rng.randint(100, 700)
        if self.maybe(0.1):
            length = self.rng.choice([0, 11, 12, 35, 36, 215, 216, 4079, 4080, 4081, 65535, self.rng.randrange(600)])
            header[14:16] = struct.pack(">H", length)
        return bytes(header)

    def header(self):
        return self.line() if self.maybe(0.4) else self.binary()


TOKENS = [b"\r\n", b"\r", b"\n", b" ", b"  ", b"\0", b"0", b"PROXY ", b"TCP4", b"TCP6", b"UNKNOWN", b":", b"::", b".",
          b"255", b"65535", b"ffff", b"%1", b"\xff", b"\3\0\4\0\0\0\0", b"\x20\0\5\1\0\0\0\0", SIGNATURE]


def mutate(rng, header, other):
    kind = rng.randrange(12)
    place = rng.randint(0, len(header))
    if kind < 2:
        return header[:place]
    if kind < 4:
        return header[:place] + bytes([rng.randrange(256)]) + header[place + 1:]
    if kind < 6:
        return header[:place] + rng.choice(TOKENS) + header[place:]
    if kind < 8:
        return header[:place] + header[min(len(header), place + rng.choice([1, 1, 2, 4, 12])):]
    if kind == 8:
        # Two headers: the second is the client's data.
        return header + other
    if kind == 9 and len(header) > 16:
        place = rng.choice([12, 13, 14, 15])
        return header[:place] + bytes([(header[place] + rng.choice([1, 16, 255, 240])) % 256]) + header[place + 1:]
    if kind == 10:
        return mutate(rng, mutate(rng, header, other), other)
    return header + rng.randbytes(rng.choice([1, 8, 200]))


def inputs(rng, count):
    grammar = Grammar(rng)
    header = b""
    while True:
        other, header = header, grammar.header()
        yield header
        for _ in range(7):
            yield mutate(rng, header, other)


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
    stream = inputs(random.Random(options.seed), options.count)
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
