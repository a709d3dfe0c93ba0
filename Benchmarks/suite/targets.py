"""The targets, beside the figures of a run."""

from .figures import best, common, counts_held, median, quotients, ratio, row_of
from .table import median_of_ratios

HELD = 10_000


def quotient_of_quotients(idle):
    """How begat keeps its rate beside held connections, in terms of how the C loop keeps its own."""
    ours, theirs = row_of(idle, "begatd"), row_of(idle, "C loop, queued signals")
    if not ours or not theirs or HELD not in counts_held(idle):
        return None
    return median_of_ratios(*common(quotients(ours, HELD), quotients(theirs, HELD)))


def memory(idle):
    row = row_of(idle, "begatd")
    return median(row, f"kib_{HELD}") if row else None


def faults(part):
    row = row_of(part, "begatd")
    return median(row, "child_faults") if row else None


def milliseconds(start):
    return median(start["rows"][0], "milliseconds") if start and start["rows"] else None


def targets(parts):
    """Rows of (work, what is compared, measured or None, "at least" or "at most", wanted)."""
    of = parts.get
    time, fortune, executed = of("time"), of("fortune"), of("executed")
    peer = best(fortune, "rate", "begatd")
    return [
        ("`time`, 16 clients", "begatd / C fork loop", ratio(time, "begatd", "C fork loop", "rate"), "at least", 1.05),
        ("", "begatd / Perl", ratio(time, "begatd", "Perl (perlipc)", "rate"), "at least", 3),
        ("", "begatd / Python", ratio(time, "begatd", "Python ForkingTCPServer", "rate"), "at least", 7),
        ("the same, spares 0", "begatd / C fork loop",
         ratio(time, "begatd, no spares", "C fork loop", "rate"), "at least", 0.95),
        ("1 client, p50", "begatd / C fork loop", ratio(of("one-client"), "begatd", "C fork loop", "p50"), "at most", 0.6),
        ("page faults of a connection's process", "begatd", faults(of("faults")), "at most", 11),
        ("`fortune`", f"begatd / {peer or 'best peer'}", ratio(fortune, "begatd", peer, "rate"), "at least", 15),
        ("executed static program", "begatd / C vfork loop", ratio(executed, "begatd", "C vfork loop", "rate"), "at least", 0.97),
        ("", "begatd / tcpserver", ratio(executed, "begatd", "tcpserver", "rate"), "at least", 1.05),
        (f"{HELD:,} idle connections held", "kept part of its rate, begatd / C queued signals",
         quotient_of_quotients(of("idle")), "at least", 1.0),
        ("", "KiB of memory for each", memory(of("idle")), "at most", 140),
        ("`time` over UDP", "begatd / xinetd", ratio(of("datagrams"), "begatd", "xinetd, internal", "rate"), "at least", 1.5),
        ("", "begatd / C recvmmsg loop", ratio(of("datagrams"), "begatd", "C recvmmsg loop", "rate"), "at least", 0.9),
        ("session of many commands", "begatd / Perl", ratio(of("session"), "begatd", "Perl (perlipc)", "rate"), "at least", 3),
        ("start, 50 services", "ms", milliseconds(of("start")), "at most", 150),
        ("load generator", "begat load / limit/load", ratio(of("generators"), "begat load", "limit/load", "rate"), "at least", 0.95),
        ("", "the same, the server does not fork",
         ratio(of("generators"), "begat load, no fork", "limit/load, no fork", "rate"), "at least", 0.95),
    ]


def is_met(measured, direction, wanted):
    return measured >= wanted if direction == "at least" else measured <= wanted
