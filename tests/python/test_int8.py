"""Weight-only int8: how near the logits stay on full-size shapes, and that the same tokens come."""

import copy
import dataclasses
import json
from pathlib import Path

import pytest
import sentencepiece
import torch
import yaml

from conftest import convert, flags_of
from mini.video_file import read_video
from moviechat_convert.int8_error import compare, cosines
from moviechat_models.export import load_modules, quantize
from moviechat_models.linear import to_int8
from moviechat_models.llama import LanguageModel
from moviechat_models.sizes import LlamaSizes, moviechat_7b

MINI = Path(__file__).parents[2] / "models/mini"


def cosine(a, b):
    return torch.cosine_similarity(a, b, dim=-1).min()


def test_on_the_shapes_of_vicuna_logits_keep_their_direction():
    sizes = dataclasses.replace(moviechat_7b().language_model, layers=1, vocab=32000, rows=32000)
    exact = LanguageModel(sizes).eval()
    rounded = copy.deepcopy(exact)
    quantize(rounded)
    embeds = torch.randn(1, 140, sizes.width)
    with torch.no_grad():
        for count in (140, 9, 1):  # widened; torch's kernel; decoding
            wanted = exact.score(embeds[:, :count])
            assert cosine(rounded.score(embeds[:, :count]), wanted) > 0.999
        cache = rounded.make_cache(1, 16)
        rounded.step(embeds[:, :9], *cache, 0)
        wanted = exact.score(embeds[:, :10])[:, -1]
        assert cosine(rounded.step(embeds[:, 9:10], *cache, 9), wanted) > 0.999


def test_layers_of_vicuna_one_after_the_other_stay_near_float32():
    """All 32 layers end at 0.99995: scripts/bench/int8_error.py"""
    sizes = dataclasses.replace(moviechat_7b().language_model, layers=3)
    with torch.inference_mode():
        outputs = list(compare(sizes, seed=0, tokens=24))
    assert [out.name for out in outputs] == ["layer 1", "layer 2", "layer 3", "logits"]
    assert outputs[-1].exact.shape == (1, 24, 32001)
    for out in outputs:
        assert not torch.equal(out.exact, out.alone)
        assert cosines(out.exact, out.alone).min() > 0.9994, out.name
        assert cosines(out.exact, out.so_far).min() > 0.999, out.name


def language_sizes(folder, weights):
    """Of a bundle: python/mini/sizes.py may be ahead of it."""
    sizes = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))["sizes"]
    return LlamaSizes(
        width=sizes["hidden"],
        layers=sizes["layers"],
        heads=sizes["hidden"] // sizes["head_dim"],
        kv_heads=sizes["kv_heads"],
        ffn=weights["layers.0.mlp.gate_proj.weight"].size(0),
        vocab=sizes["vocab"],
        rows=sizes["rows"],
        context=sizes["context"],
    )


class Film:
    """The mini model's language model, and prompts about the sample film [1, n, H]"""

    def __init__(self):
        sample = MINI / "sample.json"
        told = json.loads(sample.read_text(encoding="utf-8"))
        model = load_modules(MINI)
        weights = model.language_model.state_dict()
        self.exact = LanguageModel(language_sizes(MINI, weights)).eval()
        self.exact.load_state_dict(weights)
        described = yaml.safe_load((MINI / "model.yaml").read_text(encoding="utf-8"))
        prompt = described["prompt"]
        self.stops = [*prompt["stop"], [prompt["eos"]]]
        tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(MINI / "tokenizer.model"))
        before, after = prompt["template"].split("<ImageHere>")
        head = self.exact.embed(torch.tensor([prompt["bos"], *tokenizer.encode(before)]))

        frames = read_video(sample.with_suffix(".mp4"), described["sizes"]["image"])
        shown = torch.from_numpy(frames[:: len(frames) // 240][:240]).permute(0, 3, 1, 2)
        blocks = model.frame_encoder(shown)
        questions = sorted({item["question"] for item in (*told["global"], *told["breakpoint"])})
        # the film as seen from six moments: six memories, each asked everything
        videos = [model.memory_reader(blocks[: 40 * (i + 1)]) for i in range(6)]
        self.prompts = [
            torch.cat(
                [
                    head,
                    video,
                    self.exact.embed(torch.tensor(tokenizer.encode(after.format(question=q)))),
                ]
            ).unsqueeze(0)
            for video in videos
            for q in questions
        ]

    def ended(self, ids):
        return len(ids) == 40 or any(ids[-len(stop) :] == stop for stop in self.stops)

    def answer(self, llm, prompt):
        """Greedy, as the program decodes"""
        n = prompt.size(1)
        keys, values = llm.make_cache(1, n + 40)
        logits = llm.step(prompt, keys, values, 0)
        ids = []
        while not self.ended(ids):
            ids.append(int(logits.argmax()))
            token = llm.embed(torch.tensor([ids[-1:]]))
            logits = llm.step(token, keys, values, n + len(ids) - 1)
        return ids

    def told(self, llm, prompt, ids):
        """What the model would say next at each place of an answer"""
        whole = torch.cat([prompt, llm.embed(torch.tensor([ids[:-1]]))], dim=1)
        return llm.score(whole)[0, prompt.size(1) - 1 :].argmax(-1).tolist()


@pytest.fixture(scope="module")
def film():
    with torch.no_grad():
        yield Film()


@pytest.mark.parametrize("head", ["stored", "int8"])
def test_the_mini_model_says_the_same_tokens(film, head):
    rounded = copy.deepcopy(film.exact)
    quantize(rounded)
    if head == "int8":
        to_int8(rounded.lm_head)
    tokens = forced = free = 0
    for prompt in film.prompts:
        ids = film.answer(film.exact, prompt)
        own = film.answer(rounded, prompt)
        tokens += len(ids)
        forced += sum(a == b for a, b in zip(ids, film.told(rounded, prompt, ids), strict=True))
        free += sum(a == b for a, b in zip(ids, own, strict=False))
    print(f"lm_head {head}: {tokens} tokens, {forced} forced, {free} free")
    assert tokens > 300
    assert forced >= 0.98 * tokens
    assert free >= 0.98 * tokens


def test_convert_writes_int8_layers_and_says_so(golden_folder, checkpoints, tmp_path):
    flags = [*flags_of(checkpoints), "--sizes", str(golden_folder / "golden.json")]
    out = tmp_path / "small"
    assert convert(["moviechat", *flags, "--llm-weights", "int8", "--out", str(out)]) == 0
    described = yaml.safe_load((out / "model.yaml").read_text(encoding="utf-8"))
    assert (described["dtype"], described["llm_weights"]) == ("fp16", "int8")
    weights = torch.jit.load(str(out / "language_model.pt")).state_dict()
    for name, tensor in weights.items():
        matrix = name.startswith("layers.") and name.endswith("_proj.weight")
        scale = name.endswith(".scale")
        assert tensor.dtype == (
            torch.int8 if matrix else torch.float32 if scale else torch.float16
        ), name
    assert sum(tensor.dtype == torch.int8 for tensor in weights.values()) == 2 * 7
    others = torch.jit.load(str(out / "frame_encoder.pt")).state_dict()
    assert {tensor.dtype for tensor in others.values()} == {torch.float16}
