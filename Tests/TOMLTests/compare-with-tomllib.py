#!/usr/bin/env python3
"""Compares the project's TOML parser with Python's tomllib, over generated and mutated documents.

    compare-with-tomllib.py --probe PATH [--count N] [--seed N] [--corpus DIRECTORY] [--seeds FILE...]

Documents come from a grammar with a small alphabet of keys (so that keys and tables meet), and from mutations of such
documents, of the files given and of *.toml below the corpus.  toml-probe answers each with its values or an error; the
same is made of tomllib's answer.  The first differences are printed, and the exit status is then 1.

The same seed and files give the same documents.
"""

import argparse
import datetime
import math
import pathlib
import random
import re
import struct
import subprocess
import sys
import tomllib

KEYS = ["a", "b", "c", "a.b", "b.a", "a.b.c", "c.c", '"a"', "'b'", '"c d"', '""', '"é"', '"e\u0301"', "1", "-", "_x",
        "1.2", "k1.x", "k2.y.z", "k1.k2"] + [f"k{number}" for number in range(24)]
WORDS = ["hello", "yes", "True", "0660", "1_", "_1", "1__0", "+-1", "0x", "0XFF", "1.", ".5", "1e", "inf", "nan",
         "+inf", "-nan", "Inf", "truefalse", "~", "é", "\u00a0"]
TOKENS = ["=", ".", ",", "[", "]", "[[", "]]", "{", "}", '"', "'", '"""', "'''", "\\", "\\u00e9", "\\UD800",
          "\\x41", "\n", "\r\n", "\r", "\t", " ", "#", "# x\n", "\0", "\x7f", "\u00a0", "\ufeff", "0", "1",
          "-", "+", "_", "e", "x", ":", "T", "Z", "true", "a", "a = 1\n", "[a]\n", "[[a]]\n", "[a.b]\n", "a.b = 1\n", "\U0001f600"]


class Grammar:
    """Makes documents that are mostly valid, and touch one another's tables often."""

    def __init__(self, rng):
        self.rng = rng

    def maybe(self, probability):
        return self.rng.random() < probability

    def blank(self):
        return self.rng.choice(["", " ", " ", " ", "\t", "  "])

    def digits(self, minimum=1, maximum=6, alphabet="0123456789"):
        text = "".join(self.rng.choice(alphabet) for _ in range(self.rng.randint(minimum, maximum)))
        return re.sub(r"(?<=.)(?=.)", lambda _: "_" if self.maybe(0.05) else "", text)

    def integer(self):
        kind = self.rng.randrange(12)
        if kind == 0:
            return "0x" + self.digits(1, 17, "0123456789abcdefABCDEF")
        if kind == 1:
            return "0o" + self.digits(1, 23, "01234567")
        if kind == 2:
            return "0b" + self.digits(1, 66, "01")
        if kind == 3:
            return str(self.rng.choice([2**63, 2**63 - 1, -(2**63), -(2**63) - 1, 2**64, 10**30]))
        digits = self.digits() if self.maybe(0.1) else str(self.rng.randrange(10**6))
        return self.rng.choice(["", "", "+", "-"]) + digits

    def float(self):
        if self.maybe(0.1):
            return self.rng.choice(["inf", "+inf", "-inf", "nan", "+nan", "-nan"])
        if self.maybe(0.3):
            return repr(struct.unpack("d", self.rng.randbytes(8))[0])
        text = self.rng.choice(["", "+", "-"]) + str(self.rng.randrange(10**4))
        if self.maybe(0.8):
            text += "." + self.digits(1, 20)
        if self.maybe(0.5):
            text += self.rng.choice("eE") + self.rng.choice(["", "+", "-"]) + self.digits(1, 3)
        return text

    def two(self, maximum):
        return f"{self.rng.randint(0, maximum):02}"

    def date(self):
        date = f"{self.rng.choice([1, 1900, 1979, 2000, 2024, 2026, 9999]):04}-{self.two(13)}-{self.two(32)}"
        time = f"{self.two(24)}:{self.two(60)}:{self.two(60)}" + (f".{self.digits(1, 9)}" if self.maybe(0.3) else "")
        offset = self.rng.choice(["", "Z", "z", f"+{self.two(24)}:{self.two(60)}", f"-{self.two(24)}:{self.two(60)}"])
        kind = self.rng.randrange(4)
        if kind < 2:
            return time if kind else date
        return date + self.rng.choice("Tt ") + time + (offset if kind == 2 else "")

    def characters(self, extra):
        alphabet = ["a", "b", " ", "é", "\U0001f600", "#", "=", "[", "]", ",", "0", "\t"] + extra
        return "".join(self.rng.choice(alphabet) for _ in range(self.rng.randrange(8)))

    def string(self):
        escapes = ["\\n", "\\\\", '\\"', "\\t", "\\b", "\\f", "\\r", "\\u00e9", "\\u0000", "\\U0001F600"]
        if self.maybe(0.05):
            escapes += ["\\uD800", "\\U00110000", "\\e", "\\x41", "\\ ", "\\'", "\\u12", "\0", "\x7f", "\r"]
        kind = self.rng.randrange(6)
        if kind == 0:
            return "'" + self.characters(['"', "\\"]) + "'"
        if kind == 1:
            return "'''" + self.characters(['"', "\\", "\n", "\r\n", "'", "''"]) + "'''"
        if kind == 2:
            lines = ["\n", "\r\n", "\\\n  ", "\\  \n\n", "\\\r\n"]
            return '"""' + self.characters(escapes + lines + ['"', '""', "'"]) + '"""'
        return '"' + self.characters(escapes + ["'"]) + '"'

    def space(self):
        return self.rng.choice(["", "", " ", "\n", "\r\n", " # x\n", "\n\n  "])

    def value(self, depth):
        kind = self.rng.randrange(12 if depth else 9)
        if kind < 2:
            return self.integer()
        if kind == 2:
            return self.float()
        if kind == 3:
            return self.date()
        if kind == 4:
            return self.rng.choice(["true", "false"])
        if kind == 5 and self.maybe(0.05):
            return self.rng.choice(WORDS)
        if kind < 9:
            return self.string()
        if kind < 11:
            values = [self.space() + self.value(depth - 1) + self.space() for _ in range(self.rng.randrange(4))]
            return "[" + ",".join(values) + ("," if values and self.maybe(0.3) else "") + self.space() + "]"
        entries = [self.blank() + self.assignment(depth - 1) for _ in range(self.rng.randrange(4))]
        return "{" + ",".join(entries) + (self.rng.choice(["", " ", ",", "\n"]) if self.maybe(0.1) else "") + "}"

    def key(self):
        key = self.rng.choice(KEYS)
        if self.maybe(0.1):
            key += self.blank() + "." + self.blank() + self.rng.choice(KEYS)
        wrong = ["", "é", "a b", '"""a"""', "a..b", ".a", "a.", "\\", "a/b"]
        return key if self.maybe(0.97) else self.rng.choice(wrong)

    def assignment(self, depth):
        return f"{self.key()}{self.blank()}={self.blank()}{self.value(depth)}"

    def line(self):
        kind = self.rng.randrange(10)
        if kind == 0:
            return self.rng.choice(["", "# comment é", "#", "\t"])
        if kind == 1:
            return f"[{self.blank()}{self.key()}{self.blank()}]"
        if kind == 2:
            return f"[[{self.blank()}{self.key()}{self.blank()}]]"
        return self.blank() + self.assignment(3)

    def tables(self):
        """Headers and dotted keys of few names, which meet one another's tables; most lines that err are left out."""
        text = ""
        for _ in range(self.rng.randint(2, 16)):
            path = ".".join(self.rng.choice("aaabbc") for _ in range(self.rng.randint(1, 3)))
            forms = [f"[{path}]", f"[{path}]", f"[[{path}]]", f"{path} = 1", f"{path} = 1", f"{path} = {{a.b = 1}}"]
            longer = text + self.rng.choice(forms) + "\n"
            if not expected(longer.encode("utf-8")).startswith("error") or self.maybe(0.1):
                text = longer
        return text.encode("utf-8")

    def document(self):
        if self.maybe(0.3):
            return self.tables()
        lines = [self.line() + self.rng.choice(["", "", "", " # x"]) for _ in range(self.rng.randint(1, 8))]
        text = "".join(line + self.rng.choice(["\n", "\n", "\n", "\r\n"]) for line in lines)
        return text.encode("utf-8")


def mutate(rng, document, others):
    """Some small changes of one document."""
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        place = rng.randint(0, len(document))
        end = min(len(document), place + rng.choice([1, 1, 2, 5, 20]))
        kind = rng.randrange(11)
        if kind < 3:
            document = document[:place] + rng.choice(TOKENS).encode("utf-8") + document[place:]
        elif kind < 5:
            document = document[:place] + document[end:]
        elif kind == 5:
            document = document[:place] + bytes([rng.randrange(256)]) + document[place + 1:]
        elif kind == 6:
            document = document[:place] + document[place:end] * 2 + document[end:]
        elif kind == 7:
            document = document[:place]
        elif kind == 8:
            lines = document.splitlines(keepends=True)
            rng.shuffle(lines)
            document = b"".join(lines)
        elif kind == 9:
            other = rng.choice(others)
            start = rng.randint(0, len(other))
            document = document[:place] + other[start:start + 40] + document[place:]
        else:
            document = document.replace(b"\n", b"\r\n") if rng.random() < 0.5 else document.replace(b"a", b"b", 1)
    return document


def documents(rng, count, files):
    grammar = Grammar(rng)
    for number in range(count):
        generated = grammar.document()
        if number % 3 == 0:
            yield generated
        elif number % 3 == 1 or not files:
            yield mutate(rng, generated, files or [generated])
        else:
            yield mutate(rng, rng.choice(files), files)


def canonical(value):
    """The values in the same line of ASCII as toml-probe makes of them."""
    if isinstance(value, dict):
        return "{" + ",".join(canonical(key) + "=" + canonical(item) for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        def shown(byte):
            return chr(byte) if byte < 128 and chr(byte).isalnum() else f"%{byte:02x}"
        return '"' + "".join(map(shown, value.encode("utf-8"))) + '"'
    if isinstance(value, int):
        # TOML asks for 64 bits and for an error beyond; tomllib takes any integer.
        if not -(2**63) <= value < 2**63:
            raise OverflowError("an integer beyond 64 bits")
        return str(value)
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"f{struct.unpack('Q', struct.pack('d', value))[0]:x}"
    if isinstance(value, datetime.datetime):
        text = value.isoformat("T", "microseconds")
        return text[:-6] + "Z" if text.endswith("+00:00") else text
    if isinstance(value, datetime.time):
        return value.isoformat("microseconds")
    return value.isoformat()


def same_to_both(document):
    """Takes out what only one of the two accepts, and is known."""
    # Python has no year 0; RFC 3339 has.
    document = document.replace(b"0000-", b"2000-")
    return document


def expected(document):
    """tomllib's answer."""
    # tomllib leaves it to its caller to remove a byte order mark, which TOML 1.0 allows at the start.
    if document.startswith(b"\xef\xbb\xbf"):
        document = document[3:]
    try:
        return canonical(tomllib.loads(document.decode("utf-8")))
    except OverflowError as error:
        return f"error {error}"
    except RecursionError:
        # tomllib is bounded by Python's stack; the parser's own limit is far below that.
        return "error nested too deeply"
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are such
        return f"error {error}"


def answers(probe, batch):
    stream = b"".join(struct.pack(">I", len(document)) + document for document in batch)
    result = subprocess.run([probe], input=stream, stdout=subprocess.PIPE)
    lines = result.stdout.decode("ascii", "backslashreplace").splitlines()
    if result.returncode or len(lines) != len(batch):
        sys.exit(f"toml-probe ended with {result.returncode} after {len(lines)} documents, at {batch[len(lines):][:1]}")
    return lines


def agree(document, ours, theirs):
    # The parser has a limit of nesting, 64 levels, which tomllib has not.
    if "nested too deeply" in ours and sum(map(document.count, [b"[", b"{", b"."])) > 64:
        return True
    return ours.startswith("error") if theirs.startswith("error") else ours == theirs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probe", required=True, help="the program toml-probe")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=pathlib.Path, help="a directory with *.toml to mutate, at any depth")
    parser.add_argument("--seeds", type=pathlib.Path, nargs="*", default=[], help="files to mutate")
    options = parser.parse_args()

    files = [path.read_bytes() for path in options.seeds]
    if options.corpus and options.corpus.is_dir():
        files += [path.read_bytes() for path in sorted(options.corpus.rglob("*.toml"))]
    rng = random.Random(options.seed)
    stream = documents(rng, options.count, files)
    valid = differences = done = 0
    while batch := [same_to_both(document) for _, document in zip(range(1000), stream)]:
        for document, ours in zip(batch, answers(options.probe, batch)):
            theirs = expected(document)
            valid += not theirs.startswith("error")
            if not agree(document, ours, theirs):
                differences += 1
                if differences <= 10:
                    print(f"document: {document!r}\n  parser:  {ours}\n  tomllib: {theirs}")
        done += len(batch)
    print(f"{done} documents, {valid} of them valid, {differences} differences", end=" ")
    print(f"(seed {options.seed}, {len(files)} files to mutate)")
    sys.exit(1 if differences or done != options.count else 0)


if __name__ == "__main__":
    main()
