"""Every number that shapes a model, and the numbers of the published MovieChat.

Symbols as in the algorithm text: S image side, P ViT tokens, D ViT width, N tokens a frame, C token
width, Q video queries, H language-model width, n positions a level (n² blocks can be told apart).
"""

from dataclasses import dataclass


def _divides(part: int, whole: int, part_name: str, whole_name: str) -> None:
    if part <= 0 or whole % part != 0:
        raise ValueError(f"{whole_name} ({whole}) must be a multiple of {part_name} ({part})")


@dataclass(frozen=True)
class VitSizes:
    """EVA ViT. The MLP is int(width * mlp_ratio) wide, as in timm."""

    image: int
    patch: int
    width: int
    depth: int
    heads: int
    mlp_ratio: float
    eps: float = 1e-6

    def __post_init__(self) -> None:
        _divides(self.patch, self.image, "patch", "image")
        _divides(self.heads, self.width, "heads", "width")

    @property
    def grid(self) -> int:
        """Patches along one side."""
        return self.image // self.patch

    @property
    def tokens(self) -> int:
        """P: the class token and the patches."""
        return 1 + self.grid * self.grid

    @property
    def hidden(self) -> int:
        return int(self.width * self.mlp_ratio)


@dataclass(frozen=True)
class QFormerSizes:
    """BERT with learned queries. Layers 0, cross_every, … look at a memory of memory_width."""

    width: int
    layers: int
    heads: int
    ffn: int
    queries: int
    cross_every: int
    memory_width: int
    eps: float = 1e-12
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _divides(self.heads, self.width, "heads", "width")
        if self.cross_every < 1:
            raise ValueError(f"cross_every must be at least 1, got {self.cross_every}")


@dataclass(frozen=True)
class PositionSizes:
    """Trained position vectors (rows) and how far they are extended (levels², at most rows²)."""

    rows: int
    levels: int
    alpha: float = 0.01

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= self.rows:
            raise ValueError(f"levels ({self.levels}) must lie between 1 and rows ({self.rows})")
        if not 0.0 <= self.alpha < 1.0:
            raise ValueError(f"alpha must lie in [0, 1), got {self.alpha}")


@dataclass(frozen=True)
class FrameEncoderSizes:
    """ViT and frame Q-Former. mean and std (RGB, of 0…1 pixels) are CLIP's."""

    vit: VitSizes
    qformer: QFormerSizes
    ln_eps: float = 1e-5
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)

    def __post_init__(self) -> None:
        if self.qformer.memory_width != self.vit.width:
            raise ValueError(
                f"the frame Q-Former looks at width {self.qformer.memory_width}, "
                f"the ViT gives {self.vit.width}"
            )


@dataclass(frozen=True)
class MemoryReaderSizes:
    """Video Q-Former and projection to the language model's width (out)."""

    qformer: QFormerSizes
    positions: PositionSizes
    tokens: int
    out: int

    @property
    def width(self) -> int:
        """C: the width of the tokens that are read."""
        return self.qformer.memory_width


@dataclass(frozen=True)
class LlamaSizes:
    """LLaMA. The tokenizer knows `vocab` ids, the tables have `rows` rows (the rest is padding)."""

    width: int
    layers: int
    heads: int
    ffn: int
    vocab: int
    rows: int
    kv_heads: int
    context: int
    rms_eps: float = 1e-6
    rope_base: float = 10000.0
    tied: bool = False  # the output layer is the embedding table
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _divides(self.heads, self.width, "heads", "width")
        _divides(self.kv_heads, self.heads, "kv_heads", "heads")
        if (self.width // self.heads) % 2 != 0:
            raise ValueError(
                f"rotary positions need an even head width, got {self.width // self.heads}"
            )
        if self.rows < self.vocab:
            raise ValueError(f"rows ({self.rows}) must hold the vocabulary ({self.vocab})")

    @property
    def head_dim(self) -> int:
        return self.width // self.heads


@dataclass(frozen=True)
class ModelSizes:
    """The three modules of a bundle; whoever makes one has checked that they fit each other."""

    frame_encoder: FrameEncoderSizes
    memory_reader: MemoryReaderSizes
    language_model: LlamaSizes

    def __post_init__(self) -> None:
        frame, reader = self.frame_encoder.qformer, self.memory_reader
        if (frame.queries, frame.width) != (reader.tokens, reader.width):
            raise ValueError(
                f"the frame encoder gives blocks [{frame.queries}, {frame.width}], "
                f"the memory reader takes [{reader.tokens}, {reader.width}]"
            )
        if reader.out != self.language_model.width:
            raise ValueError(
                f"the memory reader gives width {reader.out}, "
                f"the language model takes {self.language_model.width}"
            )


def moviechat_7b() -> ModelSizes:
    """The published model: EVA-CLIP ViT-g/14, BERT-base Q-Formers, Vicuna-7B v0."""
    return ModelSizes(
        frame_encoder=FrameEncoderSizes(
            vit=VitSizes(image=224, patch=14, width=1408, depth=39, heads=16, mlp_ratio=4.3637),
            qformer=QFormerSizes(
                width=768,
                layers=12,
                heads=12,
                ffn=3072,
                queries=32,
                cross_every=2,
                memory_width=1408,
            ),
        ),
        memory_reader=MemoryReaderSizes(
            qformer=QFormerSizes(
                width=768,
                layers=2,
                heads=12,
                ffn=3072,
                queries=32,
                cross_every=1,
                memory_width=768,
            ),
            positions=PositionSizes(rows=32, levels=16),
            tokens=32,
            out=4096,
        ),
        language_model=LlamaSizes(
            width=4096,
            layers=32,
            heads=32,
            ffn=11008,
            vocab=32000,
            rows=32001,
            kv_heads=32,
            context=2048,
        ),
    )
