"""Runs a learner's code so that it always comes back: time limit, printing, and the line at fault.

How answers are judged does not belong here; that is ``engine``.

The code runs in a thread of its own while the caller waits, because neither signals nor
processes do it everywhere: signals need POSIX and the main thread, a process needs a function
that pickles, which one from a notebook does not. When the time is over, an exception of a private
class is raised inside that thread (``PyThreadState_SetAsyncExc``), and raised again at every
step until the code has left, so that ``except:`` and ``finally:`` cannot hold it. Two things
remain: one call into C that never returns cannot be interrupted. If it lets other threads run
(``time.sleep``, ``input``), the check gives up, says so and leaves the thread behind; if it does
not (``list(itertools.count())``), nothing but a restart of Python ends it.
"""

from __future__ import annotations

import _thread
import contextlib
import contextvars
import ctypes
import functools
import io
import linecache
import sys
import sysconfig
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

TIME_LIMIT = 5.0
"""Seconds that all calls of one check may take together, where its form says nothing else."""

IMPORT_LIMIT = 120.0
"""Seconds after which even an import in progress (TensorFlow's first one is slow) is stopped."""

GRACE = 2.0
"""Seconds that stopping may take before the code is left behind."""

PRINT_LIMIT = 2000
"""Characters that the learner's code may print during one check."""

_TICK = 0.01

# Both keep the GIL, and both are called without a Python frame of their own.
_raise_in_thread = ctypes.PYFUNCTYPE(None, ctypes.c_ulong, ctypes.py_object)(
    ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
)
_raise_nothing_in_thread = ctypes.PYFUNCTYPE(None, ctypes.c_ulong, ctypes.c_void_p)(
    ("PyThreadState_SetAsyncExc", ctypes.pythonapi)
)


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
        left_behind: whether it could not be stopped and still runs.
        warning: the first warning on the way, or an empty text.
    """

    finished: bool
    value: Any = None
    error: BaseException | None = None
    stopped_at: str = ""
    left_behind: bool = False
    warning: str = ""


class _Job:
    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.value: Any = None
        self.error: BaseException | None = None
        self.finished = False
        self.done = _thread.allocate_lock()
        self.done.acquire()
        self.leave = _thread.allocate_lock()
        self.leave.acquire()

    def run(self) -> None:
        """Work, then wait until nothing more can be raised in this thread.

        An exception from outside can only arrive where the interpreter looks for one: after a
        call, at a function's start, at a loop's end. So `finished` is set without a call, and
        the three attempts to wait stand in a straight line.
        """
        try:
            try:
                self.value = self.work()
            except BaseException as error:  # noqa: BLE001 - handed to the caller
                self.error = error
            finally:
                self.finished = True
            self.done.release()
            self.leave.acquire()
        except BaseException:  # noqa: BLE001 - the time limit, arriving late
            self.finished = True
            try:
                self.leave.acquire()
            except BaseException:  # noqa: BLE001 - and once more
                with contextlib.suppress(BaseException):
                    self.leave.acquire()


def run_guarded(work: Callable[[], Any], limit: float = TIME_LIMIT) -> Run:
    """Run ``work`` in a thread and wait for it, but not for ever.

    Args:
        work: a function without arguments.
        limit: seconds to wait at most.

    Returns:
        What became of it. Standard output and error pass through, cut after
        :data:`PRINT_LIMIT` characters; warnings are held back.

    Raises:
        KeyboardInterrupt: the reader interrupted the wait; the work has been stopped.

    >>> run_guarded(lambda: 3).value
    3
    """
    job = _Job(work)
    limited = functools.partial(_Limited, [PRINT_LIMIT])
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(limited(sys.stdout)),
        contextlib.redirect_stderr(limited(sys.stderr)),
    ):
        warnings.simplefilter("default")
        ident = _thread.start_new_thread(contextvars.copy_context().run, (job.run,))
        try:
            in_time = _wait(job, ident, limit)
            stopped_at = "" if in_time else where(sys._current_frames().get(ident))
        except BaseException:
            _stop(job, ident)
            raise
        if not in_time:
            _stop(job, ident)
        else:
            job.leave.release()
    warning = f"{caught[0].category.__name__}: {caught[0].message}" if caught else ""
    if in_time:
        return Run(True, job.value, job.error, warning=warning)
    return Run(False, stopped_at=stopped_at, left_behind=not job.finished, warning=warning)


def _wait(job: _Job, ident: int, limit: float) -> bool:
    # In short waits, because a long one cannot be interrupted on Windows.
    start = time.monotonic()
    while not job.done.acquire(timeout=0.1):
        elapsed = time.monotonic() - start
        if job.finished:
            break
        if elapsed > IMPORT_LIMIT or (elapsed > limit and not _importing(ident)):
            return job.finished
    return True


def _stop(job: _Job, ident: int) -> None:
    """Raise in the thread until the work has ended."""
    leaving = type("OutOfTime", (OutOfTime,), {})
    # Creating the exception raises the next one. It is C code, so the next one arrives at the
    # learner's next step, which is outside of the `try` that caught this one, or of the one around.
    leaving.__init__ = staticmethod(functools.partial(_raise_in_thread, ident, leaving))
    start, ticks = time.monotonic(), 0
    while not job.finished and time.monotonic() - start < GRACE:
        if ticks % 10 == 9 and sys.version_info >= (3, 12):
            _raise_by_tracing(job, ident)
        else:
            _raise_in_thread(ident, leaving)
        ticks += 1
        time.sleep(_TICK)
    leaving.__init__ = BaseException.__init__
    if job.finished:
        _raise_nothing_in_thread(ident, None)
    # Otherwise the one still pending ends the work as soon as its call into C comes back.
    job.leave.release()


def _raise_by_tracing(job: _Job, ident: int) -> None:
    # Python 3.12 can count the step at the end of a loop to the `try` before it; a trace function
    # raises at the start of a line instead. One thread cannot be traced from outside, all can.
    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if _thread.get_ident() != ident or frame.f_code.co_filename == __file__ or job.finished:
            return None
        raise OutOfTime

    ours, for_new_threads = sys.gettrace(), threading.gettrace()
    frame = sys._current_frames().get(ident)
    while frame is not None and frame.f_code.co_filename != __file__:
        frame.f_trace = trace
        frame = frame.f_back
    threading.settrace_all_threads(trace)
    time.sleep(_TICK)
    threading.settrace_all_threads(None)
    threading.settrace(for_new_threads)
    sys.settrace(ours)


def _importing(ident: int) -> bool:
    frame = sys._current_frames().get(ident)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


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
    if isinstance(place, TracebackType):
        steps = []
        while place is not None:
            steps.append((place.tb_frame, place.tb_lineno))
            place = place.tb_next
        steps.reverse()
    else:
        steps = []
        while place is not None:
            steps.append((place, place.f_lineno))
            place = place.f_back
    for frame, number in steps:
        path = frame.f_code.co_filename
        if not path.startswith(_NOT_THE_LEARNERS):
            text = linecache.getline(path, number, frame.f_globals).strip()
            return f"line {number}: `{text}`" if text else f"line {number}"
    return ""


_NOT_THE_LEARNERS = (
    "<frozen",
    "<__array_function__",
    __file__,
    str(Path(__file__).with_name("engine.py")),
    str(Path(__file__).with_name("forms.py")),
    str(Path(__file__).with_name("draws.py")),
    str(Path(__file__).with_name("lesson10.py")),
    *(str(Path(sysconfig.get_path(kind))) for kind in ("stdlib", "purelib", "platlib")),
    str(Path(threading.__file__).parent),
)
