"""How much of a bare ``model.fit``'s speed ``cnncourse train`` keeps: part of ``make bench``.

Both train the same network on the same arrays in memory for a few epochs, in turns in one
process. ``cnncourse train`` draws the order anew, writes log and checkpoint after each epoch,
and can be stopped at any moment; the bare one does none of that. First epochs, which compile,
are left out on both sides.
"""

import itertools
import statistics
import sys
import tempfile
import time

from cnncourse.startup import start_keras

start_keras()

import keras  # noqa: E402

from cnncourse import datasets, models, results, training  # noqa: E402

TOPIC = "bench.training"
EPOCHS = 3
TURNS = 3


def of_the_package(name: str) -> list[float]:
    """Seconds of each epoch but the first, by ``cnncourse train``."""
    ends: list[float] = []
    recipe = training.Recipe(name, epochs=EPOCHS)
    with tempfile.TemporaryDirectory() as folder:
        training.train(recipe, folder, on_epoch=lambda row: ends.append(time.perf_counter()))
    return [after - before for before, after in itertools.pairwise(ends)]


def of_a_bare_fit(name: str) -> list[float]:
    """Seconds of each epoch but the first, by ``model.fit`` on arrays."""
    ends: list[float] = []
    recipe = training.Recipe(name, epochs=EPOCHS)
    (images, labels), _ = datasets.load_fashion_mnist()
    train, validation = datasets.split_validation(images, labels, count=recipe.validation_count)
    keras.utils.set_random_seed(0)
    network = models.build(name, (28, 28, 1), 10)
    steps = EPOCHS * -(-len(train[0]) // recipe.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    network.compile(
        keras.optimizers.Adam(schedule),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    clock = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter())
    )
    network.fit(
        datasets.as_inputs(train[0]),
        train[1],
        batch_size=recipe.batch_size,
        epochs=EPOCHS,
        validation_data=(datasets.as_inputs(validation[0]), validation[1]),
        validation_batch_size=500,
        callbacks=[clock],
        verbose=0,
    )
    return [after - before for before, after in itertools.pairwise(ends)]


def main() -> None:
    values = {}
    for name in models.NETWORKS:
        ratios = []
        for _ in range(TURNS):
            bare, ours = min(of_a_bare_fit(name)), min(of_the_package(name))
            ratios.append(bare / ours)
            sys.stdout.write(f"{name}: {bare:.1f} s bare, {ours:.1f} s by the package\n")
        middle = statistics.median(ratios)
        values[f"{name}_share_of_bare_fit"] = {
            "value": float(f"{middle:.3g}"),
            "unit": "ratio",
            "tolerance": float(f"{max(abs(ratio - middle) for ratio in ratios):.2g}"),
        }
    results.record(TOPIC, values, command="make bench", seed=0)
    for key, entry in values.items():
        sys.stdout.write(f"{key}: {entry['value']} ± {entry['tolerance']}\n")


if __name__ == "__main__":
    main()
