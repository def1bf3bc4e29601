"""Modules → TorchScript files, the same weights the same bytes."""

import os
import resource
import shutil
import signal
import zipfile
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import torch
from torch import nn

from .folder import INTERRUPTIONS, BundleError


def sort_constants(code: bytes) -> bytes:
    """Sorts each run of `name : Final[type] = value` lines: they come in the order of a set."""

    def is_constant(line: bytes) -> bool:
        return b" : Final[" in line

    runs = groupby(code.split(b"\n"), key=is_constant)
    return b"\n".join(line for constant, run in runs for line in (sorted(run) if constant else run))


def save_scripted(module: nn.Module, path: Path) -> None:
    """Scripts a module on the CPU and saves it, so that the same weights give the same bytes.

    Hence without debug records, which hold the paths of the sources, and with sorted constants.
    """
    scripted = torch.jit.script(module.eval())
    full = path.with_suffix(".full")
    if how := end_of_child(lambda: write(scripted, full, path)):
        free = shutil.disk_usage(path.parent).free / 1e6
        raise BundleError(
            f"cannot write {path.name} ({how}; {free:.1f} MB free); is the disk full?"
        )
    full.unlink()
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, EOFError) as error:
        broken = str(error)
    if broken is not None:
        raise BundleError(f"{path.name}: {broken} was not written whole; is the disk full?")


def write(scripted: torch.jit.ScriptModule, full: Path, path: Path) -> None:
    """As torch writes it, then without what differs from time to time."""
    scripted.save(str(full))
    reader = torch._C.PyTorchFileReader(str(full))
    writer = torch._C.PyTorchFileWriter(str(path))
    made_by_writer = ("version", "byteorder", ".data/version", ".data/serialization_id")
    for name in reader.get_all_records():
        if name.endswith(".debug_pkl") or name in made_by_writer:
            continue
        record = reader.get_record(name)
        if name.endswith(".py"):
            record = sort_constants(record)
        writer.write_record(name, record, len(record))
    writer.write_end_of_file()


def end_of_child(work: Callable[[], None]) -> str | None:
    """Does the work in a fork, which shares the weights; says how that failed, None if it did not.

    On a full disk torch's writer throws in its destructor, which ends the process it is in.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            for number in INTERRUPTIONS:
                signal.signal(number, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the weights would be in it
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the stack that torch prints
            torch.set_num_threads(1)  # a fork has no other threads to wait for
            work()
            code = 0
        finally:
            os._exit(code)
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:  # interrupted
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"exit code {code}" if code else None
