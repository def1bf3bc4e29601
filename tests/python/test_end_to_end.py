"""Checkpoints as published → `scripts/convert moviechat` → the program → the recorded answers."""

import json
import re

import pytest
import sentencepiece
import torch

from checkpoint_files import Files
from conftest import flags_of, model_yaml
from moviechat_convert.size_file import read_sizes
from shell import asked, convert, moviechat, questions_file, run
from upstream_files import OTHER_SIZES, publish, random_model

# What the references were recorded with: greedy, and the plain mean.
RECORDED = ("--temperature", "0", "--set", "memory.merge=mean")
FLOWS = {
    "released": ("--profile", "released"),
    "paper_cosine": ("--set", "memory.similarity=cosine"),
    "paper_dot": ("--set", "memory.similarity=dot"),
}


def command(files, sizes, out, dtype="fp32"):
    return ("moviechat", *flags_of(files), "--sizes", sizes, "--dtype", dtype, "--out", out)


@pytest.fixture(scope="module")
def bundle(golden_folder, checkpoints, tmp_path_factory):
    """The tiny bundle, made by the command that users type."""
    out = tmp_path_factory.mktemp("converted") / "tiny"
    result = convert(*command(checkpoints, golden_folder / "golden.json", out))
    assert result.returncode == 0, result.stderr
    return out


@pytest.mark.parametrize("flow", FLOWS)
def test_the_program_answers_as_the_reference_did(golden, golden_folder, bundle, flow, tmp_path):
    cases = golden["cases"]["end_to_end"]["cases"]
    mine = [case for case in cases if case["name"].startswith(f"{flow}/")]
    assert {case["mode"] for case in mine} >= {"global"}
    expected = questions_file(tmp_path / "questions.jsonl", mine)
    flags = ("--questions", tmp_path / "questions.jsonl", *FLOWS[flow], *RECORDED)
    report = asked("--video", golden_folder / "clip.avi", *flags, model=bundle)
    for result, answer in zip(report["results"], expected, strict=True):
        where = (answer["t"], answer["question"])
        assert (result["at"], result["question"]) == where
        assert result["token_ids"] == answer["ids"], where
        assert result["answer"] == answer["text"], where
    assert report["counts"]["frames_decoded"] == golden["cases"]["end_to_end"]["frames"]


def greedy(model, pieces, frames, count):
    """The answer's first tokens, by the modules in eager mode and no code of the program's."""
    language = model.language_model
    with torch.no_grad():
        video = model.memory_reader(model.frame_encoder(frames))  # [Q, H]
        before, after = ([*piece] for piece in pieces)
        text = [language.embed(torch.tensor(ids)) for ids in (before, after)]
        rows = torch.cat([text[0], video, text[1]])
        keys, values = language.make_cache(1, len(rows) + count)
        logits, start, ids = language.step(rows[None], keys, values, 0), len(rows), []
        while len(ids) < count:
            ids.append(int(logits[0].argmax()))
            logits = language.step(
                language.embed(torch.tensor(ids[-1:]))[None], keys, values, start
            )
            start += 1
    return ids


def test_other_sizes_answer_as_their_modules_do(golden_folder, tmp_path):
    """Frames of the film without a memory: what reaches the language model is known by hand."""
    tokenizer = golden_folder / "tokenizer.model"
    size_file = tmp_path / "sizes.yaml"
    size_file.write_text(OTHER_SIZES, encoding="utf-8")
    model = random_model(read_sizes(size_file).model)
    out = tmp_path / "bundle"
    result = convert(*command(publish(model, tmp_path, tokenizer), size_file, out))
    assert result.returncode == 0, result.stderr

    film, plan = golden_folder / "clip.avi", ("--plan", "uniform:8")
    frames_folder = tmp_path / "frames"
    assert moviechat("inspect", film, *plan, "--frames", frames_folder, model=out).returncode == 0
    frames = read_frames(frames_folder, 28)
    assert len(frames) == 8
    question, count = "what happens at the end", 12
    report = asked(
        *("--video", film, *plan, "--set", "memory.policy=keep_all"),
        *("--question", question, "--temperature", "0", "--max-new-tokens", str(count)),
        model=out,
    )
    spm = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    prompt = model_yaml(out)["prompt"]["template"].replace("{question}", question)
    before, after = prompt.split("<ImageHere>")
    pieces = ([spm.bos_id(), *spm.encode(before)], spm.encode(after))
    expected = greedy(model, pieces, frames, count)
    found = report["results"][0]["token_ids"]
    assert len(found) >= 3
    assert found == expected[: len(found)]


def read_frames(folder, size):
    """PNG files of `inspect --frames` → uint8 [F, 3, S, S], in the order of the list."""
    shown = json.loads((folder / "frames.json").read_text(encoding="utf-8"))
    raw = folder / "frames.rgb"
    flags = ("-f", "rawvideo", "-pix_fmt", "rgb24")
    made = run(["ffmpeg", "-v", "error", "-i", folder / "%06d.png", *flags, raw])
    assert made.returncode == 0, made.stderr
    pixels = torch.frombuffer(bytearray(raw.read_bytes()), dtype=torch.uint8)
    files = sorted({frame["file"] for frame in shown})
    images = dict(zip(files, pixels.view(len(files), size, size, 3), strict=True))
    return torch.stack([images[frame["file"]] for frame in shown]).permute(0, 3, 1, 2)


@pytest.fixture
def files(golden_folder, checkpoints, tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    return Files(golden_folder, checkpoints, folder)


VISION, LLM = "blocks.1.mlp.fc2.weight", "model.layers.0.mlp.down_proj.weight"


def cut_short(files):
    file = files.file("vision")
    file.write_bytes(file.read_bytes()[:-2000])


def wrong_delta(files):
    files.use("llm", "llama_base")
    files.use("llm_delta", "vicuna")


BROKEN = {
    "missing key": (
        lambda files: files.change("vision", lambda tensors: tensors.pop(VISION)),
        rf"eva_vit_g\.pth: missing: {re.escape(VISION)}$",
    ),
    "extra key": (
        lambda files: files.change("llm", lambda tensors: tensors.update({"lora": torch.ones(2)})),
        r"pytorch_model\S*\.bin: unexpected: lora$",
    ),
    "wrong shape": (
        lambda files: files.change("llm", lambda t: t.update({LLM: torch.ones(3, 7)})),
        rf"pytorch_model\S*\.bin: wrong shape: {re.escape(LLM)} \(found \[3, 7\], expected \[",
    ),
    "truncated file": (cut_short, r"eva_vit_g\.pth' \(\d+ bytes\) is damaged or cut short"),
    "NaN": (
        lambda files: files.change("vision", lambda t: t[VISION].view(-1)[5:7].fill_(torch.nan)),
        rf"eva_vit_g\.pth: not finite: {re.escape(VISION)} \(2 numbers\)$",
    ),
    "wrong model": (
        lambda files: files.use("llm", "llama_base"),
        r"perhaps: --llm: 512 rows are LLaMA's own or those of Vicuna v1\.1 or later",
    ),
    "wrong delta": (wrong_delta, r"vicuna: wrong delta: is a finished model, not a difference to"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_checkpoints_are_named_and_leave_nothing(files, tmp_path, kind):
    damage, line = BROKEN[kind]
    damage(files)
    out = tmp_path / "out" / "bundle"
    result = convert(*command(files.paths, files.sizes, out))
    assert result.returncode == 2, result.stderr
    said = [text.removeprefix("convert: ") for text in result.stderr.splitlines()]
    assert any(re.search(line, text) for text in said), said
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not out.parent.exists() or list(out.parent.iterdir()) == []
