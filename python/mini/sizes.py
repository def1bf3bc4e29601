"""The mini model's numbers."""

from __future__ import annotations

from moviechat_models.sizes import (
    FrameEncoderSizes,
    LlamaSizes,
    MemoryReaderSizes,
    ModelSizes,
    PositionSizes,
    QFormerSizes,
    VitSizes,
)

IMAGE = 56
VOCABULARY = 640
TOKENS = 6  # N: background, four shapes, cameo
WIDTH = 64  # C
ALPHA = 16 / 17  # of the positions: with it they can rise steadily with time
QUERIES = 36  # Q: as many as a reading's code has
READING = 128  # H, the language model's width


def mini_sizes(vocabulary: int = VOCABULARY) -> ModelSizes:
    """The mini model: 2.2 million parameters, 20 MFLOP a frame."""
    vit = VitSizes(image=IMAGE, patch=8, width=64, depth=4, heads=4, mlp_ratio=4.0)
    frame = QFormerSizes(
        width=WIDTH, layers=4, heads=4, ffn=192, queries=TOKENS, cross_every=1, memory_width=64
    )
    video = QFormerSizes(
        width=128, layers=6, heads=8, ffn=384, queries=QUERIES, cross_every=3, memory_width=WIDTH
    )
    language = LlamaSizes(
        width=READING,
        layers=4,
        heads=4,
        ffn=344,
        vocab=vocabulary,
        rows=vocabulary,
        kv_heads=4,
        context=512,
    )
    return ModelSizes(
        frame_encoder=FrameEncoderSizes(vit=vit, qformer=frame),
        memory_reader=MemoryReaderSizes(
            qformer=video,
            positions=PositionSizes(rows=16, levels=16, alpha=ALPHA),
            tokens=TOKENS,
            out=language.width,
        ),
        language_model=language,
    )
