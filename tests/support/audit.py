"""An audit log as tests look at it."""

import subprocess
import sys

from streams.audit.verifier import Check, Head, lines_of, read_entry


def entries(audit):
    """Return the entries of a log, whose chain is whole."""
    lines = [line for file, size in audit.parts() for line in lines_of(file, size)]
    check = Check([Head(audit.name(), *audit.end(), "", "")])
    check.run(lines)
    assert check.faults == []
    return [read_entry(line.data) for line in lines]


def kinds(audit):
    """Return the kinds of the entries of a log, whose chain is whole."""
    return [each["kind"] for each in entries(audit)]


def bare(*arguments):
    """Run the verifier in a Python without any package, and return its status and what it said."""
    command = [sys.executable, "-I", "-S", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout
