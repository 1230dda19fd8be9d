"""Real images come in whole, or not at all."""

import gzip
import hashlib
import shutil

import numpy as np
import pytest
from closeness import assert_close

from cnncourse import datasets

NAMES = list(datasets.SHA256)


@pytest.fixture
def no_source(tmp_path, monkeypatch):
    """A machine with an empty cache, without Debian's package and without a network."""

    def refuse(*arguments, **options):
        raise ConnectionError("the network is down")

    monkeypatch.setenv("CNNCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets, "SYSTEM_FOLDER", tmp_path / "no such folder")
    monkeypatch.setattr("pooch.retrieve", refuse)
    return tmp_path / "cache" / "fashion-mnist"


@pytest.fixture
def tiny_set(monkeypatch):
    """Four small IDX files in place of the 70,000 images, with their own hashes."""
    images = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
    labels = np.array([0, 9, 5], np.uint8)
    contents = {}
    for name in NAMES:
        array = images if "images" in name else labels
        header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        contents[name] = header + array.tobytes()
    monkeypatch.setattr(
        datasets,
        "SHA256",
        {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    )
    return {name: gzip.compress(content) for name, content in contents.items()}


def test_small_sample_is_balanced():
    (train_images, train_labels), (test_images, test_labels) = datasets.load_fashion_mnist()
    assert train_images.shape == (10000, 28, 28)
    assert test_images.shape == (2000, 28, 28)
    assert train_images.dtype == train_labels.dtype == np.uint8
    assert np.bincount(train_labels).tolist() == [1000] * 10
    assert np.bincount(test_labels).tolist() == [200] * 10


def test_no_test_image_is_a_training_image():
    (train_images, _), (test_images, _) = datasets.load_fashion_mnist()
    seen = {image.tobytes() for image in train_images}
    assert not [i for i, image in enumerate(test_images) if image.tobytes() in seen]


def test_small_sample_is_the_first_of_each_class():
    if any(datasets.find_full(name) is None for name in NAMES):
        pytest.skip("all of Fashion-MNIST is not on this machine: run `cnncourse data`")
    full = datasets.load_fashion_mnist("full")
    for (images, labels), small, count in zip(
        full, datasets.load_fashion_mnist(), (1000, 200), strict=True
    ):
        chosen = np.sort(np.concatenate([np.flatnonzero(labels == k)[:count] for k in range(10)]))
        np.testing.assert_array_equal(images[chosen], small[0])
        np.testing.assert_array_equal(labels[chosen], small[1])


def test_unknown_size_names_the_valid_ones():
    with pytest.raises(ValueError, match=r"'medium'.*'small' or 'full'"):
        datasets.load_fashion_mnist("medium")


def test_no_source_lists_three_ways(no_source):
    with pytest.raises(datasets.DataNotFound) as caught:
        datasets.load_fashion_mnist("full")
    message = str(caught.value)
    assert "the network is down" in message
    assert "cnncourse data" in message
    assert "dataset-fashion-mnist" in message
    assert str(no_source) in message


def test_download_fills_the_cache_and_the_cache_is_used(no_source, tiny_set, monkeypatch):
    asked = []

    def retrieve(address, known_hash, fname, path, progressbar):
        asked.append(address)
        (path / fname).write_bytes(tiny_set[fname.removesuffix(".gz")])
        return str(path / fname)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    (train_images, train_labels), _ = datasets.load_fashion_mnist("full")
    assert train_images.shape == (3, 28, 28)
    assert train_labels.tolist() == [0, 9, 5]
    assert len(asked) == 4
    datasets.load_fashion_mnist("full")
    assert len(asked) == 4, "the second call read the cache"


@pytest.mark.parametrize("damage", ["truncated", "altered", "empty", "not gzip"])
def test_damaged_file_is_replaced_and_never_used(no_source, tiny_set, monkeypatch, damage):
    no_source.mkdir(parents=True)
    name = NAMES[0]
    sound = tiny_set[name]
    damaged = {
        "truncated": sound[:-9],
        "altered": gzip.compress(gzip.decompress(sound)[:-1] + b"?"),
        "empty": b"",
        "not gzip": b"<html>502 Bad Gateway</html>",
    }[damage]
    for other in NAMES:
        (no_source / f"{other}.gz").write_bytes(tiny_set[other])
    (no_source / f"{name}.gz").write_bytes(damaged)

    with pytest.raises(datasets.DataNotFound):
        datasets.load_fashion_mnist("full")

    def retrieve(address, known_hash, fname, path, progressbar):
        (path / fname).write_bytes(sound)
        return str(path / fname)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    datasets.load_fashion_mnist("full")
    assert (no_source / f"{name}.gz").read_bytes() == sound


def test_damaged_download_is_refused(no_source, tiny_set, monkeypatch):
    def retrieve(address, known_hash, fname, path, progressbar):
        (path / fname).write_bytes(tiny_set[fname.removesuffix(".gz")][:-5])
        return str(path / fname)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    with pytest.raises(datasets.DataNotFound, match="damaged"):
        datasets.load_fashion_mnist("full")
    assert list(no_source.glob("*")) == []


def test_debian_package_is_read(no_source, tiny_set, tmp_path, monkeypatch):
    folder = tmp_path / "system"
    folder.mkdir()
    for name, content in tiny_set.items():
        (folder / f"{name}.gz").write_bytes(content)
    monkeypatch.setattr(datasets, "SYSTEM_FOLDER", folder)
    _, (test_images, _) = datasets.load_fashion_mnist("full")
    assert test_images.shape == (3, 28, 28)


def test_unwritable_cache_is_said_before_the_download(no_source, monkeypatch):
    no_source.parent.parent.joinpath("cache").write_text("a file where the folder should be")
    monkeypatch.setattr("pooch.retrieve", lambda *a, **k: pytest.fail("asked for a download"))
    with pytest.raises(OSError, match="CNNCOURSE_CACHE"):
        datasets.load_fashion_mnist("full")
    shutil.rmtree(no_source.parent, ignore_errors=True)


@pytest.mark.parametrize("name", datasets.PHOTOS)
def test_photos_are_those_of_scikit_image(name):
    skimage_data = pytest.importorskip("skimage.data")
    np.testing.assert_array_equal(datasets.load_photo(name), getattr(skimage_data, name)())


def test_unknown_photo_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'cat'.*camera.*chelsea"):
        datasets.load_photo("cat")


def test_as_inputs_scales_and_adds_the_channel():
    images = np.array([[[0, 51], [102, 255]]], np.uint8)
    inputs = datasets.as_inputs(images)
    assert inputs.dtype == np.float32
    assert_close(inputs[0, :, :, 0], [[0, 0.2], [0.4, 1]])
    assert datasets.as_inputs(images[..., None]).shape == (1, 2, 2, 1)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((28, 28), np.uint8), r"\(28, 28\).*images\[None\]"),
        (np.zeros((1, 28, 28), np.float32), "float32.*uint8"),
    ],
)
def test_as_inputs_refuses(images, words):
    with pytest.raises(ValueError, match=words):
        datasets.as_inputs(images)


def test_split_is_disjoint_complete_and_repeatable():
    images, labels = np.arange(100), np.arange(100) * 2
    (a, a_labels), (b, b_labels) = datasets.split_validation(images, labels, count=30, seed=4)
    assert len(b) == 30
    assert sorted([*a, *b]) == list(range(100))
    np.testing.assert_array_equal(np.concatenate([a, b]) * 2, np.concatenate([a_labels, b_labels]))
    again = datasets.split_validation(images, labels, count=30, seed=4)
    np.testing.assert_array_equal(again[1][0], b)
    other = datasets.split_validation(images, labels, count=30, seed=5)
    assert set(other[1][0]) != set(b)


@pytest.mark.parametrize("count", [0, 100, -1])
def test_split_refuses_an_impossible_count(count):
    with pytest.raises(ValueError, match=f"count={count}"):
        datasets.split_validation(np.arange(100), np.arange(100), count=count)


def test_split_refuses_unequal_lengths():
    with pytest.raises(ValueError, match="100 images and 99 labels"):
        datasets.split_validation(np.arange(100), np.arange(99), count=5)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\x00\x08", b"GIF89a", bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2]), bytes([0, 0, 8, 2])],
)
def test_idx_refuses_what_is_not_whole(content):
    with pytest.raises(ValueError, match="Got"):
        datasets.read_idx(content)
