"""What Hugging Face's Hub reads of a card: facts in YAML above the Markdown.

Reference:
    https://github.com/huggingface/hub-docs, modelcard.md and docs/hub/repositories-licenses.md
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from kgan.files import printable
from kgan.manifest import Manifest

# Kind of an export -> the Hub's task for it; plain outputs are of none.
TASKS = {
    "generator": "unconditional-image-generation",
    "autoencoder": "image-to-image",
    "probe": "image-classification",
}
# The Hub's licences that are no one company's; it refuses a card with another word than its own.
LICENCES = frozenset(
    """
    afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0
    c-uda cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0
    cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0
    cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0
    ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 lppl-1.3c mit
    mpl-2.0 ms-pl ncsa ofl-1.1 openrail osl-3.0 postgresql unlicense wtfpl zlib
    """.split()
)
FLOAT = re.compile(r"[^.]+e.*")  # such as 1e-05, which YAML 1.1 takes for text


def front_matter(manifest: Manifest) -> str:
    """The YAML, between its lines of dashes, that goes above the text of `card(manifest)`.

    Licence, task, tags and, where the model was measured, its figures with their protocol
    ("model-index").
    """
    training = manifest["training"]
    facts: dict[str, Any] = {"library_name": "kgan"}
    task = TASKS.get(manifest["kind"])
    if task is not None:
        facts["pipeline_tag"] = task
    if "licence" in manifest:
        facts |= _licence(manifest["licence"])
    # What kgan trained as a generator is a GAN; of a network of others it is not known.
    is_gan = manifest["kind"] == "generator" and "batches_seen" in training
    tags = ["kgan", "gan" if is_gan else manifest["kind"], training.get("preset")]
    tags += ["onnx" if "opset" in manifest else None]
    facts["tags"] = [tag for tag in tags if tag is not None]
    found = _metrics(manifest.get("evaluation", {"figures": {}}))
    if found and task is not None:
        data = _measured_with(manifest["evaluation"]["protocol"])
        result = {"task": {"type": task}, "dataset": data, "metrics": found}
        facts["model-index"] = [{"name": manifest["name"], "results": [result]}]
    return "\n".join(["---", *_lines(facts), "---", ""])


def _licence(words: str) -> dict[str, str]:
    """The Hub's word for an SPDX name; any other licence gets a name in its form, an id."""
    word = re.sub("-(only|or-later)$", "", words.lower())
    if word in LICENCES:
        return {"license": word}
    name = re.sub("[^a-z0-9.]+", "-", words.lower()).strip("-.")
    return {"license": "other", "license_name": name or "other"}


def _measured_with(protocol: Manifest) -> dict[str, Any]:
    """The real images of a `kgan.metrics.Protocol`, all else of it as their arguments."""
    known = {name: value for name, value in protocol.items() if value is not None}
    data = {"type": "custom", "name": known.pop("data"), "split": known.pop("split")}
    return data | {"args": known}


def _metrics(evaluation: Manifest) -> list[dict[str, Any]]:
    """The figures of an export's `evaluation`, in its order."""
    metrics: list[dict[str, Any]] = []
    for name, figure in evaluation["figures"].items():
        if not math.isfinite(figure["value"]):
            continue
        metrics.append({"type": name, "name": name.replace("_", " "), "value": figure["value"]})
        beside = {key: figure[key] for key in ("standard_error", "floor")}
        known = {
            key: value
            for key, value in beside.items()
            if value is not None and math.isfinite(value)
        }
        metrics[-1] |= {"args": known} if known else {}
    return metrics


def _lines(value: Any, indent: str = "") -> list[str]:
    """The lines of YAML of a mapping or a list, whose keys are plain words."""
    lines = []
    for key, each in value.items() if isinstance(value, Mapping) else enumerate(value):
        begin = f"{indent}{key}:" if isinstance(value, Mapping) else f"{indent}-"
        if not isinstance(each, Mapping | list):
            lines.append(f"{begin} {_scalar(each)}")
        elif isinstance(value, Mapping):
            lines += [begin, *_lines(each, f"{indent}  ")]
        else:
            first, *rest = _lines(each, f"{indent}  ")
            lines += [begin + first[len(begin) :], *rest]
    return lines


def _scalar(value: Any) -> str:
    """A value in YAML, most of whose scalars are written as in JSON."""
    if isinstance(value, str):
        return json.dumps(printable(value, None), ensure_ascii=False)
    text = json.dumps(value)
    return text.replace("e", ".0e") if FLOAT.fullmatch(text) else text
