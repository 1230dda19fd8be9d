"""Whatever a learner's code does instead of coming to an end: it ends, and nothing runs on."""

from __future__ import annotations

import contextlib
import itertools
import queue
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from cnncourse.checks import diagnose, form, guards

LIMIT = 0.3


def plain_loop():
    while True:
        pass


def bare_except():
    while True:
        try:  # noqa: SIM105
            time.sleep(0.001)
        except:  # noqa: E722
            pass


def named_except():
    while True:
        try:
            sum(range(100))
        except BaseException as error:  # noqa: BLE001
            _ = error


def except_around_the_loop():
    try:
        plain_loop()
    except BaseException:  # noqa: BLE001
        plain_loop()


def endless_finally():
    try:
        plain_loop()
    finally:
        while True:
            pass


def continue_in_finally():
    while True:
        try:
            time.sleep(0.001)
        finally:
            continue  # noqa: B012


def nested_tries():
    while True:
        try:
            try:
                try:
                    try:  # noqa: SIM105
                        time.sleep(0.001)
                    except BaseException:  # noqa: BLE001
                        pass
                except BaseException:  # noqa: BLE001
                    pass
            except BaseException:  # noqa: BLE001
                pass
        except BaseException:  # noqa: BLE001
            pass


def stubborn_generator():
    def numbers():
        while True:
            try:
                yield 1
            except BaseException:  # noqa: BLE001
                yield 2

    for _ in numbers():
        pass


def generators_in_a_chain():
    return max(number for number in (one for one in itertools.count()) if number < 0)


class Phoenix:
    def __del__(self):
        Phoenix()


def rebirth_through_del():
    while True:
        Phoenix()


def recursion_caught():
    try:
        recursion_caught()
    except BaseException:  # noqa: BLE001
        recursion_caught()


class Swallow:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        return True


def swallowing_with():
    while True:
        with Swallow(), contextlib.suppress(BaseException):
            sum(range(100))


def callbacks_from_c():
    return any(map(lambda _: False, itertools.count()))  # noqa: C417


def late_calls_into_c():
    numbers = np.random.default_rng(0).random(2_000_000)
    while True:
        np.sort(numbers)


def first_import_of_scipy():
    for name in [name for name in sys.modules if name.split(".")[0] == "wave"]:
        del sys.modules[name]
    import wave  # noqa: F401

    plain_loop()


def printing():
    while True:
        print("still here", flush=True)  # noqa: T201


def ignores_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plain_loop()


def asks_again_when_interrupted():
    signal.signal(signal.SIGINT, lambda *_: None)
    plain_loop()


def executed_text():
    while True:
        exec("for _ in range(100): pass")


def starts_threads():
    for work in (plain_loop, bare_except, named_except, nested_tries):
        threading.Thread(target=work).start()
    plain_loop()


def sleeps():
    time.sleep(1000)


def sleeps_again_and_again():
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(1000)


def waits_for_a_queue():
    queue.SimpleQueue().get()


def waits_for_a_lock():
    threading.Event().wait()


def waits_for_its_thread():
    thread = threading.Thread(target=bare_except)
    thread.start()
    thread.join()


WORKING = [
    plain_loop,
    bare_except,
    named_except,
    except_around_the_loop,
    endless_finally,
    continue_in_finally,
    nested_tries,
    stubborn_generator,
    generators_in_a_chain,
    rebirth_through_del,
    recursion_caught,
    swallowing_with,
    callbacks_from_c,
    late_calls_into_c,
    printing,
    ignores_interrupts,
    asks_again_when_interrupted,
    executed_text,
    starts_threads,
]
WAITING = [
    sleeps,
    sleeps_again_and_again,
    waits_for_a_queue,
    waits_for_a_lock,
    waits_for_its_thread,
]


@contextlib.contextmanager
def nothing_runs_on():
    """Neither this thread nor one that has come since works on afterwards."""
    before = {thread.id for thread in psutil.Process().threads()}
    depth = sys.getrecursionlimit()
    yield
    handler, tracing = signal.getsignal(signal.SIGINT), sys.gettrace()
    assert sys.getrecursionlimit() == depth
    start = spent(before)
    mine = time.thread_time()
    time.sleep(0.3)
    assert time.thread_time() - mine < 0.05
    assert spent(before) - start < 0.05
    assert (signal.getsignal(signal.SIGINT), sys.gettrace()) == (handler, tracing)


def spent(others):
    """Processor time of the threads that are not among the others."""
    return sum(
        thread.user_time + thread.system_time
        for thread in psutil.Process().threads()
        if thread.id not in others
    )


@pytest.mark.parametrize("work", WORKING, ids=lambda work: work.__name__)
def test_code_that_works_without_end_is_ended(work, capsys):
    handler = signal.getsignal(signal.SIGINT)
    with nothing_runs_on():
        start = time.thread_time()
        run = guards.run_guarded(work, LIMIT)
        assert time.thread_time() - start < LIMIT + 1
    assert signal.getsignal(signal.SIGINT) is handler
    assert not run.finished
    assert not run.left_behind
    printed = capsys.readouterr()
    assert len(printed.out) < guards.PRINT_LIMIT + 200
    assert printed.err == ""


def test_a_watchdog_that_is_late_starts_nothing_anew():
    """It may be held up between two pushes until the thread has left and cleaned up."""
    eviction = guards._Eviction(threading.get_ident())
    eviction.begun = eviction.over = True
    eviction.error.__init__ = BaseException.__init__
    with guards._interpreter_kept():
        eviction.push()
    assert eviction.error.__init__ is BaseException.__init__


@pytest.mark.parametrize("work", WAITING, ids=lambda work: work.__name__)
def test_code_that_waits_without_end_is_ended(work, monkeypatch):
    monkeypatch.setattr(guards, "PATIENCE", 2)
    with nothing_runs_on():
        run = guards.run_guarded(work, LIMIT)
    assert not run.finished
    assert not run.left_behind


def test_the_line_at_which_it_waited_is_named(monkeypatch):
    monkeypatch.setattr(guards, "PATIENCE", 2)
    assert "time.sleep(1000)" in guards.run_guarded(sleeps, LIMIT).stopped_at


# --- What the limit counts -----------------------------------------------------------------------


def test_code_that_waits_may_take_longer_than_code_that_works():
    def waits():
        time.sleep(1.5 * LIMIT)
        return "here"

    assert guards.run_guarded(waits, LIMIT).value == "here"


def test_an_import_does_not_count(tmp_path, monkeypatch):
    text = "import time\nend = time.thread_time() + 0.6\nwhile time.thread_time() < end: pass\n"
    tmp_path.joinpath("slow_to_import.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)

    def imports():
        import slow_to_import

        return slow_to_import.end > 0

    assert guards.run_guarded(imports, LIMIT).value is True
    del sys.modules["slow_to_import"]

    def imports_and_loops():
        import slow_to_import  # noqa: F401

        plain_loop()

    with nothing_runs_on():
        assert not guards.run_guarded(imports_and_loops, LIMIT).finished


def test_other_programs_do_not_use_up_the_time(monkeypatch):
    """Work of two thirds of the limit, beside eight programs that keep the processor busy."""
    monkeypatch.setattr(guards, "PATIENCE", 100)

    def works():
        end = time.thread_time() + 2 * LIMIT / 3
        while time.thread_time() < end:
            pass
        return "here"

    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(8)]
    try:
        assert guards.run_guarded(works, LIMIT).value == "here"
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


# --- Threads that it started ---------------------------------------------------------------------


def test_threads_end_though_the_answer_is_right():
    def starts_one():
        threading.Thread(target=bare_except).start()
        return 3

    with nothing_runs_on():
        run = guards.run_guarded(starts_one, LIMIT)
    assert (run.finished, run.value, run.left_behind) == (True, 3, False)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_cannot_be_ended_is_told_truly(monkeypatch):
    """A thread that waits is there until it is woken; then it ends without a further step."""
    monkeypatch.setattr(guards, "GRACE", 0.2)
    gate, woken = threading.Lock(), []
    gate.acquire()

    def waits_in_a_thread():
        gate.acquire()
        woken.append("and goes on")

    def starts_it():
        threading.Thread(target=waits_in_a_thread).start()
        plain_loop()

    before = set(threading.enumerate())
    run = guards.run_guarded(starts_it, LIMIT)
    left = set(threading.enumerate()) - before
    assert run.left_behind
    assert len(left) == 1
    gate.release()
    left.pop().join(30)
    assert not set(threading.enumerate()) - before
    assert woken == []


def test_the_verdict_says_that_something_runs_on_only_if_it_does(monkeypatch):
    monkeypatch.setattr(form.Values, "time_limit", LIMIT)

    def endless(inputs):
        named_except()

    assert "still runs" not in diagnose("relu", endless).message


# --- The reader's own interrupt, and callers beside the main thread ------------------------------


@pytest.mark.parametrize("work", [bare_except, named_except, sleeps_again_and_again])
def test_the_reader_can_interrupt(work):
    # Of a program that a shell put into the background nobody interrupts anything.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    main = threading.get_ident()
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    with nothing_runs_on(), pytest.raises(KeyboardInterrupt):
        guards.run_guarded(work, 1000)
    timer.join()
    signal.signal(signal.SIGINT, previous)


@pytest.mark.parametrize("work", [plain_loop, named_except, nested_tries, stubborn_generator])
def test_beside_the_main_thread_loops_end_as_well(work):
    runs = []
    thread = threading.Thread(target=lambda: runs.append(guards.run_guarded(work, LIMIT)))
    with nothing_runs_on():
        thread.start()
        thread.join()
    assert not runs[0].finished


def test_a_guarded_run_inside_of_another():
    inner = []

    def outer():
        inner.append(guards.run_guarded(bare_except, LIMIT))
        bare_except()

    with nothing_runs_on():
        run = guards.run_guarded(outer, 3 * LIMIT)
    assert not run.finished
    assert not inner[0].finished


def test_what_runs_in_time_is_never_disturbed():
    for place in range(200):
        run = guards.run_guarded(lambda place=place: sum(range(place)), LIMIT)
        assert (run.finished, run.value) == (True, sum(range(place)))
