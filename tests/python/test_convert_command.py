"""The converter as a command: what it leaves behind, interruptions, room on the disk, its help."""

import io
import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import flags_of, model_yaml
from moviechat_convert.__main__ import EXAMPLES
from moviechat_convert.__main__ import main as convert
from moviechat_convert.bundle import report_left_behind
from moviechat_convert.report import Progress
from moviechat_models import export, folder

ROOT = Path(__file__).parents[2]


def test_an_existing_folder_is_kept_unless_it_may_be_replaced(
    checkpoints, tiny_flags, tmp_path, capsys
):
    out = tmp_path / "bundle"
    command = ["moviechat", *flags_of(checkpoints), *tiny_flags, "--out", str(out)]
    out.mkdir()
    (out / "thesis.tex").write_text("precious", encoding="utf-8")
    assert convert([*command, "--replace"]) == 2
    assert "not a bundle" in capsys.readouterr().err
    (out / "thesis.tex").rename(tmp_path / "thesis.tex")
    assert convert([*command, "--replace"]) == 0
    assert convert(command) == 2
    assert "exists already" in capsys.readouterr().err
    assert convert([*command, "--replace"]) == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_conversion_leaves_nothing(
    checkpoints, tiny_flags, tmp_path, monkeypatch, capsys, number, code
):
    def interrupt(*_args):
        signal.raise_signal(number)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
    monkeypatch.setattr(export, "self_test_output", interrupt)
    command = ["moviechat", *flags_of(checkpoints), *tiny_flags, "--out", str(tmp_path / "bundle")]
    assert convert(command) == code
    assert list(tmp_path.iterdir()) == []
    assert "interrupted" in capsys.readouterr().err


def test_too_small_a_disk_is_found_out_before_the_work(
    checkpoints, tiny_flags, tmp_path, monkeypatch, capsys
):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    command = ["moviechat", *flags_of(checkpoints), *tiny_flags, "--out", str(tmp_path / "bundle")]
    assert convert(command) == 2
    assert "0.0 MB free, the bundle needs" in capsys.readouterr().err


def test_the_script_works_from_any_folder_and_its_help_has_examples(tmp_path):
    done = subprocess.run(
        [ROOT / "scripts" / "convert", "moviechat", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--llm-delta" in done.stdout
    assert EXAMPLES["moviechat"].strip() in done.stdout


def test_the_example_of_the_help_that_anybody_can_run_does(tmp_path, monkeypatch):
    text = EXAMPLES["moviechat"].split("tiny model:\n")[1].split("\n\n")[0]
    words = shlex.split(text.replace("\\\n", " ").replace("/tmp/tiny", str(tmp_path / "tiny")))
    assert words.pop(0) == "scripts/convert"
    monkeypatch.chdir(ROOT)
    assert convert(words) == 0
    assert model_yaml(tmp_path / "tiny")["name"] == "tiny"


def test_an_interruption_when_all_is_written_says_so(
    checkpoints, tiny_flags, tmp_path, monkeypatch, capsys
):
    remove = shutil.rmtree

    def interrupted(*args, **options):
        signal.raise_signal(signal.SIGTERM)
        remove(*args, **options)

    monkeypatch.setattr(folder, "shutil", SimpleNamespace(rmtree=interrupted))
    command = ["moviechat", *flags_of(checkpoints), *tiny_flags, "--out", str(tmp_path / "bundle")]
    assert convert(command) == 143
    assert "bundle is written and whole" in capsys.readouterr().err
    assert model_yaml(tmp_path / "bundle")["name"] == "tiny"


def killed_at(target, name):
    """A process that writes the folder and is killed when this function of the module runs."""
    child = os.fork()
    if child == 0:
        setattr(folder, name, lambda *_args: os.kill(os.getpid(), signal.SIGKILL))
        folder.write_folder(target, lambda new: (new / "part").write_bytes(b"1" * 200_000), True)
    os.waitpid(child, 0)


def told(target):
    stream = io.StringIO()
    report_left_behind(target, Progress(stream))
    return stream.getvalue()


def test_what_a_killed_conversion_left_is_named_with_the_way_out(tmp_path):
    target = tmp_path / "my bundle"
    assert told(target) == ""
    killed_at(target, "swap")
    (left,) = tmp_path.iterdir()
    assert told(target) == f"convert: killed conversions have left 0.2 MB: rm -r '{left}'\n"


def test_what_another_conversion_writes_now_is_not_named(tmp_path):
    target, said = tmp_path / "bundle", []
    folder.write_folder(target, lambda _new: said.append(told(target)), replace=False)
    assert said == [""]


def test_a_bundle_whose_replacement_was_killed_can_be_got_back(tmp_path):
    target = tmp_path / "bundle"
    target.mkdir()
    killed_at(target, "swap")
    (left,) = (path for path in tmp_path.iterdir() if path != target)
    target.rename(left / "old")  # as between the two renames
    assert f"mv {left}/old {target}" in told(target)
