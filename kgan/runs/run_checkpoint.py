"""What a run saves as it goes on: the model, and which pictures of its data were skipped."""

import json
import shutil

from kgan.errors import InputError
from kgan.files import whole_file
from kgan.callbacks.checkpoint import Checkpoint
from kgan.training.saving import save_whole


class RunCheckpoint(Checkpoint):
    """A checkpoint of a run, with which pictures were skipped up to it."""

    def __init__(self, path, source, skipped, every_seconds):
        super().__init__(path, every_seconds)
        self.source = source
        self.skipped = skipped

    def save(self):
        note_skipped(self.source, self.skipped)
        super().save()

    def on_train_end(self, logs=None):
        pass  # `finish` comes

    def finish(self, path):
        """Saves the model as the run's result, or as it was before its numbers went wrong."""
        note_skipped(self.source, self.skipped)
        if self.model.in_trouble() and self.path.exists():
            with whole_file(path, durable=True) as temporary:
                shutil.copyfile(self.path, temporary)
        else:
            save_whole(self.model, path)


def note_skipped(source, path):
    """Writes which pictures were skipped, to be done before the model is saved.

    With that a resumed run finds its place in an epoch without decoding what came before.
    """
    if source.skipped:
        noted = {**source.what_is_broken(), "skipped": dict(source.skipped)}
        with whole_file(path, durable=True) as temporary:
            temporary.write_text(json.dumps(noted, indent=1) + "\n")


def remember_skipped(source, path):
    """Tells a source what `note_skipped` knew of its pictures."""
    if not path.is_file():
        return
    try:
        source.expect_broken(json.loads(path.read_text()))
    except (OSError, ValueError, LookupError, TypeError):
        raise InputError(f"Not a readable list of skipped pictures: {path}") from None
