"""The model card: what an export is and how to use it, for a person."""

USE = """\
```python
import numpy
import onnxruntime
from PIL import Image

session = onnxruntime.InferenceSession("model.onnx")
latents = numpy.random.default_rng(0).{draw}
images = session.run(["images"], {{"latents": latents}})[0]
{show}
```
"""


def card(manifest):
    """Markdown text of an export's card.md."""
    output, latents, training = manifest["output"], manifest["latents"], manifest["training"]
    dim = latents["dim"]
    draw = (
        f'standard_normal((1, {dim}), "float32")'
        if latents["distribution"] == "normal"
        else f'uniform(-1, 1, (1, {dim})).astype("float32")'
    )
    height, width, channels = output["shape"][1:]
    squeeze = "[..., 0]" if channels == 1 else ""
    if output["dtype"] == "uint8":
        show = f'Image.fromarray(images[0]{squeeze}).save("picture.png")'
    else:
        low, high = output["value_range"]
        show = (
            f"levels = ((images[0]{squeeze} - {low}) * {255 / (high - low)}).round().clip(0, 255)\n"
            'Image.fromarray(levels.astype("uint8")).save("picture.png")'
        )
    lines = [f"# {manifest['name']}, version {manifest['version']}", ""]
    lines += ["![samples](samples.png)", ""]
    lines += [f"A generator of {height}x{width} pictures with {channels} channel(s).", ""]
    lines += ["| | |", "|---|---|"]
    lines += [
        f"| input | `latents`, float32 (batch, {dim}), {latents['distribution']} |",
        f"| output | `images`, {output['dtype']} (batch, {height}, {width}, {channels}), "
        f"{output['value_range'][0]} to {output['value_range'][1]} |",
        f"| latent of a seed | `{latents['law']}` |",
    ]
    lines += [f"| {key.replace('_', ' ')} | {value} |" for key, value in training.items() if value]
    for form, report in manifest["parity"].items():
        figures = ", ".join(
            f"{key.replace('_', ' ')} {report[key]:.3g}"
            for key in ("float_max_abs_difference", "uint8_max_levels")
        )
        lines.append(f"| {form} against Keras | {figures} |")
    lines += [f"| {name} | {version} |" for name, version in manifest["versions"].items()]
    if "onnx" in manifest["parity"]:
        lines += ["", "## Use", "", USE.format(draw=draw, show=show)]
    return "\n".join(lines).rstrip() + "\n"
