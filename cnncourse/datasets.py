"""Real images as NumPy arrays: the embedded sample, all of Fashion-MNIST, a few photographs.

Reading, checking and splitting belong here; anything that trains or draws does not.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cnncourse import files

FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""The class names; the position is the label."""

PHOTOS = ("brick", "camera", "chelsea", "coffee", "grass")
"""The photographs that :func:`load_photo` knows, all CC0."""

SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package ``dataset-fashion-mnist`` puts the full data set."""

DOWNLOAD_ADDRESS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""The address that ``keras.datasets.fashion_mnist`` downloads from."""

CACHE_ADVICE = "Set CNNCOURSE_CACHE to a folder that you can write into."

# The SHA-256 of each file's content after decompression: the bytes that count are the
# same everywhere, while the gzip header differs between Debian's copy and the download.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}

Images = np.ndarray
Labels = np.ndarray


class DataNotFound(OSError):
    """The full data set is in none of the places where it is looked for."""


def cache_folder() -> Path:
    """The folder for downloaded data: ``$CNNCOURSE_CACHE``, or the user's cache folder.

    Returns:
        A path; the folder need not exist yet.
    """
    import pooch

    return Path(os.environ.get("CNNCOURSE_CACHE") or pooch.os_cache("cnncourse")).expanduser()


def load_fashion_mnist(
    size: str = "small",
) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """Fashion-MNIST: gray pictures of clothes in ten classes.

    Args:
        size: ``"small"`` for the sample in the package (10,000 training and 2,000 test
            images, every class equally often; no network needed) or ``"full"`` for all
            60,000 and 10,000. The full files are looked for in the cache, in Debian's
            package ``dataset-fashion-mnist`` and at the address that Keras downloads from.

    Returns:
        ``(train_images, train_labels), (test_images, test_labels)``; images are uint8 of
        shape (n, 28, 28), 0 is black; labels are uint8 of shape (n,), 0 to 9.

    Raises:
        ValueError: ``size`` is neither of the two.
        DataNotFound: no source of the full set is left; the message lists three ways out.

    Source: Xiao, Rasul and Vollgraf, *Fashion-MNIST*, arXiv:1708.07747 (2017); MIT licence.

    >>> (train_images, train_labels), (test_images, test_labels) = load_fashion_mnist()
    >>> train_images.shape, test_images.shape, str(train_images.dtype)
    ((10000, 28, 28), (2000, 28, 28), 'uint8')
    """
    if size == "small":
        with (
            resources.files("cnncourse.data").joinpath("fashion_mnist_small.npz").open("rb") as f,
            np.load(f) as arrays,
        ):
            return (
                (arrays["train_images"], arrays["train_labels"]),
                (arrays["test_images"], arrays["test_labels"]),
            )
    if size == "full":
        train_images, train_labels, test_images, test_labels = (
            read_idx(_verified_content(name)) for name in SHA256
        )
        return (train_images, train_labels), (test_images, test_labels)
    raise ValueError(f"There is no size {size!r} of Fashion-MNIST; choose 'small' or 'full'.")


def load_photo(name: str) -> np.ndarray:
    """One of the CC0 photographs that scikit-image ships.

    Args:
        name: one of :data:`PHOTOS`.

    Returns:
        uint8 of shape (height, width) for brick, camera and grass, of shape
        (height, width, 3) for chelsea and coffee.

    Raises:
        ValueError: there is no photograph of that name.

    >>> load_photo("camera").shape, load_photo("chelsea").shape
    ((512, 512), (300, 451, 3))
    """
    if name not in PHOTOS:
        raise ValueError(f"There is no photo {name!r}; choose one of {', '.join(PHOTOS)}.")
    with (
        resources.files("cnncourse.data").joinpath("photos.npz").open("rb") as file,
        np.load(file) as arrays,
    ):
        return arrays[name]


def as_inputs(images: Images) -> np.ndarray:
    """What both trained networks eat: float32 between 0 and 1, with a channel axis.

    Args:
        images: uint8, shape (n, height, width) or (n, height, width, channels).

    Returns:
        float32 of shape (n, height, width, channels): the images divided by 255.

    Raises:
        ValueError: another rank, or a dtype that is not uint8 (scaled already?).

    >>> as_inputs(np.full((2, 28, 28), 255, np.uint8)).shape
    (2, 28, 28, 1)
    """
    images = np.asarray(images)
    if images.ndim not in (3, 4):
        raise ValueError(
            f"Got images of shape {images.shape}; wanted (n, height, width) or "
            "(n, height, width, channels). One image alone needs images[None]."
        )
    if images.dtype != np.uint8:
        raise ValueError(
            f"Got images of dtype {images.dtype}; wanted uint8 from 0 to 255. "
            "Images that are floats already were probably scaled before."
        )
    inputs = images.astype(np.float32) / np.float32(255)
    return inputs if images.ndim == 4 else inputs[..., np.newaxis]


def as_labels(labels: Sequence[int] | np.ndarray, count: int, classes: int) -> np.ndarray:
    """True classes as one whole number for each image.

    Args:
        labels: whole numbers, a list or an array of shape (n,) or (n, 1).
        count: how many images they belong to.
        classes: how many classes there are.

    Returns:
        An array of shape (n,), of the dtype given.

    Raises:
        ValueError: another shape, another count, or numbers that are no classes; rows with a 1
            at the class among them.

    >>> as_labels([[3], [0]], 2, 10)
    array([3, 0])
    """
    wanted = f"wanted for each of them one whole number from 0 to {classes - 1}"
    try:
        given = np.asarray(labels)
    except ValueError as error:
        raise ValueError(f"Got labels of several lengths for {count} images; {wanted}.") from error
    found = given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given
    if found.shape != (count,) or found.dtype.kind not in "iu":
        advice = ""
        if given.shape == (count, classes) and classes > 1:
            advice = " Rows with a 1 at the class become that by labels.argmax(axis=1)."
        raise ValueError(
            f"Got labels of shape {given.shape} and dtype {given.dtype} for {count} images; "
            f"{wanted}.{advice}"
        )
    if count and (found.min() < 0 or found.max() >= classes):
        raise ValueError(
            f"Got labels from {found.min()} to {found.max()} for {count} images; {wanted}."
        )
    return found


def split_validation(
    images: Images, labels: Labels, *, count: int = 5000, seed: int = 0
) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """Cut a validation part from the training part, so that the test part stays unseen.

    Args:
        images: shape (n, ...).
        labels: shape (n,).
        count: images in the validation part.
        seed: which images; the same seed cuts the same part.

    Returns:
        ``(train_images, train_labels), (validation_images, validation_labels)``, disjoint,
        together all that came in, both in random order.

    Raises:
        ValueError: as many labels as images are wanted, and ``0 < count < n``.

    >>> (train, _), (validation, _) = split_validation(np.arange(10), np.arange(10), count=3)
    >>> sorted([*train.tolist(), *validation.tolist()]) == list(range(10))
    True
    """
    if len(images) != len(labels):
        raise ValueError(f"Got {len(images)} images and {len(labels)} labels; wanted as many.")
    if not 0 < count < len(images):
        raise ValueError(f"Got count={count}; wanted more than 0 and less than {len(images)}.")
    order = np.random.default_rng(seed).permutation(len(images))
    train, validation = order[count:], order[:count]
    return (images[train], labels[train]), (images[validation], labels[validation])


def read_idx(content: bytes) -> np.ndarray:
    """The array in a file of the IDX format, as MNIST and Fashion-MNIST use it.

    Args:
        content: the decompressed bytes of the file.

    Returns:
        uint8 of the shape that the header states.

    Raises:
        ValueError: not an IDX file of bytes, or of another length than its header says.

    Source: http://yann.lecun.com/exdb/mnist, "the IDX file format".

    >>> read_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    array([7, 9], dtype=uint8)
    """
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError("Got bytes that are no IDX file of unsigned bytes (0, 0, 8 at the start).")
    rank = content[3]
    start = 4 + 4 * rank
    shape = tuple(int(side) for side in np.frombuffer(content[4:start], ">u4"))
    body = np.frombuffer(content, np.uint8, offset=start) if len(content) > start else np.empty(0)
    if len(shape) != rank or body.size != np.prod(shape, dtype=int):
        raise ValueError(f"Got {body.size} bytes behind an IDX header of shape {shape}.")
    return body.reshape(shape).copy()


def find_full(name: str) -> bytes | None:
    """One file of the full set, if a sound copy is on this machine already.

    Args:
        name: a key of :data:`SHA256`.

    Returns:
        Its decompressed bytes, from the cache or from Debian's package; None if neither
        holds a copy with the right hash.
    """
    for folder in (cache_folder() / "fashion-mnist", SYSTEM_FOLDER):
        content = _read_gzip(folder / f"{name}.gz", SHA256[name])
        if content is not None:
            return content
    return None


def _verified_content(name: str) -> bytes:
    """The decompressed bytes of one file of the full set, from the first source that has it."""
    content = find_full(name)
    if content is not None:
        return content
    cached = cache_folder() / "fashion-mnist" / f"{name}.gz"
    files.make_folder(cached.parent, advice=CACHE_ADVICE)
    with TemporaryDirectory() as folder:
        try:
            path = _download(f"{name}.gz", Path(folder))
        except Exception as error:  # whatever pooch, requests or a proxy raise
            raise DataNotFound(_three_ways(name, f"The download failed: {error}")) from error
        content = _read_gzip(path, SHA256[name])
        if content is None:
            raise DataNotFound(_three_ways(name, "The download came in damaged."))
        files.write_whole(cached, path.read_bytes())
    return content


def _download(file_name: str, folder: Path) -> Path:
    import pooch

    return Path(
        pooch.retrieve(
            DOWNLOAD_ADDRESS + file_name,
            known_hash=None,  # the decompressed content is checked instead, see SHA256
            fname=file_name,
            path=folder,
            progressbar=True,
        )
    )


def _read_gzip(path: Path, sha256: str) -> bytes | None:
    """The decompressed content, or None if there is no such file or its hash is another."""
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        return None
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def _three_ways(name: str, reason: str) -> str:
    folder = cache_folder() / "fashion-mnist"
    return (
        f"Found no sound copy of {name}.gz. {reason}\n"
        "Three ways to get all of Fashion-MNIST:\n"
        "  1. with a network connection, run: cnncourse data\n"
        "  2. on Debian or Ubuntu, run: sudo apt install dataset-fashion-mnist\n"
        f"  3. copy the four .gz files from another machine into {folder}\n"
        "The sample in the package, load_fashion_mnist('small'), needs none of them."
    )
