"""A base and a delta: taken where they belong together, refused where they fit by shape alone."""

import shutil

import pytest
import torch

from checkpoint_files import Files
from conftest import flags_of
from moviechat_convert.__main__ import main as convert
from moviechat_convert.hints import misfit, other_piece
from moviechat_convert.tokenizer import write_synthetic_tokenizer


def numbers(seed, spread=0.02, count=100_000):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(count, generator=generator) * spread).half()


@pytest.fixture
def refused(golden_folder, checkpoints, tmp_path, capsys):
    """The golden base and delta, changed, are refused with this message."""
    files = Files(golden_folder, checkpoints, tmp_path)
    files.use("llm", "llama_base")
    files.use("llm_delta", "vicuna_delta")

    def check(change, message):
        change(files)
        command = ["moviechat", *flags_of(files.paths), "--sizes", str(files.sizes)]
        assert convert([*command, "--out", str(tmp_path / "bundle")]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "bundle").exists()

    return check


def test_a_base_whose_tokenizer_is_another(refused):
    refused(
        lambda files: write_synthetic_tokenizer(files.paths.llm / "tokenizer.model", 512),
        "llama_base/tokenizer.model: wrong model: token ",
    )


def test_a_base_that_the_delta_was_not_made_from(refused):
    def another(tensors):
        for seed, name in enumerate(tensors):
            if tensors[name].dim() == 2:
                tensors[name] = numbers(seed, 0.2, tensors[name].numel()).view_as(tensors[name])

    refused(lambda files: files.change("llm", another), "vicuna_delta: wrong delta: its spread is")


@pytest.mark.parametrize("moved", [0.005, 0.03, 0.1, 0.3])
def test_sums_tell_the_base_of_a_fine_tuned_model_from_another(moved):
    base, other = numbers(1), numbers(2)
    tuned = (base.float() + moved * numbers(3).float()).half()
    assert misfit(base, tuned - base) is None
    assert misfit(base.bfloat16().half(), tuned - base) is None
    assert "of its sums need rounding" in misfit(other, tuned - base)


def test_a_difference_between_strangers_must_cancel_its_base():
    base, other, target = numbers(1), numbers(2), numbers(3)
    assert misfit(base, target - base) is None
    assert "its spread is 14" in misfit(other, target - base)


def test_tokens_added_at_the_end_are_no_other_tokenizer(tmp_path):
    for size in (400, 410):
        write_synthetic_tokenizer(tmp_path / f"{size}.model", size)
    assert other_piece(tmp_path / "400.model", tmp_path / "410.model") is None
    shutil.copy(__file__, tmp_path / "damaged.model")
    assert other_piece(tmp_path / "damaged.model", tmp_path / "410.model") is None
