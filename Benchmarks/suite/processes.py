"""Processes of this machine, as /proc shows them."""

import pathlib


def fields_of(process):
    """The fields of proc_pid_stat(5) from the state on; the name before it, in brackets, may contain anything."""
    return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def children():
    """By process, the numbers of those that it has started."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int(fields_of(entry.name)[1])
            except OSError:
                continue
            found.setdefault(parent, []).append(int(entry.name))
    return found


def descendants(processes):
    """The numbers of all processes that these have started, and those have started."""
    started_by, found, wanted = children(), set(), list(processes)
    while wanted:
        started = started_by.get(wanted.pop(), [])
        found.update(started)
        wanted += started
    return found


class PageFaults:
    """Those of some processes so far, and those of all children that they have reaped."""

    def __init__(self, processes):
        fields = [fields_of(process) for process in processes]
        self.own = sum(int(each[7]) for each in fields)
        self.children = sum(int(each[8]) for each in fields)
