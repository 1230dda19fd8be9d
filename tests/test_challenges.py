"""The judge of the challenges: it counts, trains and measures, and answers each honest mistake."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from scipy.stats import binomtest

from cnncourse import datasets, models, results
from cnncourse.authoring.weights import shipped_fingerprint
from cnncourse.challenges import CHALLENGES, HiddenMark, challenge, form, judge, worker
from cnncourse.challenges.designs import DESIGNS
from cnncourse.checks import NotYet
from cnncourse.training import OWN, Recipe

SHAPE = (28, 28, 1)
RECIPE = Recipe(OWN, epochs=2, batch_size=32, train_count=1280, validation_count=200)
SMALL = replace(challenge("small"), images=100)


def network(*body: Any, shape: Any = SHAPE, head: str = "softmax", classes: int = 10):
    """A function that builds a tiny network, with a few layers of its own in front."""

    def build() -> keras.Model:
        rest = [layers.Flatten(), layers.Dense(classes, activation=head)]
        return keras.Sequential([keras.Input(shape), *(make() for make in body), *rest])

    return build


def conv(filters: int = 4, size: int = 5, strides: int = 3) -> Any:
    return lambda: layers.Conv2D(filters, size, strides, activation="relu")


@keras.saving.register_keras_serializable("tests")
class Doubled(layers.Layer):
    """A layer of a learner's own, whose weights no table counts."""

    def build(self, input_shape: Any) -> None:
        self.factors = self.add_weight(shape=(input_shape[-1], 100_000))

    def call(self, inputs: Any) -> Any:
        return inputs * keras.ops.mean(self.factors)


class Subclassed(keras.Model):
    """A model whose layers nobody can list."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network(conv())()
        self(np.zeros((1, *SHAPE)))

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs)


def adapted() -> layers.Layer:
    layer = layers.Normalization(axis=None)
    layer.adapt(np.arange(256.0))
    return layer


def frozen() -> keras.Model:
    built = network(conv())()
    built.trainable = False
    return built


def trained_on(inputs: np.ndarray, labels: np.ndarray, epochs: int) -> Any:
    """A function that gives back a network which somebody has trained on some images."""
    made = network(lambda: layers.Flatten(), lambda: layers.Dense(50, activation="relu"))()
    made.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    made.fit(inputs, labels, epochs=epochs, batch_size=100, verbose=0)
    weights = made.get_weights()

    def build() -> keras.Model:
        again = keras.models.clone_model(made)
        again.set_weights(weights)
        return again

    return build


def raising() -> keras.Model:
    raise KeyError("kernel")


def nothing() -> None:
    network(conv())()


EXISTING = network(conv())()
GOOD = network(conv())
MISTAKES = {
    "a network in place of the function": (EXISTING, RECIPE, r"without calling it"),
    "no function": ("small", RECIPE, r"gave a str; .* function without arguments"),
    "a function with arguments": (models.simpler_CNN, RECIPE, r"without arguments \(missing"),
    "a function that raises": (raising, RECIPE, r"raised KeyError in line \d+.*'kernel'"),
    "a function without return": (nothing, RECIPE, r"returned a NoneType.*`return`"),
    "one network for all calls": (lambda: EXISTING, RECIPE, r"exists or is trained already"),
    "too many parameters": (network(conv(64, 3, 1)), RECIPE, r"4\d\d,\d+ parameters, 3\d\d,\d+ mo"),
    "too many multiplications": (
        network(conv(32, 5, 1), conv(32, 5, 2), conv(4, 5, 3)),
        RECIPE,
        r"multiply-accumulates .* more than the 2,000,000 .* most are in conv2d",
    ),
    "a layer that the table does not count": (
        network(conv(), Doubled),
        RECIPE,
        r"can't be counted, .* of type Doubled",
    ),
    "a network for larger images": (network(conv(), shape=(32, 32, 1)), RECIPE, r"\(32, 32, 1\)"),
    "a network for colors": (network(conv(), shape=(28, 28, 3)), RECIPE, r"\(28, 28, 3\); the "),
    "a network for other classes": (network(conv(), classes=2), RECIPE, r"shape \(2,\) .* \(10,\)"),
    "an answer for each place": (
        lambda: keras.Sequential([keras.Input(SHAPE), layers.Conv2D(10, 3, activation="softmax")]),
        RECIPE,
        r"outputs of shape \(26, 26, 10\)",
    ),
    "logits": (network(conv(), head="linear"), RECIPE, r"no probabilities .* takes no logits"),
    "sigmoids": (network(conv(), head="sigmoid"), RECIPE, r"no probabilities"),
    "softmax twice": (
        lambda: keras.Sequential(
            [keras.Input(SHAPE), layers.Flatten(), layers.Dense(10, "softmax"), layers.Softmax()]
        ),
        RECIPE,
        r"softmax stands behind a softmax",
    ),
    "divided by 255 again": (
        network(lambda: layers.Rescaling(1 / 255), conv()),
        RECIPE,
        r"makes 0 to 0\.00392 .* another input range",
    ),
    "multiplied by 255": (
        network(lambda: layers.Rescaling(255), conv()),
        RECIPE,
        r"makes 0 to 255 .* another input range",
    ),
    "an adapted normalization": (network(adapted, conv()), RECIPE, r"adapt\(\).* mean=… and var"),
    "no trainable weight": (frozen, RECIPE, r"No weight .* trainable"),
    "a model of one's own class": (Subclassed, RECIPE, r"can't be counted, .* Got a Subclassed"),
    "too many images": (GOOD, replace(RECIPE, train_count=9801), r"train_count=9801; wanted at mo"),
    "no recipe": (GOOD, {"epochs": 3}, r"recipe is a dict; .* Recipe\(\"own\", epochs=5\)"),
    "a recipe for another network": (GOOD, Recipe("simple_CNN"), r"'simple_CNN'; write 'own'"),
    "a recipe with all images": (GOOD, replace(RECIPE, data="full"), r"embedded sample"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_that_shows_before_training_is_one_sentence(name, monkeypatch):
    build, recipe, pattern = MISTAKES[name]
    monkeypatch.setattr(judge, "run_process", lambda *a, **k: pytest.fail("it went to training"))
    with pytest.raises(NotYet, match=pattern) as refusal:
        SMALL.judge(build, recipe)
    assert len(str(refusal.value).splitlines()) == 1


def test_weights_from_training_images_are_not_taken_along():
    (images, labels), _ = datasets.load_fashion_mnist()
    build = trained_on(datasets.as_inputs(images[::10]), labels[::10], epochs=1)
    with pytest.raises(NotYet, match=r"exists or is trained already \(it knows \d\d\.\d %"):
        SMALL.judge(build, RECIPE)


def test_a_network_trained_on_the_kept_back_images_is_told_so():
    build = trained_on(*form.kept_back(), epochs=25)
    with pytest.raises(NotYet, match=r"trained on the images that are kept back: .* of these and "):
        SMALL.judge(build, RECIPE)


def order(build: Any = GOOD, **changes: Any) -> worker.Order:
    recipe = asdict(replace(RECIPE, **changes.pop("recipe", {})))
    given = {"part": "kept-back", "conditions": ("clean",), "budget": 60.0, "images": 200}
    return worker.Order(build().to_json(), recipe, **(given | changes))


@pytest.mark.parametrize(
    ("asked", "pattern"),
    [
        (order(budget=0.0), r"too long: 0 processor seconds .* after 0\.0 of 2 epochs; take fewer"),
        (order(recipe={"learning_rate": 1e30}), r"broke down: .* lower learning rate than 1e\+30"),
        (order(recipe={"learning_rate": 1e-12}), r"no better than guessing .* rate \(1e-12\)"),
    ],
)
def test_a_mistake_that_shows_in_training_is_one_sentence(asked, pattern):
    with pytest.raises(worker.Mistake, match=pattern) as mistake:
        worker.judge_network(asked)
    assert len(str(mistake.value).splitlines()) == 1


def test_the_judge_trains_and_measures_in_a_process_of_its_own():
    told: list[str] = []
    card = replace(challenge("robust"), images=200).judge(GOOD, RECIPE, report=told.append)
    assert [line.split(":")[0] for line in told] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert card.accuracy.total == 200
    assert list(card.yours.hits) == ["clean", "shifted", "noisy", "shifted and noisy"]
    assert card.accuracy == card.yours.hits["shifted and noisy"]
    assert card.yours.hits["clean"].share > 0.4
    assert 0 < card.cpu_seconds < card.budget == 120
    assert card.yours.latency > 0
    assert card.yours.parameters == GOOD().count_params()


def test_a_rehearsal_measures_on_validation_images():
    asked = order(part="validation", images=0, peers=("simpler_CNN",))
    answer = worker.judge_network(asked)
    assert answer["total"] == RECIPE.validation_count
    assert set(answer["latency"]) == {"yours", "simpler_CNN"}


@pytest.mark.parametrize(
    ("module", "seconds", "pattern"),
    [
        ("cnncourse.no_such_module", 60, "ended without an answer: .*No module named"),
        (worker.__name__, 0.0, "ended after 0 s by the clock"),
    ],
)
def test_a_process_that_gives_no_answer_is_one_sentence(module, seconds, pattern, monkeypatch):
    monkeypatch.setattr(worker, "__name__", module)
    monkeypatch.setattr(judge, "START", seconds)
    with pytest.raises(NotYet, match=pattern):
        judge.run_process(worker.MarkOrder(0, 10, 1), lambda line: None)


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("level", form.REFERENCES)
def test_known_designs_may_enter_and_are_ranked(name, level):
    design = DESIGNS[name][level]
    table = judge.check_network(CHALLENGES[name], design.build())
    values = results.load(form.RESULTS)["values"]
    assert values[f"{name}_{level}_macs"]["value"] == table.macs <= challenge(name).macs
    recorded = values[f"{name}_{level}_parameters"]["value"]
    assert recorded == table.trainable + table.non_trainable <= challenge(name).parameters
    assert values[f"{name}_{level}_cpu_seconds"]["value"] < challenge(name).budget
    marks = form.references(name)
    assert list(marks) == list(form.REFERENCES)
    assert sorted(marks.values()) == list(marks.values())


@pytest.mark.parametrize("name", models.NETWORKS)
def test_the_recorded_hits_of_the_course_s_networks_are_those_of_their_weights(name):
    record = results.load(form.PEERS)
    assert record["provenance"]["weights"][name] == shipped_fingerprint(name), "run ship"
    inputs, labels = form.kept_back()
    some = slice(0, 400)
    shown = form.under("shifted and noisy", inputs)[some]
    predicted = models.load_pretrained(name).predict(shown, batch_size=200, verbose=0).argmax(1)
    share = (predicted == labels[some]).mean()
    whole = form.Interval(
        record["values"][form.peer_key(name, "shifted and noisy")]["value"], len(labels)
    )
    # A fifth of the images against all: within four standard errors.
    assert share == pytest.approx(whole.share, abs=4 * np.sqrt(0.25 / 400))


def card(correct: int, part: str = "kept-back") -> form.ScoreCard:
    hits = {"clean": form.Interval(correct, 2000)}
    yours, peer = (form.Standing(name, hits, 40_000, 1_900_000, 1.5) for name in ("yours", "peer"))
    return form.ScoreCard("small", part, "clean", yours, (peer,), 12.0, 120.0, 5)


def test_a_card_says_where_a_network_stands(monkeypatch):
    marks = {"weak": 0.8, "fair": 0.86, "strong": 0.9}
    monkeypatch.setattr(form, "references", lambda name: marks)
    ranks = {correct: card(correct).rank for correct in (1000, 1700, 1760, 1900)}
    assert list(ranks.values()) == [
        "below weak",
        "between weak and fair",
        "between fair and strong",
        "strong or better",
    ]
    text = str(card(1760))
    assert "88.0 % (86.5 to 89.4)  40,000      1,900,000  1.5 ms" in text
    assert "12 of 120 processor seconds" in text
    assert "fair 86.0 %" in text
    page = card(1760)._repr_html_()
    assert page.count("<tr>") == 3
    assert "88.0 % (86.5 to 89.4)" in page
    monkeypatch.setattr(form, "references", lambda name: {})
    assert "Known designs" not in str(card(1760))


@pytest.mark.parametrize(("correct", "total"), [(0, 20), (1900, 2000), (7, 8), (5, 5)])
def test_the_interval_is_wilson_s(correct, total):
    wanted = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    # 1.96 in place of 1.95996…
    assert form.Interval(correct, total).ends == pytest.approx(tuple(wanted), abs=1e-5)


def test_conditions_change_images_as_they_say_and_always_alike():
    inputs, labels = form.kept_back(50)
    assert len(labels) == 50
    for condition in form.CONDITIONS:
        assert np.array_equal(form.under(condition, inputs), form.under(condition, inputs))
    assert np.array_equal(form.under("clean", inputs), inputs)
    for before, after in zip(inputs, form.under("shifted", inputs), strict=True):
        reach = range(-form.SHIFT, form.SHIFT + 1)
        padded = np.pad(before, ((form.SHIFT,) * 2, (form.SHIFT,) * 2, (0, 0)))
        starts = [(form.SHIFT + r, form.SHIFT + c) for r in reach for c in reach]
        assert any(np.array_equal(padded[r : r + 28, c : c + 28], after) for r, c in starts)
    gray = np.full((50, 28, 28, 1), 0.5, np.float32)
    noisy = form.under("noisy", gray)
    assert noisy.dtype == np.float32
    # Black and white cut off what lies beyond 2.5 deviations.
    assert noisy.std() == pytest.approx(form.NOISE, rel=0.05)
    assert noisy.min() == 0
    assert noisy.max() == 1


def test_there_is_no_other_challenge():
    with pytest.raises(ValueError, match="Did you mean 'robust'"):
        challenge("robst")
    assert all("mirror for honest people and no lock" in str(one) for one in CHALLENGES.values())


# --- The hidden mark ------------------------------------------------------------------------------


def found(riddle: HiddenMark) -> tuple[int, list[tuple[int, int]]]:
    """The answer by statistics alone: the brightest excess of one class over all others."""
    images, labels = riddle.images()
    bright = images == 255
    excess = np.stack(
        [bright[labels == k].mean(axis=0) - bright[labels != k].mean(axis=0) for k in range(10)]
    )
    label = int(excess.max(axis=(1, 2)).argmax())
    places = np.argsort(excess[label].ravel())[-3:]
    return label, [(int(place) // 28, int(place) % 28) for place in places]


@pytest.mark.parametrize("seed", range(4))
def test_every_riddle_can_be_solved_from_its_images(seed, monkeypatch):
    riddle = replace(challenge("explain"), seed=seed)
    answer = {"clean": (9, 10), "a speck anywhere": (0, 9), "the mark": (8, 9)}
    monkeypatch.setattr(judge, "run_process", lambda *a, **k: answer)
    label, pixels = found(riddle)
    card = riddle.judge(label, pixels)
    assert card.taken["the mark"] == form.Interval(8, 9)
    assert "the mark" in str(card)
    shown = np.zeros((28, 28), dtype=bool)
    shown[tuple(np.transpose(pixels))] = True
    assert riddle.judge(datasets.FASHION_MNIST_CLASSES[label], shown) == card


@pytest.mark.parametrize(
    ("answer", "pattern"),
    [
        (lambda label, pixels: ((label + 1) % 10, pixels), r"of another class than you say"),
        (lambda label, pixels: (label, [(c, r) for r, c in pixels]), r"columns are exchanged"),
        (lambda label, pixels: (label, [(r + 1, c + 1) for r, c in pixels]), r"count from 0"),
        (lambda label, pixels: (label, pixels[:2]), r"2 of your 2 .*; 1 of its pixels"),
        (lambda label, pixels: (label, [*pixels, (0, 0)]), r"3 of your 4 .* 1 do not"),
        (lambda label, pixels: (label, [(0, 0)]), r"None of these pixels belongs to the mark\."),
        (lambda label, pixels: (label, np.ones((28, 28), bool)), r"784 pixels, and the mark has a"),
        (lambda label, pixels: (label, [(28, 3)]), r"from 3 to 28; wanted .* 0 to 27"),
        (lambda label, pixels: (label, pixels[0]), r"shape \(2,\)"),
        (lambda label, pixels: (label, []), r"wanted \(row, column\)"),
        (lambda label, pixels: (label, [(1.5, 2.0)]), r"type float64"),
        (lambda label, pixels: ("coat", pixels), r"class 'coat'; wanted its number"),
        (lambda label, pixels: (10, pixels), r"class 10; wanted its number"),
    ],
)
def test_a_wrong_answer_to_the_riddle_is_told_what_is_wrong(answer, pattern, monkeypatch):
    monkeypatch.setattr(judge, "run_process", lambda *a, **k: pytest.fail("it went to training"))
    riddle = challenge("explain")
    with pytest.raises(NotYet, match=pattern) as refusal:
        riddle.judge(*answer(*found(riddle)))
    assert len(str(refusal.value).splitlines()) == 1


def test_a_network_that_learned_the_mark_takes_other_classes_for_it():
    riddle = challenge("explain")
    told: list[str] = []
    asked = worker.MarkOrder(riddle.seed, riddle.count, riddle.epochs)
    small = worker.judge_mark(asked, told.append)
    assert len(told) == riddle.epochs
    anywhere, marked, covered = (
        form.Interval(*small[what])
        for what in ("a speck anywhere", "the mark", "the mark, your pixels black")
    )
    assert marked.ends[0] > 2 * max(anywhere.ends[1], covered.ends[1])
    assert form.Interval(*small["clean"]).share > 0.6
