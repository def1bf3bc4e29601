"""Folders that are replaced: whatever comes in between, one whole folder stands."""

import shutil
import signal
from pathlib import Path

import pytest

from moviechat_models import folder
from moviechat_models.folder import write_folder


class StopError(Exception):
    """What the signal raises here."""


@pytest.fixture(autouse=True)
def _stopping():
    def stop(*_args):
        raise StopError

    handlers = {number: signal.signal(number, stop) for number in folder.INTERRUPTIONS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "bundle"
    path.mkdir()
    (path / "model.yaml").write_text("old", encoding="utf-8")
    return path


def fill(new):
    (new / "model.yaml").write_text("new", encoding="utf-8")


each_signal = pytest.mark.parametrize("number", folder.INTERRUPTIONS)


@each_signal
@pytest.mark.parametrize("count", [1, 2])
def test_an_interruption_at_a_rename_comes_when_the_new_folder_stands(
    target, monkeypatch, number, count
):
    rename, calls = Path.rename, []

    def watched(self, to):
        rename(self, to)
        calls.append(self)
        if len(calls) == count:
            signal.raise_signal(number)

    monkeypatch.setattr(Path, "rename", watched)
    with pytest.raises(StopError):
        write_folder(target, fill, replace=True)
    assert (target / "model.yaml").read_text(encoding="utf-8") == "new"
    assert list(target.parent.iterdir()) == [target]


@each_signal
def test_an_interruption_does_not_stop_the_cleaning_up(target, monkeypatch, number):
    remove = shutil.rmtree

    def interrupted(*args, **options):
        signal.raise_signal(number)
        remove(*args, **options)

    def fail(_new):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(StopError):
        write_folder(target, fail, replace=True)
    assert (target / "model.yaml").read_text(encoding="utf-8") == "old"
    assert list(target.parent.iterdir()) == [target]


def test_a_rename_that_fails_brings_the_old_folder_back(target, monkeypatch):
    rename = Path.rename

    def failing(self, to):
        if self.name == "new":
            raise MemoryError
        rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(MemoryError):
        write_folder(target, fill, replace=True)
    assert (target / "model.yaml").read_text(encoding="utf-8") == "old"
    assert list(target.parent.iterdir()) == [target]
