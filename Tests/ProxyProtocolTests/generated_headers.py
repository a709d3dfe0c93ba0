"""Headers of the PROXY protocol for compare-with-python.py: mostly valid ones, and mutations of them."""

import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
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


def inputs(rng):
    grammar = Grammar(rng)
    header = b""
    while True:
        other, header = header, grammar.header()
        yield header
        for _ in range(7):
            yield mutate(rng, header, other)
