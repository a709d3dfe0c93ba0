"""Namespaces for a whole script: its processes and its changes to the network end with it."""

import os
import subprocess
import sys

SHARES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"]


def enter(command):
    """Executes the script again in namespaces of its own, as the first process there; ends it if there can be none."""
    if os.environ.get("BEGAT_OWN_NETWORK") == "yes":
        return
    if os.geteuid() != 0:
        sys.exit(f"NOT RUN: networks of their own need root: sudo {command}")
    trial = subprocess.run([*SHARES, "ip", "link", "add", "one", "type", "veth", "peer", "name", "other"],
                           capture_output=True, text=True, check=False)
    if trial.returncode != 0:
        sys.exit(f"NOT RUN: no networks can be made here: {trial.stderr.strip()}")
    os.environ["BEGAT_OWN_NETWORK"] = "yes"
    os.execvp("unshare", [*SHARES, sys.executable, *sys.argv])
