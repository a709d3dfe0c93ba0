"""Plots as SVG, drawn here: bars, and lines over an axis that is linear or logarithmic."""

import html
import math

WIDTH, FONT = 860, 'font-family="Helvetica, Arial, sans-serif"'
INK, SOFT, GRID, OURS, OTHERS, LIMITS = "#1f2430", "#5c6470", "#e3e6ea", "#d1495b", "#7d9bb5", "#c9ced6"
# Of the lines that are not begat's.
COLOURS = ["#30638e", "#edae49", "#00798c", "#8a5a83", "#6b705c", "#3d405b", "#b08968", "#81b29a"]


def number(value):
    """A figure as a reader wants it: three digits that count, and thousands apart."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def text(x, y, words, size=13, anchor="start", colour=INK, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}" {FONT}>{html.escape(words)}</text>')


def line(x1, y1, x2, y2, colour=GRID, width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def drawing(height, title, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{html.escape(title)}</title>", f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        text(20, 28, title, 16, weight="bold"), *parts, "</svg>", ""])


def colour_of(label):
    return OURS if label.startswith("begat") else LIMITS if label.startswith("C ") else OTHERS


def bars(title, unit, rows):
    """One bar for each (label, value, least, greatest), with a mark from the least to the greatest round."""
    rows = [row for row in rows if row[1] is not None]
    left, top, step, right = 270, 48, 30, 110
    most = max([row[3] for row in rows], default=1) or 1
    scale = (WIDTH - left - right) / most
    parts = []
    for index, (label, value, least, greatest) in enumerate(rows):
        y = top + index * step
        parts += [
            text(left - 10, y + 17, label, anchor="end"),
            f'<rect x="{left}" y="{y + 3}" width="{max(1, value * scale):.1f}" height="20" rx="2" fill="{colour_of(label)}"/>',
            line(left + least * scale, y + 13, left + greatest * scale, y + 13, INK, 1.5),
            text(left + greatest * scale + 8, y + 17, number(value), colour=SOFT)]
    height = top + len(rows) * step + 34
    legend = f"{unit}: median of the rounds, and a thin line from the least to the greatest. Red: begat. Grey: plain C loops."
    return drawing(height, title, [*parts, text(20, height - 12, legend, 11, colour=SOFT)])


def steps(most):
    """Round numbers from 0 to the most or a little more."""
    size = 10 ** math.floor(math.log10(most)) if most > 0 else 1
    size = next(size * part for part in (0.1, 0.2, 0.5, 1, 2) if most / (size * part) <= 8)
    return [size * index for index in range(int(math.ceil(most / size)) + 1)]


def decades(least, most):
    low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0 ** power for power in range(low, max(high, low + 1) + 1)]


def lines(title, x_label, y_label, x_ticks, series, is_logarithmic=False):
    """Lines over x_ticks, which are (name, place from 0 to 1); series are (label, [(place, value)])."""
    series = [(label, points) for label, points in series if points]
    found = [value for _, points in series for _, value in points] or [1]
    left, top, right, bottom, height = 80, 54, 250, 56, 440
    floor = top + (height - top - bottom)
    ticks = decades(max(min(found), 1e-9), max(found)) if is_logarithmic else steps(max(found))

    def x_of(place):
        return left + 12 + place * (WIDTH - left - right - 24)

    def y_of(value):
        part = (math.log(value / ticks[0]) / math.log(ticks[-1] / ticks[0])) if is_logarithmic else value / ticks[-1]
        return floor - part * (floor - top)

    parts = [text(20, 46, y_label, 11, colour=SOFT)]
    for tick in ticks:
        parts += [line(left, y_of(tick), WIDTH - right, y_of(tick)),
                  text(left - 8, y_of(tick) + 4, f"{tick:,.0f}" if tick >= 1 else f"{tick:g}", 11, "end", SOFT)]
    for name, place in x_ticks:
        parts += [line(x_of(place), top, x_of(place), floor), text(x_of(place), floor + 18, name, 11, "middle", SOFT)]
    parts.append(text((left + WIDTH - right) / 2, height - 14, x_label, 11, "middle", SOFT))
    others = [label for label, _ in series if not label.startswith("begat")]
    colours = {label: OURS if label not in others else COLOURS[others.index(label) % len(COLOURS)] for label, _ in series}
    # Labels stand at the ends of their lines, apart from one another.
    below = -math.inf
    for label, points in sorted(series, key=lambda one: y_of(one[1][-1][1])):
        colour = colours[label]
        path = " ".join(f"{x_of(place):.1f},{y_of(value):.1f}" for place, value in points)
        width, dashes = (3, ' stroke-dasharray="7 4"' if "," in label else "") if colour == OURS else (1.8, "")
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>')
        parts += [f'<circle cx="{x_of(place):.1f}" cy="{y_of(value):.1f}" r="{width + 0.6}" fill="{colour}"/>'
                  for place, value in points]
        below = max(below + 15, y_of(points[-1][1]) + 4)
        end = x_of(points[-1][0])
        parts += [line(end, y_of(points[-1][1]), WIDTH - right + 10, below - 4, colour, 0.5),
                  text(WIDTH - right + 14, below, label, 12, colour=colour)]
    return drawing(height, title, parts)
