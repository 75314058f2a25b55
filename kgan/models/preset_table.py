"""The presets as a table."""

from __future__ import annotations

from kgan.models.presets import PRESETS, conditional_presets

# Of each preset's networks at its own size, in their order: building them takes seconds.
PARAMETERS = {
    "r3gan": (833_920, 825_856),
    "fastgan": (29_139_040, 8_998_028),
    "dcgan": (5_128_643, 4_317_441),
    "dcgan_512": (11_493_123, 1_082_177),
    "dcgan_k4": (2_923_267, 2_764_737),
    "dcgan_upsample": (13_331_395, 406_145),
    "dcgan_tanh": (6_763_777, 3_485_441),
    "sagan": (2_966_568, 3_194_932),
    "gan": (1_493_520, 533_505),
    "autoencoder": (786_496, 798_720),
    "conv_autoencoder": (5_520, 4_931),
}


def preset_table() -> str:
    """The presets as a Markdown table: default shape, parameters, use and source."""
    rows = [
        "| preset | default | parameters | classes | good for | source |",
        "|---|---|---|---|---|---|",
    ]
    for name, preset in PRESETS.items():
        counts = " + ".join(f"{count:,}" for count in PARAMETERS[name])
        shape = "x".join(map(str, preset.image_shape))
        classes = "yes" if name in conditional_presets() else ""
        cells = (f"`{name}`", shape, counts, classes, preset.good_for, preset.source)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
