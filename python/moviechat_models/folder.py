"""Folders that appear whole or not at all, and hashes of files."""

import fcntl
import hashlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HASH_BLOCK = 1 << 20
LOCK = "lock"  # in the hidden folder, held while it is filled
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class BundleError(Exception):
    """A bundle cannot be built or written as asked. One line: what, found, expected, way out."""


@dataclass(frozen=True)
class Source:
    """A file that something was made from, by a name that tells: alone, or `folder/name`."""

    path: Path
    folder: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.folder.absolute().name}/{self.path.name}" if self.folder else self.path.name


def sha256_of(path: Path) -> str:
    """As sha256sum prints it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def flush(path: Path) -> None:
    """fsync of a file or folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_folder(target: Path, fill: Callable[[Path], None], replace: bool) -> None:
    """A folder that appears whole or not at all: filled beside its place, then renamed.

    Interruptions wait while folders change places and are removed: one whole folder stands.
    """
    target = target.absolute()
    if target.exists() and not replace:
        raise BundleError(f"'{target}' exists already; remove it or allow it to be replaced")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        with (work / LOCK).open("w") as lock:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            new, old = work / "new", work / "old"
            new.mkdir()
            fill(new)
            for path in new.iterdir():
                flush(path)
            flush(new)
            with uninterrupted():
                swap(target, new, old)
                shutil.rmtree(work, ignore_errors=True)
    finally:
        with uninterrupted():
            shutil.rmtree(work, ignore_errors=True)


def left_behind(target: Path) -> list[Path]:
    """Hidden folders of write_folder beside a target that nobody writes to any more."""
    target = target.absolute()
    if not target.parent.is_dir():
        return []
    beside = [path for path in target.parent.iterdir() if path.name.startswith(f".{target.name}.")]
    ours = [path for path in beside if (path / "new").is_dir() or (path / "old").is_dir()]
    return sorted(path for path in ours if not in_use(path / LOCK))


def in_use(lock: Path) -> bool:
    if not lock.exists():
        return False
    try:
        with lock.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or not ours to tell
        return True
    return False


def swap(target: Path, new: Path, old: Path) -> None:
    """new takes target's place, target old's; as before when that fails."""
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise
    flush(target.parent)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals that would end the program count when the block is done. Python hears them in its
    main thread alone, where they can be put off; elsewhere there is nothing to do.
    """
    came: list[int] = []
    handlers: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in INTERRUPTIONS:
                if signal.getsignal(number) is not None:  # else not Python's to set back
                    handlers[number] = signal.signal(number, lambda got, _frame: came.append(got))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
