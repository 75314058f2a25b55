"""What the channels of an image stand for: grey, colours, colours and alpha, or nothing to see."""

from __future__ import annotations

MOST_CHANNELS = 8
ALPHA = 4  # channels of an image with transparency: red, green, blue, and how opaque it is
# Channels that make a picture -> what they are. Others are shown side by side, each as grey.
PICTURES = {1: "grey", 3: "RGB", ALPHA: "RGBA"}
PICTURES_IN_WORDS = "1 (grey), 3 (RGB) or 4 (RGBA)"


def in_words(channels: int) -> str:
    """A number of channels in words: "grey", "RGB", "RGBA", or "5 channels"."""
    return PICTURES.get(channels, f"{channels} channels")
