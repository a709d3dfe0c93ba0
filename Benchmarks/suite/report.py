"""Writes RESULTS.md and its plots from the figures of a run."""

import statistics

from . import plot
from .figures import counts_held, kept, median, notes, ratio_of_rows, row_of, values
from .load import PERCENTILES
from .plot import number
from .targets import is_met, targets

COMMAND = "make bench"
PERCENTILE_NAMES = {name: f"p{part * 100:g}" for name, part in PERCENTILES.items()}


# The plots show more.
IN_TABLES = ["p50", "p99", "p99_9"]
EXTRAS = {"lost": "lost, %", "parent_faults": "in the parent"}
SETTINGS = ["log", "limits", "spares", "sandbox"]


def settings_of(row):
    return [row["settings"][name] for name in SETTINGS]


def table(titles, rows, right=()):
    """In Markdown; figures stand at the right."""
    line = ["---:" if title in right else "---" for title in titles]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in [titles, line, *rows])


def ratio_cell(row, reference, name):
    value = ratio_of_rows(row, reference, name) if reference else None
    return number(value)


def unit_of(part):
    name = PERCENTILE_NAMES.get(part["figure"])
    return f"{name}, {part['unit']}" if name else part["unit"]


def figures_table(part):
    """A part with one figure for each server, its ratio to the reference, and latencies if there are any."""
    reference, figure = row_of(part, part["reference"]), part["figure"]
    latencies = [name for name in IN_TABLES if name != figure and any(median(row, name) for row in part["rows"])]
    extras = [name for name in EXTRAS if any(values(row, name) for row in part["rows"])]
    busy = any(median(row, "generator_cpu") for row in part["rows"])
    figures = [unit_of(part), *(["ratio"] if reference else []), *(f"{PERCENTILE_NAMES[name]}, µs" for name in latencies),
               *(EXTRAS[name] for name in extras), *(["generator's processors"] if busy else [])]
    rows = []
    for row in part["rows"]:
        cells = [number(median(row, figure)), *([ratio_cell(row, reference, figure)] if reference else []),
                 *(number(median(row, name)) for name in [*latencies, *extras])]
        rows.append([row["label"], *cells, *([number(median(row, "generator_cpu"))] if busy else []), *settings_of(row)])
    return table(["server", *figures, *SETTINGS], rows, figures)


def with_bracket(value, other):
    return number(value) if other is None else f"{number(value)} ({number(other)})"


def idle_tables(part):
    counts = counts_held(part)
    names = [f"{count:,}" for count in counts]
    rates, memory = [], []
    for row in part["rows"]:
        cells = []
        for count in counts:
            cells.append(with_bracket(median(row, f"rate_{count}"), kept(row, count) if count else None))
        rates.append([row["label"], *cells, *settings_of(row)])
        memory.append([row["label"], *(with_bracket(median(row, f"kib_{count}"), median(row, f"process_kib_{count}"))
                                       for count in counts if count)])
    return "\n\n".join([
        "Connections per second, by connections held; in brackets the part of its rate that the server keeps:",
        table(["server", *names, *SETTINGS], rates, names),
        "KiB of memory for each held connection; in brackets that of its process alone:",
        table(["server", *names[1:]], memory, names)])


def bars_of(part, name, title, unit):
    rows = []
    for row in part["rows"]:
        found = values(row, name).values()
        if found:
            rows.append((row["label"], statistics.median(found), min(found), max(found)))
    return plot.bars(title, unit, rows)


def plain(title):
    return title.replace("`", "")


def plots_of(part):
    """Names of files, and what they draw."""
    title = plain(part["title"])
    if part["name"] == "idle":
        counts = counts_held(part)
        most = max(counts) or 1
        ticks = [(f"{count:,}", count / most) for count in counts]
        series = [(row["label"], [(count / most, rate) for count in counts if (rate := median(row, f"rate_{count}"))])
                  for row in part["rows"]]
        memory = bars_of(part, "kib", "Memory for each connection, both ends of it included", "KiB")
        rate = plot.lines("Rate with idle connections held", "idle connections held", "connections per second", ticks, series)
        return {"idle": rate, "memory": memory}
    if part["name"] == "latency":
        found = [name for name in PERCENTILES if any(median(row, name) for row in part["rows"])]
        places = {name: index / max(1, len(found) - 1) for index, name in enumerate(found)}
        series = [(row["label"], [(places[name], value) for name in found if (value := median(row, name))])
                  for row in part["rows"]]
        return {"latency": plot.lines(title, "part of the connections that took no longer", "µs, logarithmic",
                                      [(PERCENTILE_NAMES[name], places[name]) for name in found], series, True)}
    if len(part["rows"]) < 2:
        return {}
    return {part["name"]: bars_of(part, part["figure"], title, unit_of(part))}


def targets_table(parts):
    rows = []
    for work, compared, measured, direction, wanted in targets(parts):
        verdict = "not measured" if measured is None else "met" if is_met(measured, direction, wanted) else "**missed**"
        rows.append([work, compared, f"{direction} {wanted:g}", number(measured), verdict])
    return table(["work", "measured", "target", "result", ""], rows, ["target", "result"])


def head(run):
    settings = run["settings"]
    facts = [[name, value] for name, value in run["machine"].items()]
    facts += [["load average", f"{run['load_before']:.1f} before, {run['load_after']:.1f} after"]]
    return [
        "# Results", f"Written by `{COMMAND}` on {run['date']}; [README.md](README.md) explains how it measures.",
        f"{settings['rounds']} rounds; in each of them every server for {settings['seconds']:g} s, each round beginning with another one. "
        f"Figures are medians of the rounds, and ratios are medians of the rounds' ratios to one server, whose own is 1.00. Load by "
        f"{settings['generator']}, over loopback on the same processors. Only ratios of one table mean anything elsewhere.",
        table(["machine", ""], facts), table(["program", "version"], [[name, value] for name, value in run["versions"].items()]),
        "Settings: *log* is what leaves a line for each connection, *limits* are those that are checked, *spares* are processes forked "
        "before their client comes, *sandbox* is the confinement of connections' processes. Peers keep no log and check no limits.",
    ]


def write(run, path):
    """RESULTS.md at that path, plots in the folder plots beside it."""
    folder = path.parent / "plots"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    sections = head(run)
    sections += ["## Targets", targets_table(run["parts"])]
    for part in run["parts"].values():
        sections += [f"## {part['title']}", part["about"]]
        for name, drawing in plots_of(part).items():
            (folder / f"{name}.svg").write_text(drawing)
            sections.append(f"![{plain(part['title'])}](plots/{name}.svg)")
        sections.append(idle_tables(part) if part["name"] == "idle" else figures_table(part))
        remarks = [f"- {row['label']}, {note}" for row in part["rows"] for note in notes(row)]
        remarks += [f"- left out: {text}" for text in part["left_out"]]
        remarks += [f"- skipped: {text}" for text in part["skipped"]]
        if remarks:
            sections.append("Remarks:\n\n" + "\n".join(remarks))
    path.write_text("\n\n".join(sections) + "\n")
