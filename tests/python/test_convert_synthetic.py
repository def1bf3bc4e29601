"""Synthetic bundles, size files, tokenizers without a corpus, and short reports."""

import json

import pytest
import sentencepiece
import torch
import yaml

from moviechat_convert.__main__ import main as convert
from moviechat_convert.bundle import bundle_info
from moviechat_convert.report import Progress, grouped, ranges, shortened
from moviechat_convert.size_file import SizeError, published, read_sizes, sizes_from
from moviechat_convert.tokenizer import stop_sequences, write_synthetic_tokenizer
from moviechat_models.checkpoint import CheckpointError, Problem
from moviechat_models.export import load_modules
from moviechat_models.self_test import self_test_output
from moviechat_models.sizes import moviechat_7b

SMALL = {
    "vit": {"image": 28, "patch": 7, "width": 32, "depth": 2, "heads": 4, "mlp_ratio": 2.0},
    "qformer": {"width": 24, "layers": 2, "heads": 3, "ffn": 40, "queries": 5, "cross_every": 2},
    "video_qformer": {"layers": 1, "queries": 4},
    "frame_table": 9,
    "llama": {"width": 48, "layers": 2, "heads": 6, "ffn": 56, "vocab": 700, "rows": 703},
    "memory": {"n": 4},
}


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL), encoding="utf-8")
    return path


def synthetic(sizes, out, *flags):
    return convert(["synthetic", "--sizes", str(sizes), "--out", str(out), *flags])


@pytest.mark.parametrize("dtype", ["fp16", "fp32"])
def test_a_synthetic_bundle_answers_with_finite_numbers_of_a_model_s_scale(small, tmp_path, dtype):
    assert synthetic(small, tmp_path / "out", "--dtype", dtype) == 0
    bundle, sizes = load_modules(tmp_path / "out"), read_sizes(small).model
    described = yaml.safe_load((tmp_path / "out" / "model.yaml").read_text(encoding="utf-8"))
    assert described["name"] == "out"
    assert described["sources"] == []
    for file, module in bundle.modules().items():
        part = file.removesuffix(".pt")
        output = self_test_output(part, module, sizes)
        assert torch.isfinite(output).all()
        assert 0.1 < float(output.std()) < 10
        flat, stored = output.flatten(), described["self_test"][part]["values"]
        last = flat.numel() - 1
        assert [float(flat[i * last // 15]) for i in range(16)] == pytest.approx(stored, abs=1e-4)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(small, tmp_path):
    for folder, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert synthetic(small, tmp_path / folder, "--seed", seed, "--name", "same") == 0
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    for part in ("frame_encoder.pt", "memory_reader.pt", "language_model.pt"):
        assert (tmp_path / "a" / part).read_bytes() != (tmp_path / "c" / part).read_bytes()


def test_the_key_bias_of_the_vit_is_zero_as_published(small, tmp_path):
    assert synthetic(small, tmp_path / "out") == 0
    weights = load_modules(tmp_path / "out").frame_encoder.state_dict()
    q, k, v = weights["vit.blocks.1.attn.qkv.bias"].chunk(3)
    assert (k == 0).all()
    assert q.abs().min() > 0
    assert v.abs().min() > 0


def test_a_negative_seed_is_refused(small, tmp_path, capsys):
    assert synthetic(small, tmp_path / "out", "--seed=-1") == 2
    assert "--seed must not be negative, got -1" in capsys.readouterr().err


@pytest.mark.parametrize("vocab", [700, 32000])
def test_a_tokenizer_without_a_corpus_knows_any_text_and_both_stops(tmp_path, vocab):
    write_synthetic_tokenizer(tmp_path / "t.model", vocab)
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "t.model"))
    assert tokenizer.get_piece_size() == vocab
    assert (tokenizer.unk_id(), tokenizer.bos_id(), tokenizer.eos_id()) == (0, 1, 2)
    for text in ("What  happens?", "aa zz ###Human: été 漢字 \n"):
        assert tokenizer.decode(tokenizer.encode(text)) == text
        assert tokenizer.unk_id() not in tokenizer.encode(text)
    alone, behind = stop_sequences(tmp_path / "t.model")
    assert tokenizer.encode("###") == alone
    assert tokenizer.encode("x###")[-2:] == behind
    assert tokenizer.decode(alone) == tokenizer.decode(behind) == "###"


def test_a_vocabulary_too_small_for_bytes_and_characters_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="at least 3"):
        write_synthetic_tokenizer(tmp_path / "t.model", 300)


def test_the_stops_of_the_tiny_tokenizer_are_the_golden_ones(golden_folder, golden):
    found = stop_sequences(golden_folder / "tokenizer.model")
    assert found == golden["cases"]["language"]["stop_sequences"]


def test_without_a_file_the_sizes_are_the_published_ones():
    sizes = read_sizes(None)
    assert sizes.model == moviechat_7b()
    memory = sizes.memory
    assert (memory.short_capacity, memory.keep, memory.long_capacity, memory.window) == (
        18,
        2,
        256,
        8,
    )
    assert sizes_from(published()) == sizes


def test_what_a_size_file_leaves_out_keeps_the_published_size():
    sizes = sizes_from({"llama": {"rows": 32000}}).model
    assert sizes.language_model.rows == 32000
    assert sizes.language_model.layers == 32
    narrow = sizes_from({"qformer": {"width": 384, "heads": 6}}).model
    assert narrow.memory_reader.qformer.width == 384
    assert narrow.memory_reader.qformer.layers == 2
    assert sizes_from({"llama": {"heads": 16}}).model.language_model.kv_heads == 16
    assert sizes_from({"llama": {"kv_heads": 8}}).model.language_model.heads == 32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vit: {widht: 3}", r"unknown key vit\.widht \(known: image, patch, width"),
        ("vitt: {}", r"unknown key vitt \(known: vit, qformer"),
        ("vit: 3", r"vit must be a section"),
        ("llama: {layers: two}", r"llama\.layers must be a positive whole number, got 'two'"),
        ("llama: {layers: 2.5}", r"llama\.layers must be a positive whole number, got 2\.5"),
        ("llama: {layers: 0}", r"llama\.layers must be a positive whole number, got 0"),
        ("llama: {tied: 1}", r"llama\.tied must be true or false"),
        ("llama: {heads: 33}", r"width \(4096\) must be a multiple of heads \(33\)"),
        ("llama: {rows: 100}", r"rows \(100\) must hold the vocabulary \(32000\)"),
        ("memory: {K: 2}", r"memory\.K must exceed memory\.m \(2\), got 2"),
        ("memory: {L: 300}", r"memory\.L must not exceed the 256 positions \(memory\.n squared\)"),
        ("memory: {n: 4, L: 17}", r"memory\.L must not exceed the 16 positions"),
        ("llama: {rms_eps: .inf}", r"llama\.rms_eps must be a positive number, got inf"),
        ("vit: {mlp_ratio: .nan}", r"vit\.mlp_ratio must be a positive number, got nan"),
        ("vit: {mlp_ratio: 1e400}", r"vit\.mlp_ratio must be a positive number, got inf"),
        ("memory: {n: 40}", r"levels \(40\) must lie between 1 and rows \(32\)"),
        ("frame_table: many", r"frame_table must be a positive whole number"),
        ("- 1", r"must hold sections"),
        ("vit: [", r"neither YAML nor JSON"),
    ],
)
def test_a_size_file_that_cannot_be_meant_is_refused(tmp_path, text, message):
    path = tmp_path / "sizes.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SizeError, match=message):
        read_sizes(path)


@pytest.mark.parametrize(("positions", "tokens"), [(100, 50), (1, 1), (4096, 300)])
def test_an_answer_takes_half_of_a_small_context(tmp_path, positions, tokens):
    write_synthetic_tokenizer(tmp_path / "t.model", 700)
    sizes = sizes_from(SMALL | {"llama": {**SMALL["llama"], "positions": positions}})
    info = bundle_info("small", "fp16", None, sizes, tmp_path / "t.model", [])
    assert info.generation == {"max_new_tokens": tokens}
    assert sizes.memory.long_capacity == 16  # as many as there are positions


def test_numbers_in_scientific_notation_are_numbers(tmp_path):
    path = tmp_path / "sizes.yaml"
    path.write_text("llama: {rms_eps: 1e-5}", encoding="utf-8")
    assert read_sizes(path).model.language_model.rms_eps == 1e-5


def test_a_size_file_that_is_not_there_is_refused(tmp_path, capsys):
    assert synthetic(tmp_path / "none.yaml", tmp_path / "out") == 2
    assert "none.yaml' cannot be read: No such file" in capsys.readouterr().err


def test_ranges_of_layers_are_short():
    assert ranges([3, 0, 1, 2, 7, 9, 8, 7]) == "0..3,7..9"
    assert ranges([5]) == "5"


def test_tensors_of_many_layers_share_a_line_if_they_say_the_same():
    problems = [Problem("f", "missing", f"blocks.{i}.norm.bias") for i in range(5)]
    problems.insert(2, Problem("f", "wrong shape", "blocks.1.norm.bias", "found [2]"))
    problems.append("file.pth: broken")
    lines = grouped(problems)
    assert [line.text for line in lines] == [
        "f: missing: blocks.{0..4}.norm.bias",
        "f: wrong shape: blocks.1.norm.bias (found [2])",
        "file.pth: broken",
    ]
    assert [line.count for line in lines] == [5, 1, 1]


def test_every_file_has_its_share_of_a_shortened_report():
    many = [Problem("first", "missing", f"a{i}x") for i in range(30)]
    lines = shortened(grouped([*many, Problem("second", "missing", "b")]), 10)
    assert lines[-2:] == ["second: missing: b", "… and 25 more (--verbose names them)"]
    assert len(lines) == 7


def test_progress_is_a_bar_on_a_terminal_and_plain_lines_elsewhere():
    class Terminal:
        def __init__(self, answer):
            self.answer, self.text = answer, ""

        def isatty(self):
            return self.answer

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    for answer in (True, False):
        stream = Terminal(answer)
        progress = Progress(stream)
        for done in range(4):
            progress.step("part", done, 3)
        progress.say("written")
        assert ("\r" in stream.text) == answer
        assert stream.text.endswith("\nconvert: written\n")
        assert stream.text.count("\n") == 2
