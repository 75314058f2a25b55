"""The model card: what an export is and how to use it, for a person."""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from kgan.attributes import Attributes
from kgan.channels import PICTURES
from kgan.files import printable
from kgan.manifest import MOST_SAMPLES, evaluation_rows, smaller_files

GENERATOR = """\
```python
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import, or onnxruntime reports its use
import numpy
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("model.onnx")
latents = numpy.random.default_rng(0).{draw}
images = session.run(["images"], {{"latents": latents{labels}}})[0]
{show}
```
"""
NETWORK = """\
```python
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import, or onnxruntime reports its use
import numpy
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx")
latents = numpy.random.default_rng(0).{draw}
outputs = session.run(["outputs"], {{"latents": latents{labels}}})[0]
```
"""
AUTOENCODER = """\
```python
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import, or onnxruntime reports its use
import numpy
import onnxruntime
from PIL import Image

encoder = onnxruntime.InferenceSession("encoder.onnx")
decoder = onnxruntime.InferenceSession("decoder.onnx")
{photo}
codes = encoder.run(["codes"], {{"images": images}})[0]
images = decoder.run(["images"], {{"codes": codes}})[0]
{show}
```
"""
PROBE = """\
```python
import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before the import, or onnxruntime reports its use
import numpy
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("model.onnx")
{photo}
features, scores, classes = session.run(["features", "scores", "classes"], {{"images": images}})
```
"""
PHOTO = """\
photo = Image.open("photo.png").convert("{mode}").resize(({width}, {height}))
images = numpy.asarray(photo).reshape(1, {height}, {width}, {channels})"""
ARRAY = 'images = numpy.load("images.npy")  # uint8 (n, {height}, {width}, {channels})'
# What means something in CommonMark or GitHub's Markdown; within a word _ is a letter, and a
# backslash is one before letters.
MARKUP = re.compile(r"[`*\[\]|~#$]|(?<![^\W_])_|_(?![^\W_])|\\(?=[!-/:-@\[-`{-~]|$)")
SERVE = """\
```sh
tensorflow_model_server --rest_api_port=8501 {model_name} {base_path}
curl {address} \\
    -d '{{"signature_name": "sample", "inputs": {{"seed": 0, "n": 4}}}}'
```

The answer's `outputs` are the {images}, ({shape}): {image} i is the one that seed + i
gives anywhere else{classes}. One call makes at most {most}.
The signature `serving_default` takes {inputs} instead.
"""


def card(manifest: Mapping[str, Any]) -> str:
    """Markdown text of an export's README.md, which comes below its `front_matter`."""
    lines = [f"# {_shown(manifest['name'])}, version {manifest['version']}", ""]
    described = {"autoencoder": _autoencoder, "probe": _probe}.get(manifest["kind"], _generator)
    lines += described(manifest)
    training = {key: value for key, value in manifest["training"].items() if value is not None}
    if "licence" in manifest:
        lines.append(f"| licence | {_shown(manifest['licence'])} |")
    lines += [
        f"| {_shown(key.replace('_', ' '))} | {_shown(value)} |" for key, value in training.items()
    ]
    for form, report in manifest["parity"].items():
        figures = ", ".join(
            f"{key.replace('_', ' ')} {report[key]:.3g}"
            for key in ("float_max_abs_difference", "uint8_max_levels")
            if key in report
        )
        lines.append(f"| {form} against Keras | {figures} |")
    for file, found in manifest.get("reference", {}).items():
        lines.append(f"| {file} in onnx's ReferenceEvaluator | {_reference(found)} |")
    if "evaluation" in manifest:
        lines += [
            f"| {_shown(what)} | {_shown(words)} |"
            for what, words in evaluation_rows(manifest["evaluation"])
        ]
    for file, figures in smaller_files(dict(manifest)).items():
        lines.append(
            f"| {file}, in {figures['precision']}, beside float32 | PSNR "
            f"{figures['psnr_db']:.1f} dB, {figures['bytes'] / figures['float32_bytes']:.0%} of "
            "the size |"
        )
    lines += [f"| {name} | {version} |" for name, version in manifest["versions"].items()]
    if "opset" in manifest:
        lines += ["", "## Use", "", _use(manifest).rstrip()]
    if "sample" in manifest.get("signatures", {}):
        lines += ["", "## Serve", "", _serve(manifest)]
    return "\n".join(lines).rstrip() + "\n"


def _reference(found: Mapping[str, Any]) -> str:
    if "not_run" in found:
        return f"not run: {_shown(found['not_run'])}"
    if "psnr_db" in found:
        return f"PSNR {found['psnr_db']:.1f} dB"
    return f"max abs difference {found['max_abs_difference']:.3g}"


def _described(value: Mapping[str, Any]) -> str:
    shape = ", ".join(map(str, value["shape"]))
    text = f"`{value['name']}`, {value['dtype']} ({shape})"
    if "value_range" in value:
        text += f", {value['value_range'][0]} to {value['value_range'][1]}"
    return text


def _images(output: Mapping[str, Any]) -> str:
    """Images in words, such as "28x28 images with 1 channel (grey)"."""
    height, width, channels = output["shape"][1:]
    count = f"{channels} channel{'' if channels == 1 else 's'}"
    what = f" ({PICTURES[channels]})" if channels in PICTURES else ""
    return f"{height}x{width} images with {count}{what}"


def _generator(manifest: Mapping[str, Any]) -> list[str]:
    latents, output = manifest["latents"], manifest["output"]
    if manifest["kind"] == "network":
        lines = [f"A network that gives {_described(output)}.", ""]
    else:
        lines = ["![samples](samples.png)", "", f"A generator of {_images(output)}.", ""]
    lines += ["| | |", "|---|---|"]
    assumed = f" (assumed: {_shown(latents['assumed'])})" if "assumed" in latents else ""
    distribution = f"{latents['distribution']}{assumed}"
    lines.append(f"| input | {_described(manifest['input'])}, {distribution} |")
    if "labels" in manifest:
        labels = manifest["labels"]
        if "attributes" in labels:
            listed = _shown(Attributes.from_config(labels).in_words())
        else:
            listed = _classes(labels)
        lines.append(f"| input | {_described(labels)}: {listed} |")
    lines.append(f"| output | {_described(output)} |")
    if "encoder" in manifest:
        half = manifest["encoder"]
        words = f"{_described(half['input'])} to {_described(half['output'])}, its latents"
        lines.append(f"| {half['file']} | {words} |")
    if "directions" in manifest:
        names = ", ".join(_shown(each["name"]) for each in manifest["directions"])
        lines.append(f"| directions of the latents, in manifest.json | {names} |")
    return [*lines, f"| latent of a seed | `{latents['law']}` |"]


def _classes(labels: Mapping[str, Any]) -> str:
    names = labels["class_names"] or range(labels["num_classes"])
    return ", ".join(f"{label} {_shown(name)}" for label, name in enumerate(names))


def _shown(text: object) -> str:
    """Text that Markdown, and HTML in it, shows as it is."""
    return MARKUP.sub(r"\\\g<0>", html.escape(printable(text, None), quote=False))


def _autoencoder(manifest: Mapping[str, Any]) -> list[str]:
    encoder, decoder = manifest["encoder"], manifest["decoder"]
    lines = [f"An autoencoder of {_images(decoder['output'])}.", "", "| | |", "|---|---|"]
    for name, half in (("encoder", encoder), ("decoder", decoder)):
        lines.append(f"| {name} | {_described(half['input'])} to {_described(half['output'])} |")
    return lines


def _probe(manifest: Mapping[str, Any]) -> list[str]:
    features, classes = manifest["features"], manifest["classes"]
    layers = ", ".join(f"{_shown(each['name'])} ({each['maps']})" for each in features["layers"])
    return [
        f"A probe of {_images(manifest['input'])}: what a network that was never told of classes "
        "makes of them, and a linear classifier on that.",
        "",
        "| | |",
        "|---|---|",
        f"| input | {_described(manifest['input'])} |",
        f"| output | {_described(features)}: {features['law']} |",
        f"| its layers (maps) | {layers} |",
        f"| output | {_described(manifest['scores'])}, one for each class |",
        f"| output | {_described(classes)}, {classes['law']}: {_classes(classes)} |",
    ]


def _photo(shape: Sequence[int]) -> str:
    """The code that reads images of a shape (H, W, C)."""
    height, width, channels = shape
    mode = {1: "L"}.get(channels) or PICTURES.get(channels)
    taken = ARRAY if mode is None else PHOTO
    return taken.format(mode=mode, height=height, width=width, channels=channels)


def _use(manifest: Mapping[str, Any]) -> str:
    if manifest["kind"] == "probe":
        return PROBE.format(photo=_photo(manifest["input"]["shape"][1:]))
    if manifest["kind"] == "network":
        return NETWORK.format(draw=_draw(manifest), labels=_labels(manifest))
    generator = manifest["kind"] == "generator"
    output = manifest["output"] if generator else manifest["decoder"]["output"]
    height, width, channels = output["shape"][1:]
    squeeze = "[..., 0]" if channels == 1 else ""
    if channels not in PICTURES:
        show = 'numpy.save("image.npy", images[0])'
    elif output["dtype"] == "uint8":
        show = f'Image.fromarray(images[0]{squeeze}).save("picture.png")'
    else:
        low, high = output["value_range"]
        show = (
            f"levels = ((images[0]{squeeze} - {low}) * {255 / (high - low)}).round().clip(0, 255)\n"
            'Image.fromarray(levels.astype("uint8")).save("picture.png")'
        )
    if not generator:
        return AUTOENCODER.format(photo=_photo((height, width, channels)), show=show)
    return GENERATOR.format(draw=_draw(manifest), labels=_labels(manifest), show=show)


def _draw(manifest: Mapping[str, Any]) -> str:
    shape = ", ".join(map(str, [1, *manifest["input"]["shape"][1:]]))
    if manifest["latents"]["distribution"] == "normal":
        return f'standard_normal(({shape}), "float32")'
    return f'uniform(-1, 1, ({shape})).astype("float32")'


def _labels(manifest: Mapping[str, Any]) -> str:
    labels = manifest.get("labels", {})
    if "attributes" in labels:
        row = ", ".join(f"{value:g}" for value in labels["rows"][0])
        return f', "labels": numpy.array([[{row}]], "float32")'
    return ', "labels": numpy.array([0])' if labels else ""


def _of_seeds(manifest: Mapping[str, Any]) -> str:
    """Which labels seeds have, in words."""
    if "labels" not in manifest:
        return ""
    if "attributes" in manifest["labels"]:
        return ", of the manifest's row of attributes of (seed + i) modulo their number"
    return ", of class (seed + i) modulo the number of classes"


def _serve(manifest: Mapping[str, Any]) -> str:
    name = manifest["name"]
    inputs = manifest["signatures"]["serving_default"]["inputs"]
    image = "output" if manifest["kind"] == "network" else "image"
    return SERVE.format(
        image=image,
        images=f"{image}s",
        model_name=shlex.quote(f"--model_name={name}"),
        base_path=shlex.quote(f"--model_base_path=/path/to/{name}"),
        address=shlex.quote(f"http://localhost:8501/v1/models/{quote(name, safe='')}:predict"),
        shape=", ".join(map(str, ["n", *manifest["output"]["shape"][1:]])),
        classes=_of_seeds(manifest),
        most=MOST_SAMPLES,
        inputs=" and ".join(f"`{name}`" for name in inputs),
    )
