"""Foreign code on our thread: a bound on its time, and no way to spoil stdout or the folder.

This is no sandbox. A plugin has the rights of its user; what is caught here are mistakes.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import Any

SECONDS = "YUNJUE_PLUGIN_SECONDS"
DEFAULT_SECONDS = 20.0


class Misbehaved(Exception):
    """What a plugin did that it must not do, in one sentence without its name."""


class _TooSlow(BaseException):
    """Ends code that hangs; no ``except Exception`` keeps it."""


@contextmanager
def guarded(*, bounded: bool = True) -> Iterator[None]:
    """Run a plugin's code.

    Args:
        bounded: end it after :data:`SECONDS` of wall time, where that is possible: on the main
            thread, and not inside a C function that does not return.

    Raises:
        Misbehaved: it raised, took too long, left another working folder or wrote to stdout.
    """
    folder = os.getcwd()
    written = io.StringIO()
    # stdout belongs to the process: two threads that redirect it would not put it back right.
    alone = threading.current_thread() is threading.main_thread()
    kept = redirect_stdout(written) if alone else nullcontext()
    try:
        with kept, _bound() if bounded and alone else nullcontext():
            yield
    except _TooSlow:
        raise Misbehaved(f"it takes longer than {_seconds():g} s ({SECONDS})") from None
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())[:300]
        raise Misbehaved(f"{type(error).__name__}: {text}") from error
    finally:
        moved = _returned(folder)
    if moved:
        raise Misbehaved(f"it changes the working folder to {moved}")
    if written.getvalue():
        start = " ".join(written.getvalue().split())[:60]
        raise Misbehaved(f"it writes to stdout, where results belong: {start!r}")


def _returned(folder: str) -> str:
    """Go back to ``folder``; where the process was, if it was elsewhere."""
    try:
        now = os.getcwd()
    except FileNotFoundError:
        now = "one that is gone"
    if now == folder:
        return ""
    os.chdir(folder)
    return now


def _seconds() -> float:
    try:
        return max(0.1, float(os.environ.get(SECONDS, "")))
    except ValueError:
        return DEFAULT_SECONDS


@contextmanager
def _bound() -> Iterator[None]:
    def ring(*_: Any) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    # Rings again each second: code that swallowed the first one does not get far.
    left, interval = signal.setitimer(signal.ITIMER_REAL, _seconds(), 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, left, interval)


@contextmanager
def stdout_kept() -> Iterator[None]:
    """What C code writes to stdout while a module is imported goes to stderr."""
    try:
        kept = os.dup(1)
    except OSError:
        yield
        return
    try:
        sys.stdout.flush()
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
