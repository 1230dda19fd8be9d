"""What is said of wrong answers that nobody foresaw: only what holds, and what holds is found."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from cnncourse import ops
from cnncourse.checks import EXERCISES, conditions, engine, guards, relations
from cnncourse.checks.engine import MOST_LINES, Bank, judge
from cnncourse.checks.form import Values
from cnncourse.checks.relations import Setting, Tried


def _product(image, weight):
    return image.astype(float) * weight


def _cases():
    rng = np.random.default_rng(0)
    yield np.array([[1.0, 2.0]]), 3
    for shape in ((2, 2), (2, 3), (4, 3), (1, 5)):
        yield rng.normal(1, 2, shape), 4
    yield rng.normal(1, 2, (3, 3)), 1
    yield rng.integers(0, 256, (3, 4), dtype=np.uint8), 2


def _exercise(reference=_product, cases=_cases, form=None, **axes):
    """An exercise without a bank: whatever is said of it has been found."""
    axes = axes or {"image": "hw", "answer": "hw"}
    return Bank("product", "01", reference, cases, form, axes=axes).freeze()


def _said(candidate, **exercise):
    diagnosis = judge(_exercise(**exercise), candidate)
    assert not diagnosis.passed
    return diagnosis


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        (lambda a, w: -_product(a, w), "has the other sign"),
        (lambda a, w: np.abs(_product(a, w)), "has lost its sign"),
        (lambda a, w: np.maximum(_product(a, w), 0), "negative comes out as 0"),
        (lambda a, w: _product(a, w).T, "rows and columns are exchanged"),
        (lambda a, w: _product(a, w)[::-1], "rows come in reverse order"),
        (lambda a, w: _product(a, w)[:, :-1], "the last of the columns is missing"),
        (lambda a, w: np.roll(_product(a, w), 1, axis=1), "columns are moved by one place"),
        (
            lambda a, w: np.pad(_product(a, w)[:, :-1], ((0, 0), (1, 0))),
            "they come too late: the columns by one place; at the edge come others",
        ),
        (
            lambda a, w: np.pad(_product(a, w)[:, 1:], ((0, 0), (0, 1)), constant_values=7),
            "they come too early: the columns by one place",
        ),
        (
            lambda a, w: _product(a, w)[:, a.shape[1] // 2 :],
            "only a part of them: the last of the columns",
        ),
        (
            lambda a, w: np.pad(_product(a, w), ((0, 3), (2, 2)), mode="edge"),
            "are there, and more: rows behind them and columns on both sides",
        ),
        (lambda a, w: _product(a, w)[None], "an axis of length 1 too many"),
        (lambda a, w: _product(a, w).ravel(), "all in one row"),
        (lambda a, w: np.trunc(_product(a, w)), "without its fraction"),
        (lambda a, w: np.rint(_product(a, w)), "rounded to a whole one"),
        (lambda a, w: np.clip(_product(a, w), 0, 255), "from 0 to 255"),
        (lambda a, w: _product(a, w).mean(axis=0), "The wanted answer, but with the rows averaged"),
        (lambda a, w: _product(a, w)[:1], "Only the first of the rows came out"),
        (lambda a, w: _product(a, w) / 2, "if `image` were half as large"),
        (lambda a, w: _product(a, w) / 3, "divided by 3"),
        (lambda a, w: _product(a, w) + 7, "is 7 more than wanted"),
        (lambda a, w: _product(a, w) * a.size, "times `image.size`"),
        (lambda a, w: _product(a, w) / a.shape[1], "by the number of columns"),
        (lambda a, w: _product(a, 2), "if `weight` were always 2"),
        (lambda a, w: _product(a.astype(float), w + 1), "if `weight` were 1 larger"),
        (lambda a, w: _product(np.flip(a, 0), w), "rows come in reverse order"),
        (lambda a, w: a.astype(float) ** 2, ""),
    ],
)
def test_a_relation_is_found_and_named(candidate, said):
    diagnosis = _said(candidate)
    assert said in diagnosis.message
    assert diagnosis.kind == ("relation" if said else "unknown"), diagnosis.message


@pytest.mark.parametrize(
    ("less", "said"),
    [(0, "(rounded down)"), (1, "(less than half, where it is even)")],
)
def test_places_that_are_off_by_half_a_kernel_are_named(less, said):
    reference = EXERCISES["correlate2d"].reference

    def candidate(image, kernel):
        rows, columns = reference(image, kernel).shape
        pads = [((side - less) // 2, (side - 1 + less) // 2) for side in kernel.shape]
        return reference(np.pad(image, pads, mode="edge"), kernel)[:rows, :columns]

    diagnosis = judge(EXERCISES["correlate2d"], candidate)
    assert diagnosis.kind == "relation"
    told = f"too late: the rows by half of the rows of the kernel {said} and the columns by half"
    assert told in diagnosis.message


def test_numbers_that_are_alike_anywhere_have_not_moved():
    """Equal numbers fit in any place: only what was wanted otherwise there says something."""

    def flat(image, weight):
        return np.where(np.arange(image.shape[1]) == 0, 0.0, 5.0) * np.ones(image.shape)

    def cases():
        rng = np.random.default_rng(1)
        for shape in ((2, 3), (3, 3), (4, 5), (2, 6)):
            yield rng.normal(size=shape), 2

    def candidate(image, weight):
        answer = flat(image, weight)
        answer[:, 1] = 3.0
        return answer

    assert "they come too" not in _said(candidate, reference=flat, cases=cases).message


def test_a_list_that_is_empty_is_named_once_an_entry_makes_it_right():
    reference = EXERCISES["receptive_field"].reference

    message = judge(
        EXERCISES["receptive_field"], lambda layers: reference(layers) if layers else 0
    ).message
    assert "Right exactly when `layers` is not empty; confirmed" in message


def test_what_fails_on_one_input_alone_is_said_as_such():
    message = _said(
        lambda image, weight: (
            image * np.uint8(3 * weight) if image.dtype == np.uint8 else 3 * weight * image
        )
    ).message
    assert "On all but one of the 7 inputs that come out wrong" in message
    assert "times 3" in message


def test_exchanged_arguments_are_named():
    def reference(first, second):
        return first - 2 * second

    def cases():
        rng = np.random.default_rng(1)
        for _ in range(4):
            yield rng.normal(size=3), rng.normal(size=3)

    diagnosis = _said(lambda a, b: b - 2 * a, reference=reference, cases=cases)
    assert "if `first` and `second` were exchanged" in diagnosis.message


def test_the_order_of_a_tuple_is_named_and_right_parts_are():
    def reference(image, weight):
        return image.sum(), image.max(), image.min()

    form = Values(("sum", "largest", "smallest"))
    swapped = _said(lambda i, w: (i.sum(), i.min(), i.max()), reference=reference, form=form)
    assert "yours are what `sum`, `smallest`, `largest` should be" in swapped.message
    doubled = _said(lambda i, w: (i.sum(), 2.0 * i.max(), i.min()), reference=reference, form=form)
    assert "`largest`: Each number is the wanted one times 2." in doubled.message
    assert "`sum` and `smallest` are right." in doubled.message


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        (
            lambda a, w: _product(a, w) if a.shape[0] == a.shape[1] else np.zeros(a.shape),
            "Right exactly when the image is square",
        ),
        (
            lambda a, w: _product(a, w) if a.dtype == float else a.astype(float) * w % 7,
            "Right exactly when `image` holds floats",
        ),
        (
            lambda a, w: _product(a, w) if w == 1 else np.cos(a),
            "Right exactly when `weight` is 1",
        ),
        (
            lambda a, w: _product(a, w) if (np.asarray(a) >= 0).all() else np.sin(a),
            "Right exactly when `image` holds nothing negative",
        ),
    ],
)
def test_a_condition_is_confirmed_by_changing_it_alone(candidate, said):
    diagnosis = _said(candidate)
    assert said in diagnosis.message
    assert diagnosis.kind in ("condition", "relation")


def test_a_coincidence_is_not_said_to_be_a_condition():
    """Right on the square inputs, but for another reason: their number of entries."""
    inputs = list(_cases())
    sizes = {case[0].size for case in inputs if case[0].shape[0] == case[0].shape[1]}
    sizes |= {9}

    def candidate(image, weight):
        return _product(image, weight) if image.size in sizes and image.size != 1 else image * 0.5

    message = _said(candidate).message
    assert "Right exactly when the image is square" not in message or 1 in sizes


def test_a_property_that_cannot_be_changed_is_never_said_to_be_a_condition():
    setting = Setting(lambda case: [case[0]], ("image",), ("answer",), {}, ())
    case = (np.ones(3),)
    tried = [Tried(case, [case[0]], [case[0]], True), Tried(case, [2 * case[0]], [case[0]], False)]
    assert conditions.find(setting, tried, lambda case: True) is None


def test_few_classes_alike_are_no_evidence():
    """One wrong label among three classes fits some changed argument by chance."""
    wanted, mine = np.array([0, 1, 2, 1]), np.array([0, 1, 1, 1])
    case = (np.arange(4.0).reshape(4, 1),)
    setting = Setting(lambda case: [np.rint(case[0][:, 0])], ("images",), ("labels",), {}, (case,))
    assert relations.find(setting, [Tried(case, [mine], [wanted], False)]) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: np.where(w < 0, 5, w), "exactly where the wanted number is negative"),
        (
            lambda w: np.concatenate([w[:-1], w[-1:] * 3 + np.cos(w[-1:])]),
            "in the last of the rows",
        ),
    ],
)
def test_the_wrong_part_of_an_answer_is_named(change, said):
    diagnosis = _said(lambda a, w: change(_product(a, w)))
    assert said in diagnosis.message


def test_how_many_inputs_are_right_is_said_and_what_the_first_wrong_one_has():
    def first_column_only_right(image, weight):
        answer = _product(image.astype(float), weight)
        return answer if len(image) == 1 else answer + np.arange(answer.size).reshape(answer.shape)

    message = _said(first_column_only_right).message
    assert "Right on 2 of 7 inputs" in message


def test_a_mistake_that_holds_on_most_wrong_inputs_is_said_as_such():
    mistake = next(
        known
        for known in EXERCISES["correlate2d"].misconceptions
        if known.name == "padded_to_the_same_size"
    )

    def candidate(image, kernel):
        answer = mistake.answer(image, kernel)
        return np.zeros((3, 2)) if image.shape == (8, 9) else answer

    diagnosis = judge(EXERCISES["correlate2d"], candidate)
    assert diagnosis.kind == "relation"
    assert "inputs that come out wrong, this describes it" in diagnosis.message
    assert mistake.hint in diagnosis.message


def test_shapes_that_differ_stand_before_the_answers():
    def last_row_missing(inputs, kernel, bias):
        return ops.conv2d(inputs.astype(float), kernel, bias)[:, :-1] + 0.5

    message = judge(EXERCISES["conv2d"], last_row_missing).message
    assert message.index("The shapes differ") < message.index("Your answer")
    assert message.count("\n") < MOST_LINES


def test_an_input_that_makes_no_sense_confirms_nothing():
    """Of three classes, a fourth that never occurs has no mean: it is no input to ask about."""

    def first_channel_alone(train_images, train_labels, images, num_classes):
        if images.ndim == 4:
            train_images, images = train_images[..., 0], images[..., 0]
        reference = EXERCISES["nearest_mean"].reference
        return reference(train_images, train_labels, images, num_classes)

    message = judge(EXERCISES["nearest_mean"], first_channel_alone).message
    assert "`num_classes` is" not in message
    assert "there is a single channel" in message or "there are several channels" in message


def test_a_summand_that_depends_on_an_argument_is_named():
    def one_bias_for_all(channels_in, filters, kernel_size, batch_norm):
        right = EXERCISES["count_parameters"].reference
        trainable, frozen = right(channels_in, filters, kernel_size, batch_norm)
        return trainable - filters + 1, frozen

    message = judge(EXERCISES["count_parameters"], one_bias_for_all).message
    assert "`trainable`: Each number is the wanted one less `filters - 1`." in message


def test_a_share_is_asked_of_the_larger_number():
    """The sides of images are larger than the number of halvings, and no share of it."""
    reference = EXERCISES["head_outputs"].reference

    def candidate(input_size, halvings, num_classes):
        right = reference(input_size, halvings, num_classes)
        return right if halvings % input_size == 0 else right + input_size**2 + num_classes

    assert "divide `halvings`" not in judge(EXERCISES["head_outputs"], candidate).message
    setting = EXERCISES["head_outputs"].setting
    told = {one.has for one in conditions.properties(setting)}
    assert "`halvings` divides `input_size`" in told
    assert "`input_size` divides `halvings`" not in told


def test_only_what_is_declared_to_be_images_is_called_so():
    def of_one_rate(rates, losses):
        return float(rates[0] / 10)

    message = judge(EXERCISES["repair_learning_rate"], of_one_rate).message
    assert "the first of the entries of `rates`" in message
    assert "image" not in message
    named = {
        (name, letter): relations.in_words(exercise.setting, letter)
        for name, exercise in EXERCISES.items()
        for letter in "".join(exercise.axes.values())
    }
    assert named["merge_moments", "n"] == "entries"
    assert named["softmax_cross_entropy", "n"] == named["nearest_mean", "m"] == "images"
    assert named["global_average_pool2d", "b"] == "images"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda kernel: kernel.shape[0] == kernel.shape[1], "Wrong only when the kernel is square"),
        (lambda kernel: kernel.shape[0] > 1, "when there is a single row of the kernel"),
    ],
)
def test_the_rows_of_a_square_kernel_are_not_blamed_for_its_shape(wrong, said):
    reference = EXERCISES["correlate2d"].reference

    def candidate(image, kernel):
        answer = reference(image, kernel)
        return answer / 2 + np.sin(answer) if wrong(kernel) and kernel.size > 1 else answer

    message = judge(EXERCISES["correlate2d"], candidate).message
    assert said in message, message


def _sizes_and_weights():
    rng = np.random.default_rng(3)
    for shape in ((1, 1), (1, 2), (2, 1), (1, 4), (3, 1), (2, 2), (3, 3), (4, 2), (3, 4)):
        yield rng.normal(1, 2, shape), 3


def test_two_properties_that_are_needed_together_are_named_together():
    def candidate(image, weight):
        answer = _product(image, weight)
        return answer if len(image) == 1 or image.shape[1] > 1 else answer + np.sin(answer)

    def only_one_pixel_right(image, weight):
        return _product(image, weight) if image.size < 2 else np.sin(image)

    def of_one_row_and_even(image, weight):
        right = len(image) == 1 and weight == 1
        return _product(image, weight) if right else np.sin(image) + np.cos(weight * image)

    def cases():
        for image, _ in _sizes_and_weights():
            yield image, 1
            yield image, 3

    said = _said(of_one_row_and_even, cases=cases)
    assert "Right exactly when `weight` is 1 and there is a single row" in said.message
    assert " and " not in _said(candidate, cases=_sizes_and_weights).message.splitlines()[0]
    # A single example is not enough.
    assert _said(only_one_pixel_right, cases=_sizes_and_weights).kind == "unknown"


def test_a_condition_that_hardly_any_right_input_meets_is_not_said():
    """With a single row it is right, but so it is on most of the others."""

    def cases():
        rng = np.random.default_rng(5)
        for rows in (1, 2, 3, 4, 5, 6, 7, 8):
            yield rng.normal(1, 2, (rows, 3)), 3

    def candidate(image, weight):
        answer = _product(image, weight)
        return answer + np.sin(answer) if len(image) == 7 else answer

    assert "single row" not in _said(candidate, cases=cases).message.split("Right on")[0]


def test_a_number_of_columns_is_not_blamed_for_what_any_other_number_mends():
    def cases():
        rng = np.random.default_rng(7)
        for columns in (1, 3, 5, 6, 8, 10):
            image = rng.normal(size=(2, columns))
            image[:, -1] += 9 * (columns % 2 == 0)
            yield image, 3

    def candidate(image, weight):
        answer = _product(image, weight)
        return answer if image[:, -1].max() < 5 else np.sin(answer)

    assert "columns is" not in _said(candidate, cases=cases).message


def test_a_length_that_is_another_things_is_named():
    def one_for_each_class(train_images, train_labels, images, num_classes):
        return np.zeros(num_classes, int)

    message = judge(EXERCISES["nearest_mean"], one_for_each_class).message
    assert "as long as `num_classes`; wanted is `images.shape[0]`" in message


def test_an_error_behind_a_wrong_answer_refutes_what_the_few_answers_before_it_fit():
    """With one pixel right and then two columns wrong, it looked like global pooling."""

    def columns_counted_in_rows(inputs, pool_size, padding):
        step = (
            (lambda side: -(-side // pool_size))
            if padding == "same"
            else (lambda side: side // pool_size)
        )
        right = EXERCISES["max_pool2d"].reference(inputs, pool_size, padding)
        columns = step(inputs.shape[1])
        if columns > right.shape[2]:
            raise ValueError("zero-size array")
        return right[:, :, :columns]

    diagnosis = judge(EXERCISES["max_pool2d"], columns_counted_in_rows)
    assert diagnosis.misconception is None
    assert "the image is not square" in diagnosis.message
    assert "there was no answer. It stopped with an error" in diagnosis.message
    assert diagnosis.message.count("\n") < MOST_LINES


def test_what_the_first_wrong_input_has_of_its_own_is_said_if_changing_it_mends_it():
    rng = np.random.default_rng(2)
    inputs = [(np.ones((2, 2)), 1), (np.ones((2, 2)), 2)]
    inputs += [(rng.normal(size=(3, 3)).astype(np.float32), 2), (rng.normal(size=(4, 4)), 3)]

    def breaks_on(fails):
        def candidate(image, weight):
            if fails(image):
                raise ValueError("no")
            return _product(image, weight)

        return _said(candidate, cases=lambda: inputs).message

    assert "but for this: `image` is float32" in breaks_on(lambda a: a.dtype == np.float32)
    assert "but for this" not in breaks_on(lambda a: len(a) > 2)


def test_the_axes_of_every_array_are_declared_where_it_always_has_as_many():
    """Otherwise no condition on their lengths can be found."""
    for exercise in EXERCISES.values():
        for place, name in enumerate(exercise.arguments):
            arrays = [case[place] for case in exercise.inputs]
            ranks = {one.ndim for one in arrays if isinstance(one, np.ndarray)} - {0}
            if len(ranks) == 1 and exercise.form.numbers(exercise.wanted[0]) is not None:
                assert len(exercise.axes.get(name, "")) in ranks, f"{exercise.name}: {name}"


@pytest.mark.parametrize(
    "exercise",
    [one for one in EXERCISES.values() if isinstance(one.form, Values)],
    ids=lambda one: one.name,
)
def test_a_reference_comes_back_whatever_the_search_gives_it(exercise):
    """It gets arguments that no text announces: a list without its last entry, a count of 0."""
    setting = exercise.setting

    def search():
        for case in exercise.inputs[:: max(1, len(exercise.inputs) // 3)]:
            tried = [Tried(case, [], [], right=False)]
            for _, change in relations._changes(setting, tried):
                with contextlib.suppress(Exception), np.errstate(all="ignore"):
                    setting.reference(change(case))

    assert guards.run_guarded(search, 20).finished


def test_a_search_that_never_ends_leaves_the_verdict(monkeypatch):
    monkeypatch.setattr(engine, "_SEARCH_LIMIT", 0.2)

    def endless_at_0(image, weight):
        while weight == 0:
            pass
        return _product(image, weight)

    said = _said(lambda a, w: a + np.sqrt(w + 2), reference=endless_at_0)
    assert said.kind in ("unknown", "part", "condition")


def _pair(image, weight):
    return image.astype(float) * weight, image.astype(float) + weight


def test_each_part_of_an_answer_has_a_relation_of_its_own():
    form = Values(("product", "sum"))
    axes = {"image": "hw", "product": "hw", "sum": "hw"}

    def both_wrong(image, weight):
        product, added = _pair(image, weight)
        return product[::-1], added / 3

    said = _said(both_wrong, reference=_pair, form=form, **axes)
    assert "`product`" in said.message
    assert "rows come in reverse order" in said.message
    assert "`sum`: Each number is the wanted one divided by 3." in said.message


def test_a_whole_array_keeps_its_type_when_a_condition_is_tried():
    def in_the_type_of_the_image(image, weight):
        answer = np.empty_like(image)
        answer[...] = image * weight / 3
        return answer

    said = _said(in_the_type_of_the_image, reference=lambda image, weight: image * weight / 3)
    assert "Right exactly when `image` holds floats" in said.message


def test_a_bound_that_somebody_wrote_into_the_code_is_named():
    def cut_at_minus_100(inputs, pool_size, padding):
        return np.maximum(EXERCISES["max_pool2d"].reference(inputs, pool_size, padding), -100)

    diagnosis = judge(EXERCISES["max_pool2d"], cut_at_minus_100)
    assert diagnosis.kind == "relation"
    assert "What should be below -100 comes out as -100" in diagnosis.message


def test_a_bound_that_an_input_holds_is_not_called_foreign():
    rng = np.random.default_rng(5)
    inputs = [(np.append(rng.normal(size=5) * 100, 40.0), 1.0) for _ in range(5)]

    def cut_at_40(image, weight):
        return np.minimum(image * weight, 40.0)

    message = _said(cut_at_40, cases=lambda: inputs, image="h", answer="h").message
    assert "a number that stands in no input" not in message


@pytest.mark.parametrize(("weights", "said"), [((4, 4), True), ((4, 7), False)])
def test_what_another_wrong_input_lacks_is_not_blamed(weights, said):
    """Two causes at once: what mends the first wrong input says nothing of the second."""
    images = [[1.0, 2, 8]], [[2.0, 3, 9]], [[5.0, 5, 1]], [[-1.0, 5, 3]], [[9.0, 50, -60]]
    if not said:
        images = *images[:4], [[9.0, 50, 60]]
    inputs = list(zip(map(np.array, images), (3, 2, 3, *weights), strict=True))
    setting = _exercise(cases=lambda: inputs).setting
    tried = [Tried(case, [], [], place < 3) for place, case in enumerate(inputs)]

    def probe(case):
        image, weight = case
        return bool((image >= 0).all()) and weight != 7

    told = conditions.first_with(setting, tried, probe)
    assert (told == "`image` holds negative numbers") == said


def test_classes_of_unequal_size_are_named():
    def balanced(train_images, train_labels, images, num_classes):
        rows = train_images.reshape(len(train_images), -1).astype(float)
        sums = np.stack([rows[train_labels == k].sum(axis=0) for k in range(num_classes)])
        means = sums / (len(rows) / num_classes)
        new = images.reshape(len(images), 1, -1).astype(float)
        return ((new - means) ** 2).sum(axis=2).argmin(axis=1)

    message = judge(EXERCISES["nearest_mean"], balanced).message
    assert "some values in `train_labels` occur more often than others" in message
