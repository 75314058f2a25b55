"""The presets as a table."""

from __future__ import annotations

from kgan.models.presets import PRESETS, conditional_presets, make_networks


def preset_table() -> str:
    """The presets as a Markdown table: default shape, parameters, use and source."""
    rows = [
        "| preset | default | parameters | classes | good for | source |",
        "|---|---|---|---|---|---|",
    ]
    for name, preset in PRESETS.items():
        networks = make_networks(name).values()
        counts = " + ".join(f"{network.count_params():,}" for network in networks)
        shape = "x".join(map(str, preset.image_shape))
        classes = "yes" if name in conditional_presets() else ""
        cells = (f"`{name}`", shape, counts, classes, preset.good_for, preset.source)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
