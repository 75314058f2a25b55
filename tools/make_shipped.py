#!/usr/bin/env python3
"""Exports a generator of saved_models/ from a run, with its quality by an independent judge.

    tools/make_shipped.py fashion_dcgan RUN OUT --data DIRECTORY
    tools/make_shipped.py clothes_dcgan RUN OUT --data DIRECTORY
    tools/make_shipped.py faces_dcgan RUN OUT

The command that made the run is in the card of each (--command, --minutes). DIRECTORY holds
Fashion-MNIST's four gzipped IDX files, as Debian's package dataset-fashion-mnist installs them;
faces are drawn anew. The judge, a small convolutional network, learns what real pictures show: the
class, or each attribute. It says how well drawn pictures show what was asked for, and its 64
features give a Fréchet distance to real test pictures. Both are said of real pictures too, as the
measure. All but the first have the whole GAN beside model.onnx, as model.keras without
optimizers, its generator's weights the averaged ones: for `kgan generate --nice`, `kgan explore`
and `kgan train --from`.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from shipped import clothes, faces

import kgan
from kgan.export import export
from kgan.runs import load
from kgan.training import averaging

FASHION = "Apache-2.0; trained on Fashion-MNIST, MIT"
# Name -> (what judges it, its licence, whether the whole GAN ships).
SHIPPED = {
    "fashion_dcgan": (clothes, FASHION, False),
    "clothes_dcgan": (clothes, FASHION, True),
    "faces_dcgan": (faces, "Apache-2.0", True),
}


def with_the_weights_that_draw(model):
    """A GAN as another, without an average: its generator has the averaged weights."""
    if model.average is None:
        return model
    model.generator.set_weights(model.average.network.get_weights())
    arguments = model.arguments() | {"attributes": model.attributes}
    for name in averaging.config_of(model.average):
        del arguments[name]
    return kgan.GAN(model.generator, model.discriminator, **arguments)


def main():
    """Judges and exports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=SHIPPED)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, help="Fashion-MNIST's files")
    parser.add_argument("--minutes", help="of training, as it was measured")
    parser.add_argument("--command", help="with which the run was made")
    arguments = parser.parse_args()
    subject, licence, whole = SHIPPED[arguments.name]
    if subject is clothes and arguments.data is None:
        parser.error(f"{arguments.name} needs --data, the directory of Fashion-MNIST's files")
    model = load.load_model(arguments.run, compile=False)
    facts = load.training_facts(arguments.run)
    facts |= {"minutes": arguments.minutes, "command": arguments.command}
    facts |= subject.quality(model, arguments.data)
    made = export(
        model,
        arguments.out / arguments.name,
        saved_model=False,
        training=facts,
        licence=licence,
    )
    if whole:
        with_the_weights_that_draw(model).save(made.path / "model.keras")
    print((made.path / "README.md").read_text(encoding="utf-8"))
    print(made.path)


if __name__ == "__main__":
    main()
