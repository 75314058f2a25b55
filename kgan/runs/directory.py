"""A run's directory: there with its config or not at all, and held by one training at a time."""

import glob
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none; there nobody else is kept out
    fcntl = None

from kgan.errors import InputError
from kgan.files import staging_directory, whole_file
from kgan.runs.load import CHECKPOINT_FILE, CONFIG_FILE, MODEL_FILE

SKIPPED_FILE = "skipped.json"
HISTORY_FILE = "history.csv"
SAMPLES = "samples"


def make_directory(directory, config):
    """Makes a run's directory with its config, at once: whoever kills it leaves a run or nothing.

    Args:
        directory: the path, where there must be nothing yet.
        config: text of config.json.

    Raises:
        InputError: it cannot be made there.
    """
    try:
        with staging_directory(directory.parent, f".{directory.name}-") as staging:
            with whole_file(staging / CONFIG_FILE, durable=True) as temporary:
                temporary.write_text(config)
            staging.rename(directory)
    except OSError as error:
        raise InputError(f"Cannot make the run there ({error.strerror}): {directory}") from None


class HeldRun:
    """Context manager: this process alone trains the run, and what killed ones left is removed.

    The system itself lets go when a process ends, however it ends.

    Args:
        directory: the run's directory.

    Raises:
        InputError: another process trains it.
    """

    def __init__(self, directory):
        self.directory = Path(directory)

    def __enter__(self):
        # Open for writing, as a network file system locks nothing else.
        self.file = (self.directory / CONFIG_FILE).open("r+")
        try:
            if fcntl is not None:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise InputError(
                "Another process is training this run; stop it first, or train a run of another "
                f"name. Received: {self.directory}"
            ) from None
        # Only a training writes these, and no other is alive.
        for left in self._leftovers():
            left.unlink(missing_ok=True)
        return self

    def __exit__(self, *_):
        self.file.close()

    def _leftovers(self):
        """Temporary files of `whole_file`, and of Keras beside a checkpoint that it writes."""
        for name in (MODEL_FILE, CHECKPOINT_FILE, SKIPPED_FILE, HISTORY_FILE):
            path = self.directory / name
            yield from path.parent.glob(f".{glob.escape(path.stem)}-????????{path.suffix}")
        yield from (self.directory / SAMPLES).glob(".step-*-????????.*")
        yield from (self.directory / CHECKPOINT_FILE).parent.glob("tmp????????")
