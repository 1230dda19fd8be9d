"""Whatever a learner hands in gets a sentence of its own, and the check never raises."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from cnncourse.checks import EXERCISES, NotYet, check, diagnose


def no_return(inputs):
    np.maximum(inputs, 0)


def mutates(inputs):
    inputs[inputs < 0] = 0
    return inputs


def divides_by_zero(inputs):
    with np.errstate(all="ignore"):
        return np.maximum(inputs, 0) / np.zeros_like(inputs) * 0


def raises(inputs):
    return inputs.relu()


def other_arguments(x):
    return np.maximum(x, 0)


def too_many_arguments(inputs, slope):
    return np.maximum(inputs, slope * inputs)


def half_precision(inputs):
    return np.maximum(inputs, 0).astype(np.float16)


def a_generator(inputs):
    yield np.maximum(inputs, 0)


def text(inputs):
    return "max(0, x)"


def not_written(inputs): ...


def exits(inputs):
    sys.exit(0)


def recursion(inputs):
    return recursion(inputs)


_count = iter(range(10**9))


def different_each_time(inputs):
    return np.maximum(inputs, 0) + next(_count)


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        (no_return, "returned None"),
        (mutates, "changed its argument `inputs`"),
        (divides_by_zero, "NaN"),
        (raises, "return inputs.relu()"),
        (too_many_arguments, "takes (inputs, slope)"),
        (half_precision, "float16"),
        (a_generator, "yield"),
        (text, "'max(0, x)'"),
        (not_written, "not written yet"),
        (exits, "exit()"),
        (recursion, "called itself without end"),
        (None, "None"),
        (np.maximum(np.zeros(2), 0), "without parentheses"),
        (list, "the class list"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)[:20]),
)
def test_each_gets_its_own_sentence(candidate, said):
    diagnosis = diagnose("relu", candidate)
    assert not diagnosis.passed
    assert said in diagnosis.message


def test_answers_that_differ_from_call_to_call_are_noticed():
    def random_mask(inputs, rate, keep_mask, training):
        rng = np.random.default_rng()
        return inputs if not training else inputs * (rng.random(inputs.shape) < 0.5)

    diagnosis = diagnose("dropout", random_mask)
    assert not diagnosis.passed
    assert not diagnose("relu", different_each_time).passed


def test_right_values_that_change_between_calls_are_named():
    calls = iter(range(10**9))

    def nearly(moving, batch_value, momentum):
        return moving * momentum + batch_value * (1 - momentum) + (next(calls) > 9)

    assert "Called twice" in diagnose("update_moving", nearly).message


@pytest.mark.parametrize(
    "answer",
    [
        lambda inputs: np.maximum(inputs, 0).tolist(),
        lambda inputs: keras.ops.relu(inputs),
        lambda inputs: np.maximum(inputs, 0).astype(np.float64),
        lambda inputs: np.maximum(np.asarray(inputs, np.float32), 0),
        other_arguments,
    ],
    ids=["a list", "a tensor", "float64", "float32", "other argument names"],
)
def test_right_answers_in_other_clothes_pass(answer):
    diagnosis = diagnose("relu", answer)
    assert diagnosis.passed, diagnosis.message


def test_other_argument_names_are_mentioned():
    assert "Its arguments are called (x)" in diagnose("relu", other_arguments).message


def test_arguments_in_another_order_are_named():
    diagnosis = diagnose("correlate2d", lambda kernel, image: image)
    assert "another order" in diagnosis.message


def endless(inputs):
    while True:
        pass


def test_an_endless_loop_gets_its_sentence(monkeypatch):
    from cnncourse.checks import form

    monkeypatch.setattr(form.Values, "time_limit", 0.5)
    message = diagnose("relu", endless).message
    assert "did not come to an end within 0.5 seconds" in message
    assert "still runs" not in message


def test_the_line_at_which_time_ran_out_is_shown(monkeypatch):
    from cnncourse.checks import form

    monkeypatch.setattr(form.Values, "time_limit", 0.5)
    assert "When time ran out it was at" in diagnose("relu", endless).message


def test_check_prints_one_line_of_praise(capsys):
    check("relu", other_arguments)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert "Well done" in printed


def test_check_raises_the_hint():
    with pytest.raises(NotYet, match="changed its argument"):
        check("relu", mutates)


def test_an_unknown_exercise_names_a_near_one():
    with pytest.raises(ValueError, match="correlate2d"):
        diagnose("corelate2d", other_arguments)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda input_shape, num_classes: [1, 2], "wanted is a Keras model"),
        (lambda input_shape, num_classes: keras.layers.Flatten(), "one layer (Flatten)"),
        (
            lambda input_shape, num_classes: keras.Sequential([keras.layers.Flatten()]),
            "keras.Input(input_shape)",
        ),
        (
            lambda input_shape, num_classes: keras.Sequential(
                [
                    keras.Input(input_shape),
                    keras.layers.Conv2D(16, 7, padding="same", name="image_array"),
                ]
            ),
            "next comes BatchNormalization",
        ),
    ],
    ids=["a list", "a layer", "no input", "one layer"],
)
def test_what_is_no_finished_model_gets_a_sentence(answer, said):
    diagnosis = diagnose("build_simple_cnn", answer)
    assert not diagnosis.passed
    assert said in diagnosis.message


def test_a_changed_array_within_a_list_is_seen():
    def clears_a_kernel(inputs, kernels):
        outputs = EXERCISES["repair_missing_relu"].reference(inputs, kernels)
        kernels[-1][:] = 0
        return outputs

    message = diagnose("repair_missing_relu", clears_a_kernel).message
    assert "changed its argument `kernels`" in message


def test_a_kernel_taken_out_of_a_list_is_seen():
    def pops(inputs, kernels):
        outputs = EXERCISES["repair_missing_relu"].reference(inputs, kernels)
        kernels.pop()
        return outputs

    message = diagnose("repair_missing_relu", pops).message
    assert "changed its argument `kernels`" in message


def test_nan_in_an_argument_that_stays_is_no_change():
    reference = EXERCISES["repair_learning_rate"].reference
    assert diagnose("repair_learning_rate", reference).passed


UNDER_A_PROFILER = """
import cProfile
from cnncourse.checks import guards

def endless():
    while True:
        pass

with cProfile.Profile():
    runs = [guards.run_guarded(work, 0.3) for work in (int, endless, int)]
print([run.finished for run in runs])
"""


def test_a_check_under_a_profiler_comes_back():
    """An exception taken back left a flag set, with which a traced Python 3.11 stands still."""
    command = [sys.executable, "-c", UNDER_A_PROFILER]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert run.stdout.strip() == "[True, False, True]"
