"""The table of rounds that the scripts here print, and medians of rounds."""

import statistics


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


def median_of_ratios(firsts, seconds):
    """The median of the rounds' ratios, which a disturbance of a single round cannot move; None without a round."""
    ratios = [first / second for first, second in zip(firsts, seconds) if second > 0]
    return statistics.median(ratios) if ratios else None


def ratio_text(firsts, seconds):
    ratio = median_of_ratios(firsts, seconds)
    return "-" if ratio is None else f"{ratio:.3f}"
