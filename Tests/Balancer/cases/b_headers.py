"""Invalid headers, each pitfall of public reports by name, and valid ones in unusual forms."""

import struct

from headers import (DATAGRAM, INET, INET6, LOCAL, SHUTDOWN, UNIX, UNSPEC, extension, pause, receive, send, v1, v2,
                     v2_block)
from network import Failure
from scene import PROXY_TIMEOUT, variables

MACHINE = "10.1.1.2"
CLIENT = "10.64.0.7"


def proxy(scene, port, *steps, limit=10.0):
    """A connection of a trusted proxy, straight to a machine."""
    return scene.speak(MACHINE, port, *steps, at=scene.balancer, limit=limit)


def echoed(scene, header, payload=b"payload\n"):
    """The bytes that echo returns behind a header."""
    answer = proxy(scene, 7, send(header + payload), SHUTDOWN)
    if answer["outcome"] != "end":
        raise Failure(f"{header!r}: {answer}")
    return bytes.fromhex(answer["received"])


def require_served(scene, header, payload=b"payload\n"):
    if (got := echoed(scene, header, payload)) != payload:
        raise Failure(f"{header!r} and {payload!r}: {got!r}")


def require_refused(scene, data, before=0.9 * PROXY_TIMEOUT, at=None):
    """Requires a close without a byte, sooner than the limit for a header, and that the next client is served."""
    answer = scene.speak(MACHINE, 7, send(data), at=at or scene.balancer)
    if answer["outcome"] not in ("end", "reset") or answer["received"] or answer["seconds"] > before:
        raise Failure(f"{data!r}: {answer}")
    require_served(scene, v2(CLIENT))


def started(test):
    """A test that needs one machine."""
    def run(scene):
        scene.start_machines(scene.machines[:1])
        return test(scene)
    return run


# A header is required, and from proxies alone

@started
def test_no_header_from_a_proxy(scene):
    """If headers are optional, addresses can be forged (caddy#5915, haproxy#2450, zuul#2197)."""
    for data in [b"GET / HTTP/1.0\r\n\r\n", b"hello, I am no header\r\n", b"\0" * 64, b"P" * 300]:
        require_refused(scene, data)


@started
def test_header_from_elsewhere(scene):
    """Only proxies may name clients; other peers are refused unread."""
    for header in [v1(CLIENT), v2(CLIENT), b""]:
        answer = scene.speak(MACHINE, 7, send(header + b"x"), SHUTDOWN, at=scene.client)
        if answer["outcome"] not in ("end", "reset") or answer["received"]:
            raise Failure(f"{header!r}: {answer}")
    refused = str(scene.machines[0].status("echo"))
    if "proxy-from" not in refused:
        raise Failure(refused)


@started
def test_header_of_a_service_that_expects_none(scene):
    """It is payload there, and names no client."""
    answer = scene.speak(MACHINE, 1003, send(v2(CLIENT)), at=scene.balancer)
    if answer["outcome"] not in ("end", "reset") or len(answer["received"]) not in (0, 8):
        raise Failure(f"{answer}")


# Version 2

@started
def test_v2_of_length_0_with_a_family(scene):
    """A parser that believes the family reads beyond the header (caddy-proxyprotocol#8)."""
    for family in [INET, INET6]:
        require_refused(scene, v2_block(b"", family=family) + b"x")
        require_refused(scene, v2_block(b"\1" * 11, family=family) + b"x")


@started
def test_v2_longer_than_accepted(scene):
    require_refused(scene, v2_block(b"\0" * 12, length=65_535) + b"\0" * 8000)
    require_refused(scene, v2_block(b"\0" * 12, length=4_097) + b"\0" * 8000)


@started
def test_v2_of_another_version(scene):
    for version in [0, 1, 3, 15]:
        require_refused(scene, v2_block(b"\0" * 12, version=version))
    for command in [2, 15]:
        require_refused(scene, v2_block(b"\0" * 12, command=command))


@started
def test_v2_local_with_a_block(scene):
    """Any block is skipped (go-proxyproto#12)."""
    for family in [UNSPEC, INET, INET6, UNIX]:
        for block in [b"", b"\xff" * 12, b"\xff" * 300]:
            require_served(scene, v2_block(block, command=LOCAL, family=family, transport=UNSPEC))


@started
def test_v2_without_a_usable_address(scene):
    """UNSPEC, Unix sockets, datagrams: the proxy itself is the client."""
    require_served(scene, v2_block(b"", family=UNSPEC, transport=UNSPEC))
    require_served(scene, v2_block(b"\0" * 216, family=UNIX))
    require_served(scene, v2_block(b"\1" * 12, family=INET, transport=DATAGRAM))


@started
def test_v2_extension_that_overruns(scene):
    require_refused(scene, v2(CLIENT, extensions=struct.pack("!BH", 5, 100) + b"short"))
    require_refused(scene, v2(CLIENT, extensions=b"\5\0"))


@started
def test_v2_checksum(scene):
    zero = v2(CLIENT, extensions=extension(3, b"\0" * 4))
    right = zero[:-4] + struct.pack("!I", crc32c(zero))
    require_served(scene, right)
    require_refused(scene, right[:-1] + bytes([right[-1] ^ 1]))


def crc32c(data):
    """Castagnoli's, reflected, bit by bit."""
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F6_3B78 if crc & 1 else 0)
    return crc ^ 0xFFFF_FFFF


@started
def test_v2_extensions_of_programs(scene):
    """Listed TLVs with harmless values become variables, and others do not."""
    extensions = extension(5, b"\1\2\xff") + extension(2, b"shop.example.org") + extension(0xEA, b"\1vpce-08d2bf15fac5001c9")
    answer = proxy(scene, 1001, send(v2(CLIENT, extensions=extensions)))
    seen = variables(bytes.fromhex(answer["received"]))
    wanted = {"TCPREMOTEIP": CLIENT, "PROXY_UNIQUE_ID": "0102ff", "SSL_TLS_SNI_SERVERNAME": "shop.example.org",
              "AWS_VPC_ENDPOINT_ID": "vpce-08d2bf15fac5001c9"}
    if wrong := {name: seen.get(name) for name, value in wanted.items() if seen.get(name) != value}:
        raise Failure(f"{wrong} of {seen}")
    evil = extension(2, b"a b$(id)") + extension(0xEA, b"\1x\nPATH=/tmp")
    seen = variables(bytes.fromhex(proxy(scene, 1001, send(v2(CLIENT, extensions=evil)))["received"]))
    if "SSL_TLS_SNI_SERVERNAME" in seen or "AWS_VPC_ENDPOINT_ID" in seen or "/tmp" in seen["PATH"]:
        raise Failure(f"{seen}")


# Version 1

@started
def test_v1_line_beyond_107_bytes(scene):
    """A line without an end must not fill the memory (go-proxyproto#71)."""
    require_refused(scene, b"PROXY TCP4 " + b"1" * 200)
    require_refused(scene, b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n")


@started
def test_v1_lone_line_feed(scene):
    require_refused(scene, v1(CLIENT).replace(b"\r\n", b"\n") + b"x")


@started
def test_v1_family_and_address_that_disagree(scene):
    require_refused(scene, b"PROXY TCP4 fd00:64::1 fd00:1:1::2 1111 7\r\n")
    require_refused(scene, b"PROXY TCP6 10.64.0.7 10.1.1.2 1111 7\r\n")


@started
def test_v1_leading_zeros(scene):
    """010 is 8 to some readers, and 10 to others."""
    require_refused(scene, b"PROXY TCP4 010.064.0.7 10.1.1.2 1111 7\r\n")
    require_refused(scene, b"PROXY TCP4 10.64.0.7 10.1.1.2 01111 7\r\n")


@started
def test_v1_numbers_out_of_range(scene):
    for line in [b"PROXY TCP4 10.64.0.256 10.1.1.2 1111 7\r\n", b"PROXY TCP4 10.64.0.7 10.1.1.2 65536 7\r\n",
                 b"PROXY TCP4 10.64.0.7 10.1.1.2 -1 7\r\n", b"PROXY TCP4  10.64.0.7 10.1.1.2 1111 7\r\n",
                 b"PROXY TCP4 10.64.0.7 10.1.1.2 1111\r\n", b"proxy TCP4 10.64.0.7 10.1.1.2 1111 7\r\n",
                 b"PROXY TCP5 10.64.0.7 10.1.1.2 1111 7\r\n"]:
        require_refused(scene, line)


@started
def test_v1_unknown(scene):
    require_served(scene, b"PROXY UNKNOWN\r\n")
    require_served(scene, b"PROXY UNKNOWN whatever a sender writes here\r\n")


# Both

@started
def test_mapped_address_is_judged_as_ipv4(scene):
    """A rule for 10.64.0.66 applies to ::ffff:10.64.0.66 too."""
    for header in [v2("::ffff:10.64.0.66", "::ffff:10.1.1.2"), v1("::ffff:10.64.0.66", "::ffff:10.1.1.2"), v2("10.64.0.66")]:
        answer = proxy(scene, 7, send(header + b"x"), SHUTDOWN)
        if answer["received"]:
            raise Failure(f"{header!r}: {answer}")
    require_served(scene, v2("::ffff:10.64.0.67", "::ffff:10.1.1.2"))


@started
def test_second_header_is_payload(scene):
    for first, second in [(v1(CLIENT), v1("10.64.0.66")), (v2(CLIENT), v2("10.64.0.66")), (v1(CLIENT), v2("10.64.0.66"))]:
        require_served(scene, first, second)


@started
def test_header_in_pieces(scene):
    """Each byte in a segment of its own, the payload behind it."""
    for header in [v1(CLIENT), v2(CLIENT)]:
        steps = [step for byte in header for step in (send(bytes([byte])), pause(0.005))]
        answer = proxy(scene, 7, *steps, send(b"payload\n"), SHUTDOWN)
        if bytes.fromhex(answer["received"]) != b"payload\n":
            raise Failure(f"{header!r}: {answer}")


@started
def test_single_bytes_do_not_prolong_the_limit(scene):
    """The limit for a header is absolute: single bytes do not prolong it (go-proxyproto#65, lightway#543, silo#195)."""
    header = v2(CLIENT)
    steps = [step for byte in header[:20] for step in (send(bytes([byte])), pause(0.2))]
    answer = proxy(scene, 7, *steps, limit=10)
    if answer["received"] or answer["outcome"] not in ("end", "reset"):
        raise Failure(f"{answer}")
    # The sender learns of the close only when it has sent once more.
    if answer["seconds"] > 2 * PROXY_TIMEOUT + 1:
        raise Failure(f"closed after {answer['seconds']:.1f} s")


@started
def test_silence(scene):
    """Closed after the limit for a header; the kernel hands a silent connection over after 3 s at most."""
    answer = proxy(scene, 7)
    if answer["outcome"] not in ("end", "reset") or answer["received"] or answer["seconds"] > 3 + 2 * PROXY_TIMEOUT:
        raise Failure(f"{answer}")
    if answer["seconds"] < 0.9 * PROXY_TIMEOUT:
        raise Failure(f"closed early, after {answer['seconds']:.2f} s")


@started
def test_limit_for_a_header_ends_with_it(scene):
    """The limit ends with the header: the connection goes on (go-proxyproto#75)."""
    answer = proxy(scene, 7, send(v2(CLIENT)), pause(1.5 * PROXY_TIMEOUT), send(b"late\n"), receive(5), SHUTDOWN)
    if bytes.fromhex(answer["received"]) != b"late\n":
        raise Failure(f"{answer}")


@started
def test_slow_header_within_the_limit(scene):
    """A limit of 200 ms was too short for some senders (go-proxyproto#84)."""
    header = v2(CLIENT)
    answer = proxy(scene, 7, send(header[:13]), pause(0.6 * PROXY_TIMEOUT), send(header[13:] + b"payload\n"), SHUTDOWN)
    if bytes.fromhex(answer["received"]) != b"payload\n":
        raise Failure(f"{answer}")


@started
def test_end_behind_the_header(scene):
    for header in [v1(CLIENT), v2(CLIENT)]:
        answer = proxy(scene, 37, send(header), SHUTDOWN)
        if answer["outcome"] != "end" or len(answer["received"]) != 8:
            raise Failure(f"{answer}")


@started
def test_end_within_the_header(scene):
    for header in [v1(CLIENT), v2(CLIENT)]:
        for length in [1, 8, len(header) - 1]:
            answer = proxy(scene, 7, send(header[:length]), SHUTDOWN)
            if answer["received"] or answer["outcome"] not in ("end", "reset"):
                raise Failure(f"{header[:length]!r}: {answer}")
    require_served(scene, v2(CLIENT))
