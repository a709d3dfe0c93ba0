"""Running tests one after the other."""

import time
import traceback


def run(tests, place, logs, after):
    """Runs each test, whatever became of those before it, and prints its result.

    tests    pairs of a name and a function, which gets the place and returns a note or None
    logs     returns text that is printed with a failure
    after    is called after each test

    Returns the number of tests, and how many of them failed.
    """
    count = failed = 0
    for name, test in tests:
        count += 1
        start = time.monotonic()
        try:
            note = test(place)
            print(f"✔ {name} ({time.monotonic() - start:.1f} s){': ' + note if note else ''}", flush=True)
        except Exception:  # Tests may fail in any way.
            failed += 1
            print(f"✘ {name} ({time.monotonic() - start:.1f} s)\n{traceback.format_exc()}{logs()}", flush=True)
        finally:
            after()
    return count, failed
