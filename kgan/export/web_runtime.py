"""onnxruntime-web's files for the web page: fetched by npm and checked, or the user's own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import IO, cast

from kgan.errors import InputError
from kgan.files import cache_directory, whole_file
from kgan.reading import read_bytes, read_text

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
# The checksum of the package's .tgz, in hexadecimal; npm's own records have it in base64.
SHA512 = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)
# The smallest set that runs on the CPU, by the name it has beside the page. `.mjs` becomes `.js`,
# because not every static server serves `.mjs` as a script.
FILES = {
    "ort.wasm.bundle.min.js": "dist/ort.wasm.bundle.min.mjs",
    "ort-wasm-simd-threaded.wasm": "dist/ort-wasm-simd-threaded.wasm",
}
# That for WebGPU, which also runs on the CPU; the page asks for it instead, where there is a GPU.
GPU_FILES = {
    "ort.jspi.bundle.min.js": "dist/ort.jspi.bundle.min.mjs",
    "ort-wasm-simd-threaded.jspi.wasm": "dist/ort-wasm-simd-threaded.jspi.wasm",
}

LARGEST_FILE = 2**28  # bytes; the largest, the runtime itself, has a tenth of it


def find_runtime(
    directory: str | os.PathLike[str] | None = None,
) -> tuple[str, dict[str, bytes]]:
    """The runtime's files.

    The package is kept in the user's cache (`$XDG_CACHE_HOME/kgan`, else `~/.cache/kgan`) and
    its checksum is checked every time.

    Args:
        directory: an unpacked onnxruntime-web package; None to let npm fetch
            the version that kgan was tested with.

    Returns:
        Name and version, such as "onnxruntime-web 1.30.0"; a dict from file
        name to bytes.

    Raises:
        InputError: `directory` is not such a package; or npm is not installed, or could not
            fetch it.
    """
    if directory is not None:
        return _from_directory(Path(directory))
    cached = cache_directory() / f"{PACKAGE}-{VERSION}.tgz"
    if not cached.is_file() or _sha512(cached) != SHA512:
        with tempfile.TemporaryDirectory() as place:
            return f"{PACKAGE} {VERSION}", _unpack(_keep(_fetch(Path(place)), cached))
    return f"{PACKAGE} {VERSION}", _unpack(cached)


def _from_directory(directory: Path) -> tuple[str, dict[str, bytes]]:
    try:
        package = json.loads(read_text(directory / "package.json"))
        if package["name"] != PACKAGE:
            raise KeyError
        wanted = dict(FILES)
        if all((directory / path).is_file() for path in GPU_FILES.values()):
            wanted |= GPU_FILES  # which a user's own package may be too old for
        files = {name: read_bytes(directory / path, LARGEST_FILE) for name, path in wanted.items()}
        return f"{PACKAGE} {package['version']}", files
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"Not an unpacked {PACKAGE} package (package.json, {', '.join(FILES.values())}). "
            f"Received: {directory}"
        ) from None


def _sha512(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def _fetch(directory: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(
            f"The page needs {PACKAGE} {VERSION}, which npm fetches, and npm is not installed: "
            "install npm, or name an unpacked package with --web-runtime DIR. Received: neither"
        )
    result = subprocess.run(
        [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    fetched = directory / f"{PACKAGE}-{VERSION}.tgz"
    if result.returncode or not fetched.is_file():
        errors = [line for line in result.stderr.splitlines() if "error" in line.lower()]
        raise InputError(
            f"npm could not fetch {PACKAGE} {VERSION} "
            f"({errors[0] if errors else result.returncode}); an unpacked package can be named "
            "with --web-runtime DIR. Received: none"
        )
    if _sha512(fetched) != SHA512:
        raise InputError(
            f"The {PACKAGE} {VERSION} that npm fetched is not the one kgan was tested with, whose "
            f"sha512 is {SHA512}. Received: {_sha512(fetched)}"
        )
    return fetched


def _keep(fetched: Path, cached: Path) -> Path:
    """Copies the package into the cache, whole or not at all; a cache that fails is no error."""
    with contextlib.suppress(OSError):
        with whole_file(cached) as part:
            shutil.copyfile(fetched, part)
    return fetched


def _unpack(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as package:
        return {
            name: cast(IO[bytes], package.extractfile(f"package/{inside}")).read()
            for name, inside in (FILES | GPU_FILES).items()
        }
