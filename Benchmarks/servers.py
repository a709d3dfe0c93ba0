"""What the scripts here share: servers on the command line, and the table of rounds."""

import argparse
import statistics


def labelled(text):
    """LABEL=PLACE: both."""
    label, separator, place = text.partition("=")
    if not separator or not label:
        raise argparse.ArgumentTypeError(f"{text}: LABEL=HOST:PORT or LABEL=/PATH")
    return label, place


def tcp_server(text):
    """LABEL=HOST:PORT or LABEL=[HOST]:PORT: the label, the host and the port."""
    label, place = labelled(text)
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text}: LABEL=HOST:PORT, the port a number")
    return label, host.strip("[]"), int(port)


def whole(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a number of at least 1")
    return int(text)


class Table:
    """Rows of figures under the names of their columns, printed as they come."""

    def __init__(self, title, names, title_width=0):
        self.title_width = max(10, title_width)
        self.widths = [max(10, len(name)) + 2 for name in names]
        self.print(title, names)

    def print(self, title, cells, note=""):
        cells = [cell.rjust(width) for cell, width in zip(cells, self.widths)]
        print(title.ljust(self.title_width), *cells, *([" " + note] if note else []), flush=True)

    def row(self, title, figures, note=""):
        self.print(title, [f"{figure:.1f}" for figure in figures], note)


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]


def median_ratio(firsts, seconds):
    """The median of the rounds' ratios, which a disturbance of a single round cannot move."""
    ratios = [first / second for first, second in zip(firsts, seconds) if second > 0]
    return f"{statistics.median(ratios):.3f}" if ratios else "-"
