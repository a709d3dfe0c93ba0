"""Arguments of the scripts here: servers, and counts."""

import argparse


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


def any_server(text):
    """LABEL=HOST:PORT, LABEL=[HOST]:PORT, LABEL=/PATH or LABEL=@NAME: the label and the target."""
    label, place = labelled(text)
    if place[:1] in ("/", "@"):
        return label, place
    host, _, port = place.rpartition(":")
    if not host or not port:
        raise argparse.ArgumentTypeError(f"{text}: LABEL=HOST:PORT or LABEL=/PATH")
    return label, (host, port)


def whole(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a number of at least 1")
    return int(text)
