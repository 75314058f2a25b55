"""`kgan generate --video`: a walk from picture to picture, as `kgan explore interpolate` walks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from kgan import latents as latent_law
from kgan.cli.explore_arguments import opened
from kgan.cli.generate import labels_asked, seeds_asked
from kgan.errors import InputError
from kgan.files import printable
from kgan.images import repeat_pixels


def run_video(arguments: argparse.Namespace) -> None:
    """Writes the video, and prints its path."""
    from kgan.explore.video import check_mp4, save_mp4

    for flag, given in (
        ("--output", arguments.output),
        ("--separate", arguments.separate),
        ("--mosaic", arguments.mosaic),
        ("--nice", arguments.nice > 1),
        ("--pictures", arguments.pictures),
        ("--precision", arguments.precision),
    ):
        if given:
            raise InputError(f"--video is a walk between seeds, without {flag}. Received: both")
    if arguments.video.suffix.lower() != ".mp4":
        raise InputError(f"The video is an .mp4 file. Received: {printable(arguments.video)}")
    check_mp4()
    save_mp4(arguments.video, _frames(arguments))
    print(printable(arguments.video, None))


def _frames(arguments: argparse.Namespace) -> Iterator[np.ndarray]:
    """The frames, a leg at a time: the last is the one before the first."""
    from kgan.explore.interpolation import FRAMES, LEAST_FRAME, legs_between, usual_path
    from kgan.explore.picture import enlarged

    subject = opened(arguments.model)
    if subject.is_autoencoder:
        raise InputError(f"--video is for a GAN. Received an autoencoder: {arguments.model}")
    subject.check_pictures()
    seeds = seeds_asked(arguments)
    if len(seeds) < 2:
        raise InputError(f"A walk needs at least two seeds. Received: {len(seeds)}")
    labels = subject.labels_of(seeds, labels_asked(arguments, subject))
    assert subject.latent_dim is not None
    assert subject.latent_distribution is not None
    law = (subject.latent_dim, subject.latent_distribution, arguments.truncation)
    stops = latent_law.from_seeds(seeds, *law)
    stops = np.concatenate([stops, stops[:1]])
    if labels is not None:
        labels = np.concatenate([labels, labels[:1]])
    for leg in legs_between(subject, stops, labels, FRAMES, usual_path(subject)):
        yield from enlarged(repeat_pixels(leg[:-1], arguments.scale), LEAST_FRAME)
