"""Runs a learner's code so that it always comes back: time limit, printing, and the line at fault.

How answers are judged does not belong here; that is ``engine``.

The code runs in the caller's thread, and a watchdog thread looks on. The limit counts the
processor time of that thread, less what imports took, so that neither other programs nor a slow
disk use it up; code that waits instead of working has :data:`PATIENCE` times as long. When the
time is over, an exception of a private class is raised at every step that the code still takes
(:class:`_Eviction`), so that neither ``except:`` nor ``finally:`` can hold it; a signal wakes it
from ``time.sleep`` or ``input`` before. Threads that it started end in the same way.

What is lost where the caller is not the main thread, which alone receives signals: code that
sleeps or waits ends when its call returns, and on systems without ``pthread_getcpuclockid``
(macOS, Windows) everything has the patience of code that waits. What no thread has: one call into
C that never returns and lets nobody else run (``list(itertools.count())``) ends only with Python.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import linecache
import operator
import signal
import sys
import sysconfig
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

TIME_LIMIT = 5.0
"""Seconds of work that all calls of one check may take together, where its form says no other."""

PATIENCE = 6
"""How many times its limit code may take that waits, or that other programs keep waiting."""

IMPORT_LIMIT = 120.0
"""Seconds after which even an import in progress (TensorFlow's first one is slow) is stopped."""

GRACE = 1.0
"""Seconds that threads of the learner's may take to end before they are left behind."""

PRINT_LIMIT = 2000
"""Characters that the learner's code may print during one check."""

_TICK = 0.02

# The share of its time from which on the watchdog looks at what the code is in. Hardly any code
# comes so far, and frames of a running thread are not read without need: Python 3.11 has crashed
# there (python/cpython#111363).
_SOON = 0.1

# Calls by which the recursion may go deeper for each exception, and how often in all: the stack
# that C has is not endless.
_HEADROOM = 50
_TIMES_HEADROOM = 20


class OutOfTime(BaseException):
    """Raised inside the learner's code when its time is over; nobody else sees it."""


@dataclass(frozen=True)
class Run:
    """What became of guarded work.

    Attributes:
        finished: whether the work came to its end by itself.
        value: what it returned, when it finished.
        error: what it raised, when it finished by raising.
        stopped_at: the learner's line at which time ran out, or an empty text.
        left_behind: whether a thread that it started could not be stopped and still runs.
        warning: the first warning on the way, or an empty text.
    """

    finished: bool
    value: Any = None
    error: BaseException | None = None
    stopped_at: str = ""
    left_behind: bool = False
    warning: str = ""


def run_guarded(work: Callable[[], Any], limit: float = TIME_LIMIT) -> Run:
    """Run ``work``, but not for ever.

    Args:
        work: a function without arguments.
        limit: seconds that it may work.

    Returns:
        What became of it. Standard output and error pass through, cut after
        :data:`PRINT_LIMIT` characters; warnings are held back.

    Raises:
        KeyboardInterrupt: the reader interrupted the work, which has ended.

    >>> run_guarded(lambda: 3).value
    3
    """
    limited = functools.partial(_Limited, [PRINT_LIMIT])
    others = set(sys._current_frames())
    watch = _Watch(limit)
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(limited(sys.stdout)),
        contextlib.redirect_stderr(limited(sys.stderr)),
        _interpreter_kept(),
        watch.interruptible(),
    ):
        warnings.simplefilter("default")
        value, error = watch.look_on(work)
        left_behind = _end_threads({*others, watch.watchdog.ident})
    if watch.interruption is not None:
        raise watch.interruption
    warning = f"{caught[0].category.__name__}: {caught[0].message}" if caught else ""
    if watch.eviction.begun:
        return Run(False, None, None, watch.stopped_at, left_behind, warning)
    return Run(True, value, error, left_behind=left_behind, warning=warning)


class _Watch:
    """One run in the caller's thread, with a watchdog that ends it.

    Attributes:
        eviction: begun once the code's time is over, or the reader has interrupted it.
        interruption: what the reader's interrupt raised.
        stopped_at: the learner's line at which time ran out.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.ident = threading.get_ident()
        self.eviction = _Eviction(self.ident)
        self.interruption: BaseException | None = None
        self.stopped_at = ""
        self.watchdog = threading.Thread(target=self._watch, daemon=True)
        self._ended = threading.Event()
        self._signals = False
        self._asked = False
        self._worked = 0.0
        self._before = time.thread_time()

    def look_on(self, work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
        """What the work returned and what it raised."""
        value = error = None
        self.watchdog.start()
        try:
            value = work()
            self.eviction.over = True
        except BaseException as raised:  # noqa: BLE001 - handed to the caller
            self.eviction.over = True
            error = raised
        # Up to here there was no call, because an exception could have arrived at one; the last
        # one, which may be under way, arrives below.
        self.eviction.error.__init__ = BaseException.__init__  # type: ignore[misc]  # its own
        try:
            self._finish()
        except OutOfTime:
            self._finish()
        return value, error

    def _finish(self) -> None:
        self._ended.set()
        self.watchdog.join()
        self.eviction.end()
        if self.eviction.begun:
            _settle(self.ident)

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Have signals arrive at this watch, where the thread receives any."""
        previous = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or previous is None:
            yield
            return
        self._signals = True
        signal.signal(signal.SIGINT, functools.partial(self._receive, previous))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def _receive(self, previous: Any, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the watchdog's, or the reader's interrupt."""
        if self._asked:
            self._asked = False
            self._worked = time.thread_time() - self._before
        elif callable(previous):
            try:
                previous(number, frame)
            except BaseException as error:  # noqa: BLE001 - raised again when the work has ended
                self.interruption = error
                self._evict()
        if self.eviction.begun and not self.eviction.over and not _ours(frame):
            raise OutOfTime

    def _watch(self) -> None:
        start, importing = time.monotonic(), 0.0
        before = start
        while not self._ended.wait(_TICK):
            now = time.monotonic()
            elapsed, step, before = now - start, now - before, now
            if elapsed < _SOON * self.limit:
                continue
            if _importing(self.ident) and elapsed < IMPORT_LIMIT:
                importing += step
                continue
            if elapsed - importing < self.limit:
                continue
            if hasattr(time, "pthread_getcpuclockid"):
                clock = time.pthread_getcpuclockid(self.ident)
                self._worked = time.clock_gettime(clock) - self._before
            elif self._signals:
                self._ask()
            late = elapsed - importing >= PATIENCE * self.limit
            if late or self._worked - importing >= self.limit:
                self._evict()
                if self._signals:
                    self._ask()

    def _ask(self) -> None:
        """Wake the thread; where it is still able to, it answers how long it has worked."""
        self._asked = True
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(self.ident, signal.SIGINT)
        else:
            signal.raise_signal(signal.SIGINT)

    def _evict(self) -> None:
        if not self.eviction.begun:
            self.stopped_at = where(sys._current_frames().get(self.ident))
        self.eviction.push()


class _Eviction:
    """Raises in a thread at every step until it has left the code that it is in.

    From Python 3.12 on ``sys.monitoring`` does it, at the start of each line and function. Before,
    each exception raises the next: creating it is C code that sets it pending in its thread, so
    that it arrives at the next call or jump, outside of the ``try`` that has caught this one.

    Attributes:
        ident: the thread.
        begun: whether it has raised.
        over: whether the thread has left the code; then no more is raised.
        error: what is raised.
    """

    def __init__(self, ident: int) -> None:
        self.ident = ident
        self.begun = False
        self.over = False
        self._deeper = _TIMES_HEADROOM
        self.error = type("OutOfTime", (OutOfTime,), {})

    def push(self) -> None:
        """Begin to raise; again, where one got lost."""
        first, self.begun = not self.begun, True
        # What is raised in `__del__` and ends a thread is reported to these hooks. A function in C
        # without an effect takes their place: one in Python would be left at its first step.
        sys.unraisablehook = threading.excepthook = id
        if sys.version_info < (3, 12):
            # Creating the next one takes a few calls; where the recursion is at its limit, they
            # would fail and the exception be lost.
            if self._deeper:
                self._deeper -= 1
                sys.setrecursionlimit(sys.getrecursionlimit() + _HEADROOM)
            raise_next = functools.partial(_raise_in_thread, self.ident, self.error)
            if first:  # later the thread may have left already, and have taken this back
                self.error.__init__ = staticmethod(raise_next)  # type: ignore[misc]  # its own
            if not self.over:
                raise_next()
        elif first:
            _monitored[self.ident] = self
            _start_monitoring()

    def end(self) -> None:
        """Stop raising."""
        if _monitored.pop(self.ident, None) is not None and not _monitored:
            _stop_monitoring()


_monitored: dict[int, _Eviction] = {}
_MONITOR = 4  # a tool number that sys.monitoring leaves free
_monitoring: Any = getattr(sys, "monitoring", None)  # from Python 3.12 on


def _start_monitoring() -> None:
    if _monitoring.get_tool(_MONITOR) is None:
        _monitoring.use_tool_id(_MONITOR, __name__)
    known = _monitoring.events
    events = (known.LINE, known.PY_START, known.PY_RESUME)
    for event in events:
        _monitoring.register_callback(_MONITOR, event, _raise_where_monitored)
    _monitoring.set_events(_MONITOR, functools.reduce(operator.or_, events))


def _stop_monitoring() -> None:
    _monitoring.set_events(_MONITOR, 0)
    _monitoring.free_tool_id(_MONITOR)


def _raise_where_monitored(code: CodeType, *_: Any) -> None:
    eviction = _monitored.get(threading.get_ident())
    # A thread's own end must not be disturbed.
    if eviction and not eviction.over and code.co_filename not in {__file__, threading.__file__}:
        raise eviction.error


# Keeps the GIL, and is called without a Python frame of its own.
_raise_in_thread = ctypes.PYFUNCTYPE(None, ctypes.c_ulong, ctypes.py_object)(
    ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
)


class _Settled(BaseException):
    """Takes the place of what is still to arrive in a thread."""


def _settle(ident: int) -> None:
    """Have what is pending in this thread arrive here.

    Taking it back would leave a flag of the interpreter set, and Python 3.11 then stands still at
    the next call for ever while a profiler or a debugger looks on.
    """
    try:
        _raise_in_thread(ident, _Settled)
        while True:
            pass
    except _Settled:
        pass


def _end_threads(others: Set[int | None]) -> bool:
    """End the threads in which the learner's code still runs; whether there is one left."""
    evictions: dict[int, _Eviction] = {}
    start = time.monotonic()
    while idents := [i for i, f in sys._current_frames().items() if i not in others and _busy(f)]:
        if time.monotonic() - start > GRACE:
            for ident in idents:
                # Arrives when its call into C comes back; this one ends a thread in silence.
                _raise_in_thread(ident, SystemExit)
            break
        for ident in idents:
            evictions.setdefault(ident, _Eviction(ident)).push()
        time.sleep(_TICK)
    for eviction in evictions.values():
        eviction.end()
    return bool(idents)


def _busy(frame: FrameType | None) -> bool:
    """Whether a thread is in the learner's code or about to enter it."""
    return _learners(frame) is not None or all(
        step.f_code.co_filename == threading.__file__ for step, _ in _stack(frame)
    )


def _importing(ident: int) -> bool:
    return any(
        step.f_code.co_filename.startswith("<frozen importlib")
        for step, _ in _stack(sys._current_frames().get(ident))
    )


def _ours(frame: FrameType | None) -> bool:
    return frame is not None and frame.f_code.co_filename == __file__


@contextlib.contextmanager
def _interpreter_kept() -> Iterator[None]:
    previous = sys.unraisablehook, threading.excepthook
    depth = sys.getrecursionlimit()
    try:
        yield
    finally:
        sys.unraisablehook, threading.excepthook = previous
        sys.setrecursionlimit(depth)


class _Limited(io.TextIOBase):
    """Passes text on until the limit, which both streams share, is used up."""

    def __init__(self, left: list[int], stream: Any) -> None:
        self._left = left
        self._stream = stream

    def write(self, text: str) -> int:
        if self._left[0] > 0:
            self._stream.write(text[: self._left[0]])
            self._left[0] -= len(text)
            if self._left[0] <= 0:
                self._stream.write("\n… (the rest of what your code prints is left out)\n")
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


def where(place: TracebackType | FrameType | None) -> str:
    """The learner's line in a traceback or a running frame: ``line 3: `return a[5]```.

    That is the innermost line that is neither the check's own nor a library's. The text of a
    notebook cell is found as well: IPython enters it in ``linecache``.
    """
    found = _learners(place)
    if found is None:
        return ""
    frame, number = found
    text = linecache.getline(frame.f_code.co_filename, number, frame.f_globals).strip()
    return f"line {number}: `{text}`" if text else f"line {number}"


def _learners(place: TracebackType | FrameType | None) -> tuple[FrameType, int] | None:
    for frame, number in _stack(place):
        if not frame.f_code.co_filename.startswith(_NOT_THE_LEARNERS):
            return frame, number
    return None


def _stack(place: TracebackType | FrameType | None) -> list[tuple[FrameType, int]]:
    """Frames with their lines, the innermost first."""
    steps = []
    if isinstance(place, TracebackType):
        while place is not None:
            steps.append((place.tb_frame, place.tb_lineno))
            place = place.tb_next
        return steps[::-1]
    while place is not None:
        steps.append((place, place.f_lineno))
        place = place.f_back
    return steps


_NOT_THE_LEARNERS = (
    "<frozen",
    "<__array_function__",
    str(Path(__file__).parent),
    *(str(Path(sysconfig.get_path(kind))) for kind in ("stdlib", "purelib", "platlib")),
    str(Path(threading.__file__).parent),
)
