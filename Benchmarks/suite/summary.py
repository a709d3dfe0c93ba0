"""Puts the figures of a whole run into README.md, between two marks."""

from . import report
from .figures import best, median, ratio, row_of
from .plot import number

BEGIN, END = "<!-- figures of make bench -->", "<!-- end of the figures -->"
# Part, work, figure, unit, and the labels of begat's row, the limit's and the peer's; None: the best of the others.
ROWS = [
    ("time", "`time`, 16 clients, a process for each connection", "rate", "/s", "C fork loop", "Perl (perlipc)"),
    ("one-client", "the same, one client after the other, median", "p50", " µs", "C fork loop", "Perl (perlipc)"),
    ("executed", "a static program executed for each connection", "rate", "/s", "C vfork loop", "tcpserver"),
    ("fortune", "a fortune; the peer executes fortune(6)", "rate", "/s", None, None),
    ("datagrams", "`time` over UDP", "rate", "/s", "C recvmmsg loop", "xinetd, internal"),
    ("idle", "memory of an idle connection, both ends of it", "kib", " KiB", "C loop, queued signals", "xinetd"),
]


def cell(part, label, figure, unit):
    row = row_of(part, label) if label else None
    value = median(row, figure) if row else None
    return "–" if value is None else f"{number(value)}{unit}"


def row(part, work, figure, unit, limit, peer):
    peer = peer or best(part, figure, "begatd")
    times = ratio(part, "begatd", limit, figure) if limit else None
    ours = cell(part, "begatd", figure, unit) + (f" ({number(times)})" if times is not None else "")
    theirs = cell(part, peer, figure, unit)
    return [work, ours, cell(part, limit, figure, unit), theirs if theirs == "–" else f"{theirs}, {peer.partition(',')[0]}"]


def text(run):
    parts, settings = run["parts"], run["settings"]
    rows = [row(parts[name], *rest) for name, *rest in ROWS if name in parts]
    titles = ["", "begatd (of the limit)", "limit: a plain C loop", "peer"]
    return "\n\n".join([
        BEGIN,
        f"{run['machine']['processor']}, Linux {run['machine']['kernel']}, {run['date'].split()[0]}; medians of {settings['rounds']} "
        "rounds, load generator and servers on the same processors, begatd with its sandbox and limits and `log = \"problems\"`; "
        "[all figures](Benchmarks/RESULTS.md):",
        report.table(titles, rows, titles[1:]),
        "![connections per second of several servers](Benchmarks/plots/time.svg)",
        END])


def write(run, path):
    """Replaces what is between the marks."""
    old = path.read_text()
    if BEGIN not in old or END not in old:
        raise OSError(f"{path} has no place for figures: {BEGIN} and {END}")
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(before + text(run) + after)
