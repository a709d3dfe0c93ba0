"""Medians of rounds, and of their ratios."""

import statistics

from .table import median_of_ratios


def values(row, name):
    """The figure's value by round, where there is one."""
    return {one["round"]: one[name] for one in row["rounds"] if one.get(name) is not None}


def median(row, name):
    found = values(row, name).values()
    return statistics.median(found) if found else None


def common(one, two):
    """The values of those rounds that both have."""
    numbers = [number for number in one if number in two]
    return [one[number] for number in numbers], [two[number] for number in numbers]


def ratio_of_rows(row, other, name):
    return median_of_ratios(*common(values(row, name), values(other, name)))


def row_of(part, label):
    return next((row for row in part["rows"] if row["label"] == label), None) if part else None


def ratio(part, label, other, name):
    """The same for two servers of a part, None if one of them was not measured."""
    row, reference = row_of(part, label), row_of(part, other)
    return ratio_of_rows(row, reference, name) if row and reference else None


def best(part, name, without):
    """The label of the best of the other servers."""
    rows = [row for row in part["rows"] if not row["label"].startswith(without) and median(row, name)] if part else []
    return max(rows, key=lambda row: median(row, name))["label"] if rows else None


def counts_held(part):
    """The numbers of idle connections that were held, ascending."""
    names = {name for row in part["rows"] for one in row["rounds"] for name in one if name.startswith("rate_")}
    return sorted(int(name.removeprefix("rate_")) for name in names)


def quotients(row, held):
    """By round, the rate beside held connections divided by that without."""
    with_them, without = values(row, f"rate_{held}"), values(row, "rate_0")
    return {number: with_them[number] / without[number] for number in with_them if without.get(number)}


def kept(row, held):
    """The part of its rate that a server keeps beside held connections."""
    found = quotients(row, held).values()
    return statistics.median(found) if found else None


def notes(row):
    return [f"round {one['round'] + 1}: {one['note']}" for one in row["rounds"] if one.get("note")]
