"""Where pictures come from: one class a kind, each giving uint8 pictures of one shape."""

import hashlib
import io
import logging
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tensorflow as tf
from PIL import Image, UnidentifiedImageError

from kgan.data import decode
from kgan.errors import InputError

LOG = logging.getLogger("kgan")
WORKERS = os.cpu_count() or 1


class Source:
    """Pictures of one shape.

    Attributes:
        description: what they are, one line.
        image_shape: (H, W, C).
        count: number of pictures, None when not known.
        default_augment: augmentations that suit them when the user names none.
        skipped: pictures that could not be decoded, name -> reason; it fills as they are read.
        error: the InputError that ended reading, None without one. tf.data
            wraps what is raised inside it; this is the original.
        class_names: a name a class, by label; None for pictures without labels.
    """

    def __init__(self, description, image_shape, count, default_augment, class_names=None):
        self.description = description
        self.image_shape = image_shape
        self.count = count
        self.default_augment = list(default_augment)
        self.skipped = {}
        self.error = None
        self.class_names = class_names


class ArraySource(Source):
    """Pictures in memory, uint8 (N, H, W, C), and their labels, int32 (N,), or None."""

    def __init__(
        self, pictures, description, default_augment=("flip",), labels=None, class_names=None
    ):
        super().__init__(
            description, pictures.shape[1:], len(pictures), default_augment, class_names
        )
        self.pictures = pictures
        self.labels = labels


class StreamSource(Source):
    """Pictures that are decoded as they are read; subclasses have two more members.

    `examples(shuffle_seed=None)` gives a tf.data.Dataset of uint8 pictures (H, W, C)
    and int32 labels (-1 without), with a seed in an order that is new each epoch;
    `shuffles_itself` tells whether that order is of all pictures, so that no
    buffer need shuffle them.
    """

    shuffles_itself = False

    def __init__(
        self,
        description,
        image_shape,
        count,
        fit,
        background,
        strict,
        default_augment,
        class_names=None,
    ):
        super().__init__(description, image_shape, count, default_augment, class_names)
        self.fit = fit
        self.background = background
        self.strict = strict
        self.least = 1  # pictures that must remain; `batches` makes it a batch

    def fingerprint(self):
        """A short hash of which pictures these are and how they are fitted."""
        facts = [self.description, self.image_shape, self.fit, self.background, self.class_names]
        facts += self.origins()
        return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()[:16]

    def origins(self):
        """What the description does not tell of where the pictures come from."""
        return ()

    def decoded(self, named, to_file):
        """Decodes a dataset of encoded pictures, skipping and remembering what cannot be.

        Args:
            named: tf.data.Dataset of (name, data, label).
            to_file: maps data, as bytes, to what Pillow opens.
        """

        def decode_one(name, data):
            try:
                file = to_file(data)
                return decode.decode(file, self.image_shape, self.fit, self.background), True
            except Exception as problem:  # Pillow has no one class for a bad picture
                self.skip(os.fsdecode(name), problem)
                return np.zeros(self.image_shape, np.uint8), False

        def load(name, data, label):
            image, good = tf.numpy_function(decode_one, (name, data), (tf.uint8, tf.bool))
            image.set_shape(self.image_shape)
            good.set_shape(())
            return image, tf.cast(label, tf.int32), good

        def is_good(image, label, good):
            return good

        def example(image, label, good):
            return image, label

        return named.map(load, num_parallel_calls=WORKERS).filter(is_good).map(example)

    def skip(self, name, problem):
        """Notes a picture that cannot be used.

        Raises:
            InputError: under `strict`, or when fewer than `least` pictures remain.
        """
        if self.error is not None:  # another thread has ended the reading
            raise self.error
        if name in self.skipped:
            return
        if isinstance(problem, UnidentifiedImageError):  # its own words quote a memory address
            reason = "not a picture of a known format"
        else:
            reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        self.skipped[name] = reason
        if self.strict:
            self.error = InputError(f"Cannot decode a picture: {name} ({reason})")
            raise self.error
        LOG.warning("skipped %s: %s (%d skipped so far)", name, reason, len(self.skipped))
        if self.count is not None and self.count - len(self.skipped) < self.least:
            self.error = InputError(
                f"Only {self.count - len(self.skipped)} of {self.count} pictures could be decoded; "
                f"at least {self.least} are needed. The last one: {name} ({reason})"
            )
            raise self.error


class FolderSource(StreamSource):
    """The pictures below a folder, in the order of their names; its subfolders are classes.

    There are classes where every picture lies in one of at least two subfolders.
    """

    shuffles_itself = True

    def __init__(self, folder, image_shape, fit, background, strict):
        files = _picture_files(folder)
        self.folder = folder
        places = {_subfolder(folder, file) for file in files}
        super().__init__(
            f"folder {folder.resolve().name}, {len(files)} pictures",
            image_shape,
            len(files),
            fit,
            background,
            strict,
            ("flip",),
            sorted(places) if None not in places and len(places) > 1 else None,
        )
        with ThreadPoolExecutor(WORKERS) as pool:
            problems = list(pool.map(_header_problem, files))
        self.files = []
        for file, problem in zip(files, problems, strict=True):
            if problem is None:
                self.files.append(file)
            else:
                self.skip(file, problem)

    def origins(self):
        return [(file, os.path.getmtime(file)) for file in self.files]

    def examples(self, shuffle_seed=None):
        labels = [-1] * len(self.files)
        if self.class_names:
            labels = [self.class_names.index(_subfolder(self.folder, f)) for f in self.files]
        # As bytes: a name on disk need not be valid UTF-8.
        names = [os.fsencode(file) for file in self.files]
        files = tf.data.Dataset.from_tensor_slices((names, labels))
        if shuffle_seed is not None:
            files = files.shuffle(len(self.files), shuffle_seed, reshuffle_each_iteration=True)
        return self.decoded(files.map(lambda file, label: (file, file, label)), os.fsdecode)


def _subfolder(folder, file):
    """The name of the folder's own subfolder that a file lies in, None for none."""
    parts = os.path.relpath(file, folder).split(os.sep)
    return parts[0] if len(parts) > 1 else None


def _picture_files(folder):
    files = []
    for root, folders, names in os.walk(folder):  # links to folders are not followed: no loops
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files += [
            os.path.join(root, name)
            for name in sorted(names)
            if name.lower().endswith(decode.SUFFIXES) and not name.startswith(".")
        ]
    if not files:
        raise InputError(
            f"No pictures in this folder ({' '.join(decode.SUFFIXES)}). Received: {folder}"
        )
    return files


def _header_problem(file):
    try:
        with Image.open(file, formats=decode.FORMATS):
            return None
    except Exception as problem:  # as in decode_one
        return problem


class RecordSource(StreamSource):
    """TFRecord shards; each record a tf.train.Example with an encoded picture.

    The bytes are under `image/encoded` or `image`. Records are streamed:
    memory does not grow with the set.
    """

    def __init__(self, shards, image_shape, fit, background, strict):
        super().__init__(
            f"{len(shards)} TFRecord shards", image_shape, None, fit, background, strict, ("flip",)
        )
        self.shards = shards

    def origins(self):
        return [(shard, os.path.getmtime(shard)) for shard in self.shards]

    def examples(self, shuffle_seed=None):
        shards = tf.data.Dataset.from_tensor_slices(self.shards)
        if shuffle_seed is not None:  # the records within are shuffled after decoding
            shards = shards.shuffle(len(self.shards), shuffle_seed, reshuffle_each_iteration=True)

        def read(shard):
            records = tf.data.TFRecordDataset(shard).enumerate()
            return records.map(lambda index, record: (_record_name(shard, index), record))

        def parse(name, record):
            keys = ("image/encoded", "image")
            features = {key: tf.io.FixedLenFeature((), tf.string, "") for key in keys}
            example = tf.io.parse_single_example(record, features)
            return name, tf.where(example[keys[0]] != "", example[keys[0]], example[keys[1]]), -1

        return self.decoded(shards.interleave(read, cycle_length=4).map(parse), io.BytesIO)


def _record_name(shard, index):
    return tf.strings.join([shard, tf.strings.as_string(index)], " record ")


class TFDSSource(StreamSource):
    """A TensorFlow Datasets set that has an `image` feature; its `label` is the class."""

    def __init__(self, name, dataset, count, image_shape, fit, background, class_names):
        # What such a set shows is not known here: digits and letters must not be flipped.
        description = f"tfds {name}, {count} pictures"
        super().__init__(description, image_shape, count, fit, background, False, (), class_names)
        self.dataset = dataset

    def examples(self, shuffle_seed=None):
        def fit_one(image):
            image = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
            return decode.fit_image(image, self.image_shape, self.fit, self.background)

        def load(example):
            image = example["image"]
            if image.shape != self.image_shape:
                image = tf.numpy_function(fit_one, (image,), tf.uint8)
                image.set_shape(self.image_shape)
            label = example["label"] if self.class_names else -1
            return image, tf.cast(label, tf.int32)

        return self.dataset.map(load, num_parallel_calls=WORKERS)
