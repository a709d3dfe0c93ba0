"""Failures and waiting, for the tests that are written in Python."""

import time


class Failure(Exception):
    pass


def wait_for(what, question, seconds=10.0):
    """Asks until the answer is true; returns it."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)
