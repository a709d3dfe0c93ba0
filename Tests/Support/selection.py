"""The choice of tests that are written in Python."""

import importlib


def cases(directory, wanted):
    """The tests: functions test_… of the modules in directory/cases, in the order of their files and lines; all of them,
    or those whose names, as they are printed, contain one of the wanted parts."""
    for file in sorted((directory / "cases").glob("*.py")):
        module = importlib.import_module(f"cases.{file.stem}")
        for function, test in vars(module).items():
            name = f"{file.stem}.{function.removeprefix('test_')}"
            if function.startswith("test_") and (not wanted or any(part in name for part in wanted)):
                yield name, test
