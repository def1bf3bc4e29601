"""Bundles: the committed one can be rebuilt, and a bundle appears whole or not at all."""

import dataclasses
import hashlib

import pytest
import torch
import yaml

import shell
from conftest import assert_close, flags_of
from moviechat_models import export, self_test
from moviechat_models.export import BundleError, BundleInfo, Prompt, load_modules, write_bundle


@pytest.fixture
def info():
    return BundleInfo(name="test", prompt=Prompt("<ImageHere> {question}", stop=[[5]]))


@pytest.fixture
def tokenizer(golden_folder):
    return golden_folder / "tokenizer.model"


def read(folder):
    return yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))


def test_rebuilding_gives_the_committed_tiny_bundle(build_tiny, bundle_folder, tmp_path):
    build_tiny(tmp_path / "tiny")
    built, committed = read(tmp_path / "tiny"), read(bundle_folder)
    tests, expected = built.pop("self_test"), committed.pop("self_test")
    for description in (built, committed):  # bytes may differ in another torch, tensors may not
        description.pop("files")
    assert built == committed
    assert tests.pop("tolerance") == expected.pop("tolerance")
    for name, test in tests.items():
        assert test["shape"] == expected[name]["shape"]
        assert test["values"] == pytest.approx(expected[name]["values"], abs=1e-5)
    ours, theirs = load_modules(tmp_path / "tiny"), load_modules(bundle_folder)
    for name, module in ours.modules().items():
        weights, wanted = module.state_dict(), theirs.modules()[name].state_dict()
        assert weights.keys() == wanted.keys()
        assert all(torch.equal(weights[key], wanted[key]) for key in weights)


def test_the_same_weights_give_the_same_bytes(checkpoints, golden_folder, tmp_path):
    flags = ["--sizes", golden_folder / "golden.json", "--name", "same"]
    for out in ("one", "two"):  # a process each: torch keeps what it scripted before
        result = shell.convert("moviechat", *flags_of(checkpoints), *flags, "--out", tmp_path / out)
        assert result.returncode == 0, result.stderr
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_hashes_in_the_committed_bundle_are_those_of_its_files(bundle_folder):
    files = read(bundle_folder)["files"]
    assert {*files, "model.yaml"} == {path.name for path in bundle_folder.iterdir()}
    for name, digest in files.items():
        assert hashlib.sha256((bundle_folder / name).read_bytes()).hexdigest() == digest


def test_no_path_of_the_building_machine_is_in_the_bundle(bundle_folder):
    for path in bundle_folder.glob("*.pt"):
        assert b"moviechat_models/" not in path.read_bytes().replace(
            b"__torch__/moviechat_models/", b""
        )


def test_the_self_test_numbers_are_those_of_the_stated_inputs(bundle_folder, scripted, sizes):
    def byte(i: int) -> int:
        return ((i * 2654435761) % 2**32) >> 24

    blocks = torch.tensor([(byte(i) - 127.5) / 127.5 for i in range(3 * 8 * 32)]).view(3, 8, 32)
    rgb = torch.tensor([byte(i) for i in range(2 * 3 * 56 * 56)], dtype=torch.uint8)
    ids = torch.tensor([byte(i) % 512 for i in range(7)])
    llm = scripted.language_model
    with torch.no_grad():
        outputs = {
            "frame_encoder": scripted.frame_encoder(rgb.view(2, 3, 56, 56)),
            "memory_reader": scripted.memory_reader(blocks),
            "language_model": llm.step(llm.embed(ids)[None], *llm.make_cache(1, 16), 0),
        }
    stored = read(bundle_folder)["self_test"]
    for name, output in outputs.items():
        assert list(output.shape) == stored[name]["shape"]
        flat = output.flatten()
        values = [float(flat[int(i * (flat.numel() - 1) / 15)]) for i in range(16)]
        assert values == pytest.approx(stored[name]["values"], abs=stored["tolerance"])


@pytest.mark.parametrize("dtype", ["fp16", "bf16"])
def test_a_half_precision_bundle_stores_its_own_self_test(model, info, tokenizer, tmp_path, dtype):
    info = dataclasses.replace(info, dtype=dtype)
    write_bundle(tmp_path / "half", model, info, tokenizer)
    raw = torch.jit.load(str(tmp_path / "half" / "memory_reader.pt"))
    assert raw.position_table.dtype == export.DTYPES[dtype]
    stored = read(tmp_path / "half")["self_test"]["memory_reader"]["values"]
    blocks = ((self_test.test_bytes(3 * 8 * 32) - 127.5) / 127.5).float().view(3, 8, 32)
    with torch.no_grad():
        assert self_test.sample_values(raw.float()(blocks)) == pytest.approx(stored, abs=1e-5)
        half = self_test.sample_values(raw.to(export.DTYPES[dtype])(blocks))
    assert half == pytest.approx(stored, abs=5e-2 * max(map(abs, stored)))


def test_an_existing_bundle_is_kept_unless_replacing_is_asked_for(model, info, tokenizer, tmp_path):
    target = tmp_path / "bundle"
    write_bundle(target, model, info, tokenizer)
    with pytest.raises(BundleError, match="exists already"):
        write_bundle(target, model, info, tokenizer)
    write_bundle(target, model, dataclasses.replace(info, name="other"), tokenizer, replace=True)
    assert read(target)["name"] == "other"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_failure_leaves_the_old_bundle_and_nothing_else(
    model, info, tokenizer, tmp_path, monkeypatch
):
    target = tmp_path / "bundle"
    write_bundle(target, model, info, tokenizer)
    before = {path.name: path.read_bytes() for path in target.iterdir()}

    def fail(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "self_test_output", fail)
    with pytest.raises(OSError, match="No space left"):
        write_bundle(target, model, info, tokenizer, replace=True)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_weights_that_are_not_finite_are_refused(model, info, tokenizer, tmp_path):
    with torch.no_grad():
        model.memory_reader.proj.bias[3] = float("nan")
    with pytest.raises(BundleError, match=r"memory_reader\.pt: proj\.bias holds NaN"):
        write_bundle(tmp_path / "bundle", model, info, tokenizer)
    assert list(tmp_path.iterdir()) == []


def test_weights_too_large_for_the_stored_dtype_are_refused(model, info, tokenizer, tmp_path):
    with torch.no_grad():
        model.memory_reader.proj.bias[3] = 1e6
    with pytest.raises(BundleError, match=r"proj\.bias"):
        write_bundle(tmp_path / "bundle", model, dataclasses.replace(info, dtype="fp16"), tokenizer)


def test_a_template_without_a_place_for_the_video_is_refused():
    with pytest.raises(BundleError, match="<ImageHere> once, found 0"):
        Prompt("{question}", stop=[])


def test_scripted_modules_answer_as_the_eager_ones(model, scripted, tensors):
    frames = tensors("vision")["frames_u8"]
    with torch.no_grad():
        assert_close(scripted.frame_encoder(frames), model.frame_encoder(frames), 1e-6)
