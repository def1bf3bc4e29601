"""Scripted modules compute what the eager ones do: every method that the program calls."""

import dataclasses

import pytest
import torch

from conftest import assert_close
from moviechat_models.model import Model
from moviechat_models.sizes import ModelSizes


def other_sizes(sizes: ModelSizes) -> ModelSizes:
    """The same architecture with other numbers everywhere, to catch a size that is baked in."""
    change = dataclasses.replace
    encoder, reader, language = sizes.frame_encoder, sizes.memory_reader, sizes.language_model
    vit = change(encoder.vit, image=40, patch=8, width=20, heads=2, depth=2, mlp_ratio=2.5)
    frame = change(
        encoder.qformer,
        width=24,
        layers=3,
        heads=3,
        ffn=20,
        queries=5,
        cross_every=3,
        memory_width=20,
    )
    video = change(
        reader.qformer,
        width=16,
        layers=3,
        heads=2,
        ffn=28,
        queries=6,
        cross_every=2,
        memory_width=24,
    )
    return ModelSizes(
        change(encoder, vit=vit, qformer=frame),
        change(
            reader,
            qformer=video,
            positions=change(reader.positions, rows=4, levels=3, alpha=0.2),
            tokens=5,
            out=36,
        ),
        change(
            language, width=36, layers=3, heads=6, kv_heads=3, ffn=20, vocab=50, rows=50, tied=True
        ),
    )


@pytest.fixture(params=["tiny", "other"])
def pair(request, model, sizes) -> tuple[Model, Model, ModelSizes]:
    """An eager model and the same scripted."""
    if request.param == "other":
        sizes = other_sizes(sizes)
        model = Model.create(sizes)
    eager = [module.eval() for module in model.modules().values()]
    return model, Model(*[torch.jit.script(module) for module in eager]), sizes


def test_frame_encoder(pair):
    eager, scripted, sizes = pair
    vit = sizes.frame_encoder.vit
    rgb = torch.randint(0, 256, (2, 3, vit.image, vit.image), dtype=torch.uint8)
    seen = torch.randn(2, vit.tokens, vit.width)
    with torch.no_grad():
        blocks = scripted.frame_encoder(rgb)
        assert blocks.shape == (2, sizes.memory_reader.tokens, sizes.memory_reader.width)
        assert_close(blocks, eager.frame_encoder(rgb), 1e-6)
        assert_close(
            scripted.frame_encoder.condense(seen), eager.frame_encoder.condense(seen), 1e-6
        )


def test_memory_reader(pair):
    eager, scripted, sizes = pair
    reader = sizes.memory_reader
    blocks = torch.randn(2, 9, reader.tokens, reader.width)
    mask = torch.arange(9) < torch.tensor([[9], [4]])
    with torch.no_grad():
        read, attention = scripted.memory_reader.read(blocks[0])
        assert read.shape == (reader.qformer.queries, reader.out)
        assert_close(read, eager.memory_reader(blocks[0]), 1e-5)
        assert_close(attention, eager.memory_reader.read(blocks[0])[1], 1e-6)
        assert_close(attention.sum(-1), torch.ones(reader.qformer.queries), 1e-5)
        assert_close(scripted.memory_reader(blocks[1]), eager.memory_reader(blocks[1]), 1e-6)
        batch = scripted.memory_reader.read_batch(blocks, mask)
        assert_close(batch, eager.memory_reader.read_batch(blocks, mask), 1e-6)


def test_language_model(pair):
    eager, scripted, sizes = pair
    language = sizes.language_model
    ids = torch.randint(0, language.vocab, (2, 10))
    mask = torch.arange(10) >= torch.tensor([[0], [3]])
    results = []
    with torch.no_grad():
        for llm in (eager.language_model, scripted.language_model):
            keys, values = llm.make_cache(2, 20)
            assert keys.shape == values.shape
            assert keys.shape == (language.layers, 2, language.kv_heads, 20, language.head_dim)
            embeds = llm.embed(ids)
            results.append(
                [
                    embeds,
                    llm.step(embeds[:, :4], keys, values, 0),
                    llm.step(embeds[:, 4:9], keys, values, 4),
                    llm.step(embeds[:, 9:], keys, values, 9),
                    *llm.step_attention(embeds, keys, values, 10),
                    llm.score(embeds, None),
                    llm.score(embeds, mask),
                    keys,
                    values,
                ]
            )
    for expected, actual in zip(*results, strict=True):
        assert_close(actual, expected, 1e-6)
