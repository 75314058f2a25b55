"""Options of a run: its data, its networks and its length."""

from __future__ import annotations

import dataclasses
from typing import Literal

from kgan.option_fields import (
    COLOUR,
    FILE,
    MINUTES,
    NAMES,
    PATH,
    SIZE,
    SWITCH,
    TEXT,
    WHOLE,
    one_of,
    option,
)

DEFAULT_EPOCHS = 25
PRESETS_OWN = "the preset's"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataOptions:
    """What a run trains, on what and how long; a part of `RunOptions`."""

    data: str | None = option(
        None,
        TEXT,
        "folder, .zip, .tar, LMDB or .csv list of pictures, array file (.npz .npy IDX .mat), "
        "CIFAR, TFRecord shards, Parquet, hf:PATH, tfds:NAME or embedded:faces",
        "data",
        default_words="the embedded clothes",
        positional=True,
    )
    split: str | None = option(
        None,
        TEXT,
        "of subfolders train, test, val and the like, of CIFAR, Parquet or hf:PATH, or all for "
        "everything; of a TFDS set, such as test or train[:10%]",
        "data",
        default_words="train",
    )
    manual_dir: str | None = option(
        None,
        PATH,
        "a folder with the TFDS set's own files, for those fetched by hand or without network",
        "data",
    )
    download_dir: str | None = option(
        None, PATH, "where TFDS keeps downloads", "data", default_words="its own place"
    )
    label_column: str | None = option(
        None,
        TEXT,
        "the column of labels in a .csv list, metadata.csv, Parquet or hf:PATH, or their feature "
        "in TFRecords",
        "data",
        default_words="label, class or the like",
    )
    feature: str | None = option(
        None,
        TEXT,
        "the feature of pictures in TFRecords, or their column in Parquet or hf:PATH",
        "data",
        default_words="the first that holds them",
    )
    strict: bool = option(False, SWITCH, "stop at a picture that cannot be decoded", "data")
    size: tuple[int, ...] | None = option(
        None,
        SIZE,
        "height and width, also HxWxC; HxWx4 keeps transparency",
        "data",
        default_words="the data's own where all have one; 64x64 for files",
    )
    fit: Literal["crop", "pad"] = option(
        "crop", one_of("crop", "pad"), "how other shapes are fitted", "data"
    )
    background: tuple[int, ...] = option(
        (255, 255, 255),
        COLOUR,
        "colour under transparent pictures and around padded ones, not with HxWx4",
        "data",
    )
    augment: list[str] | None = option(
        None,
        NAMES,
        "such as flip,rotate=10,cutout=0.5:0.2 (strength, share of the pictures), or none; "
        "flip crop rotate translate zoom shear brightness contrast saturation hue cutout; all for "
        "flip (where harmless), crop, brightness, contrast, saturation and hue",
        "data",
        default_words="flip if a small network cannot tell pictures from their mirror images; none "
        "for the embedded sets, tfds and with attributes",
    )

    balance: bool = option(
        False, SWITCH, "show every class as often as another, however few its pictures", "data"
    )

    preset: str = option("dcgan", TEXT, "named configuration; see --list-presets", "model")
    discriminator: Literal["projected"] | None = option(
        None,
        one_of("projected"),
        "in the place of the preset's own: projected judges by the features of a network that was "
        "trained on photographs; needs kgan[metrics]",
        "model",
        default_words=PRESETS_OWN,
    )
    filters: int | None = option(None, WHOLE, "width unit", "model", default_words=PRESETS_OWN)
    latent_dim: int | None = option(
        None, WHOLE, "length of a latent vector", "model", default_words=PRESETS_OWN
    )
    latents: Literal["normal", "uniform"] | None = option(
        None,
        one_of("normal", "uniform"),
        "distribution of latents: N(0, 1) or U(-1, 1)",
        "model",
        default_words=PRESETS_OWN,
    )
    conditional: bool = option(
        False,
        SWITCH,
        "learn the data's classes: subfolders, an array file's labels, a TFDS label; or attributes",
        "model",
    )
    attributes: str | None = option(
        None,
        FILE,
        "learn the attributes, 0 or 1 or numbers, of a folder's pictures from this CSV or JSON "
        "file: its columns are the file's name and then these",
        "model",
        default_words="with --conditional those of an array file or of embedded:faces",
    )

    minibatch_stddev: bool = option(
        False,
        SWITCH,
        "the discriminator sees how much the pictures of a batch differ; for few pictures",
        "model",
    )

    epochs: int | None = option(
        None,
        WHOLE,
        "times through the data",
        "length",
        default_words=f"{PRESETS_OWN}, or {DEFAULT_EPOCHS}",
        exclusive=True,
        on_resume=True,
    )
    steps: int | None = option(
        None, WHOLE, "batches of images", "length", exclusive=True, on_resume=True
    )
    minutes: float | None = option(
        None, MINUTES, "wall-clock minutes", "length", exclusive=True, on_resume=True
    )
