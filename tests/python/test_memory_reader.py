"""Memory → video embeddings, against the authors' encode_long_video (video_qformer.safetensors)."""

import pytest
import torch

from conftest import assert_close, outputs_of

LIMIT = 256  # positions


@pytest.fixture
def video(tensors):
    return tensors("video_qformer")


def keep(long: int, short: int) -> list[int]:
    """Which of the long-term, short-term and current blocks stay: the oldest short-term ones go
    first, then the oldest long-term ones.
    """
    excess = max(0, long + short + 1 - LIMIT)
    from_short = min(excess, short)
    from_long = excess - from_short
    return [*range(from_long, long), *range(long + from_short, long + short), long + short]


@pytest.mark.parametrize("kind", ["model", "scripted"])
@pytest.mark.parametrize("blocks", [1, 5, 37, 256])
def test_long_term_memory_is_read_as_the_authors_do(kind, request, video, blocks):
    reader = request.getfixturevalue(kind).memory_reader
    with torch.no_grad():
        assert_close(reader(video["blocks"][:blocks]), video[f"global/T{blocks}"][0])


@pytest.mark.parametrize(
    ("long", "short"), [(18, 5), (7, 0), (252, 8), (256, 8), (255, 0), (256, 0)]
)
def test_a_moment_is_read_as_the_authors_do(model, video, golden, long, short):
    name = f"breakpoint/L{long}_S{short}"
    kept = keep(long, short)
    case = next(c for c in golden["cases"]["video_qformer"]["kept"] if c["name"] == name)
    assert case["dropped"] == sorted(set(range(long + short + 1)) - set(kept))
    blocks = torch.cat((video["blocks"][: long + short], video["current"]))[kept]
    with torch.no_grad():
        assert_close(model.memory_reader(blocks), video[name][0])


def test_every_layer_gives_the_golden_hidden_state(model, video):
    blocks = torch.cat((video["blocks"][:3], video["current"]))
    qformer = model.memory_reader.qformer
    seen = outputs_of([qformer.norm, *qformer.layers], lambda: model.memory_reader(blocks))
    assert len(seen) == 3
    for i, hidden in enumerate(seen):
        assert_close(hidden, video[f"paper_breakpoint/S3/hidden_{i}"])
    with torch.no_grad():
        assert_close(model.memory_reader(blocks), video["paper_breakpoint/S3"][0])


def test_reading_with_attention_gives_the_same_embeddings(model, scripted, video):
    for reader in (model.memory_reader, scripted.memory_reader):
        with torch.no_grad():
            embeddings, _ = reader.read(video["blocks"][:37])
        assert_close(embeddings, video["global/T37"][0])


@pytest.mark.parametrize("blocks", [1, 37, 256])
def test_attention_to_blocks_sums_to_one(model, video, blocks):
    with torch.no_grad():
        _, attention = model.memory_reader.read(video["blocks"][:blocks])
    assert attention.shape == (8, blocks)
    assert attention.dtype == torch.float32
    assert (attention >= 0).all()
    assert_close(attention.sum(-1), torch.ones(8), 1e-5)


def test_attention_is_the_mean_over_layers_and_heads_of_the_textbook_formula(model, video):
    blocks = video["blocks"][:5]
    reader = model.memory_reader
    layers = reader.qformer.layers
    with torch.no_grad():
        _, attention = reader.read(blocks)
        tokens = reader.place(blocks.unsqueeze(0))[0]  # [T·N, C]
        hidden = reader.qformer.norm(reader.qformer.query_tokens)
        expected = torch.zeros(8, 5)
        for layer in layers:
            cross = layer.crossattention
            asking = cross.query(layer.attention(hidden, hidden))[0]
            for head in range(4):
                columns = slice(head * 8, head * 8 + 8)
                scores = asking[:, columns] @ cross.key(tokens)[:, columns].T / 8**0.5
                expected += scores.softmax(-1).view(8, 5, 8).sum(-1) / (4 * len(layers))
            hidden = layer(hidden, tokens.unsqueeze(0))
    assert_close(attention, expected, 1e-5)


@pytest.mark.parametrize("blocks", [0, LIMIT + 1])
def test_no_block_and_too_many_blocks_are_refused(model, scripted, blocks):
    for reader in (model.memory_reader, scripted.memory_reader):
        with pytest.raises(Exception, match=f"expected 1 to 256 blocks, got {blocks}"):
            reader(torch.zeros(blocks, 8, 32))


def test_blocks_of_another_width_are_refused(model):
    with pytest.raises(ValueError, match=r"expected blocks \[T, 8, 32\]"):
        model.memory_reader(torch.zeros(3, 8, 16))


def test_a_batch_of_memories_reads_as_each_alone(model, scripted, video):
    lengths = [5, 1, 9]
    batch = torch.full((3, 9, 8, 32), 50.0)  # padding that would show
    mask = torch.zeros(3, 9, dtype=torch.bool)
    for row, length in enumerate(lengths):
        batch[row, :length] = video["blocks"][row : row + length]
        mask[row, :length] = True
    for reader in (model.memory_reader, scripted.memory_reader):
        with torch.no_grad():
            together = reader.read_batch(batch, mask)
            for row, length in enumerate(lengths):
                assert_close(together[row], reader(batch[row, :length]), 1e-5)


def test_a_batch_without_padding_needs_no_mask(model, video):
    batch = video["blocks"][:6].view(2, 3, 8, 32)
    with torch.no_grad():
        together = model.memory_reader.read_batch(batch, None)
        alone = torch.stack([model.memory_reader(memory) for memory in batch])
    assert_close(together, alone, 1e-5)
