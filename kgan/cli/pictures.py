"""The arguments that say which pictures and how they are made ready, the same for every command."""

from kgan.cli import types


def add_source(parser, default=None):
    """Adds DATA and what only some kinds of it take.

    Args:
        parser: a parser or a group of one.
        default: what stands for no DATA, as the help says it; None where it must be given.
    """
    parser.add_argument(
        "data",
        nargs="?" if default else None,
        metavar="DATA",
        help="folder, .npz or .npy file, TFRecord shards or tfds:NAME"
        + (f" ({default})" if default else ""),
    )
    parser.add_argument("--split", help="of a TFDS set, such as test or train[:10%%] (train)")
    parser.add_argument(
        "--manual-dir",
        metavar="DIR",
        help="a folder with the TFDS set's own files, for those fetched by hand or without network",
    )
    parser.add_argument(
        "--download-dir", metavar="DIR", help="where TFDS keeps downloads (its own place)"
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        default=None,
        help="stop at a picture that cannot be decoded",
    )


SOURCE = ("data", "split", "manual_dir", "download_dir", "strict")  # what `add_source` adds


def add_fitting(parser, size):
    """Adds --size, --fit and --background.

    Args:
        parser: a parser or a group of one.
        size: the default size, as the help says it.
    """
    parser.add_argument(
        "--size",
        type=types.size,
        metavar="HxW",
        help=f"height and width, also HxWxC ({size})",
    )
    parser.add_argument("--fit", choices=("crop", "pad"), help="how other shapes are fitted (crop)")
    parser.add_argument(
        "--background",
        type=types.background,
        metavar="R,G,B",
        help="colour under transparent pictures and around padded ones (255,255,255)",
    )


FITTING = ("size", "fit", "background")  # what `add_fitting` adds


def add_augment(parser, default):
    """Adds --augment.

    Args:
        parser: a parser or a group of one.
        default: as the help says it.
    """
    parser.add_argument(
        "--augment",
        type=types.names,
        metavar="NAMES",
        help="such as flip,rotate=10,cutout=0.5:0.2 (strength, share of the pictures), or none; "
        "flip crop rotate translate zoom shear brightness contrast saturation hue cutout "
        f"({default})",
    )


def given(arguments, names):
    """The arguments of those names that were given, as a dict."""
    values = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}
