"""onnxruntime-web's files for the browser page: fetched by npm and checked, or the user's own."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from kgan.errors import InputError

PACKAGE = "onnxruntime-web"
VERSION = "1.30.0"
# Of the package's .tgz, in hexadecimal; npm's own records have it in base64.
SHA512 = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)
# The smallest set that runs on the CPU; by the name it has beside the page. `.mjs` becomes `.js`,
# as not every static server serves `.mjs` as a script.
FILES = {
    "ort.wasm.bundle.min.js": "dist/ort.wasm.bundle.min.mjs",
    "ort-wasm-simd-threaded.wasm": "dist/ort-wasm-simd-threaded.wasm",
}


def find_runtime(directory=None):
    """The runtime's files.

    The package is kept in the user's cache (`$XDG_CACHE_HOME/kgan`, else `~/.cache/kgan`) and
    its checksum is compared each time.

    Args:
        directory: an unpacked onnxruntime-web package; None to let npm fetch
            the version that kgan was tested with.

    Returns:
        Name and version, such as "onnxruntime-web 1.30.0"; a dict from file
        name to bytes.

    Raises:
        InputError: no such package there; or npm is not installed, or could not fetch it.
    """
    if directory is not None:
        return _from_directory(Path(directory))
    cached = _cache() / f"{PACKAGE}-{VERSION}.tgz"
    if not cached.is_file() or _sha512(cached) != SHA512:
        with tempfile.TemporaryDirectory() as place:
            return f"{PACKAGE} {VERSION}", _unpack(_keep(_fetch(place), cached))
    return f"{PACKAGE} {VERSION}", _unpack(cached)


def _from_directory(directory):
    try:
        package = json.loads((directory / "package.json").read_text())
        if package["name"] != PACKAGE:
            raise KeyError
        files = {name: (directory / path).read_bytes() for name, path in FILES.items()}
        return f"{PACKAGE} {package['version']}", files
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(
            f"Not an unpacked {PACKAGE} package (package.json, {', '.join(FILES.values())}). "
            f"Received: {directory}"
        ) from None


def _cache():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kgan"


def _sha512(path):
    return hashlib.sha512(path.read_bytes()).hexdigest()


def _fetch(place):
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(
            f"The page needs {PACKAGE} {VERSION}, and npm, which fetches it, is not installed: "
            "install npm, or name an unpacked package with --web-runtime DIR. Received: neither"
        )
    done = subprocess.run(
        [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"],
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    fetched = Path(place) / f"{PACKAGE}-{VERSION}.tgz"
    if done.returncode or not fetched.is_file():
        said = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise InputError(
            f"npm could not fetch {PACKAGE} {VERSION} ({said[0] if said else done.returncode}); "
            "an unpacked package can be named with --web-runtime DIR. Received: none"
        )
    if _sha512(fetched) != SHA512:
        raise InputError(
            f"npm fetched another {PACKAGE} {VERSION} than kgan was tested with: its sha512 is "
            f"{SHA512}. Received: {_sha512(fetched)}"
        )
    return fetched


def _keep(fetched, cached):
    """Copies the package into the cache, whole or not at all; without a cache it works too."""
    with contextlib.suppress(OSError):
        cached.parent.mkdir(parents=True, exist_ok=True)
        part = cached.with_name(f".{os.getpid()}-{cached.name}")
        try:
            shutil.copyfile(fetched, part)
            os.replace(part, cached)
        finally:
            part.unlink(missing_ok=True)
    return fetched


def _unpack(path):
    with tarfile.open(path) as package:
        return {
            name: package.extractfile(f"package/{inside}").read() for name, inside in FILES.items()
        }
