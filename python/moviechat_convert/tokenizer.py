"""Sentencepiece models: checked, asked for stop words, and made where there is none."""

import itertools
import string
import struct
from collections.abc import Iterator
from pathlib import Path

import sentencepiece

from moviechat_models.checkpoint import CheckpointError

BOS, EOS = 1, 2  # broken special_tokens_map.json files of some Vicuna folders are not asked
TURN = "###"
TOKENIZER = "tokenizer.model"  # in a model's folder


def read_tokenizer(path: Path) -> sentencepiece.SentencePieceProcessor:
    if not path.is_file():
        raise CheckpointError(f"'{path}' does not exist; the tokenizer comes with Vicuna's files")
    try:
        return sentencepiece.SentencePieceProcessor(model_file=str(path))
    except (RuntimeError, OSError) as error:
        raise CheckpointError(f"'{path}' is no sentencepiece model or cut short") from error


def tokenizer_problems(path: Path, vocab: int) -> list[str]:
    """A tokenizer of another model, by its size and its special tokens."""
    try:
        tokenizer = read_tokenizer(path)
    except CheckpointError as error:
        return [str(error)]
    problems = []
    name = f"{path.parent.name}/{path.name}"
    if tokenizer.get_piece_size() != vocab:
        problems.append(f"{name}: knows {tokenizer.get_piece_size()} tokens, expected {vocab}")
    if (tokenizer.bos_id(), tokenizer.eos_id()) != (BOS, EOS):
        found = f"{tokenizer.bos_id()} and {tokenizer.eos_id()}"
        problems.append(f"{name}: <s> and </s> are {found}, expected {BOS} and {EOS}")
    return problems


def stop_sequences(path: Path) -> list[list[int]]:
    """Both spellings of `###`: as a word of its own, and behind a letter as `##`, `#`.

    Vicuna's: [835] and [2277, 29937].
    """
    tokenizer = read_tokenizer(path)
    behind = [tokenizer.piece_to_id(piece) for piece in ("##", "#")]
    known = tokenizer.unk_id() not in behind
    return [tokenizer.encode(TURN)] + ([behind] if known else [])


def write_synthetic_tokenizer(path: Path, vocab: int) -> None:
    """A BPE model with byte fallback and as many pieces as asked for: characters, bytes, `###`, and
    invented words.
    """
    pieces = [
        ("<unk>", 2),
        ("<s>", 3),
        ("</s>", 3),
    ]  # types: 1 normal, 2 unknown, 3 control, 6 byte
    pieces += [(f"<0x{byte:02X}>", 6) for byte in range(256)]
    base = ["##", "▁##", "▁###", "▁", *string.digits, *string.ascii_letters, *string.punctuation]
    least = len(pieces) + len(base)
    if vocab < least:
        raise CheckpointError(f"a synthetic model needs a vocabulary of at least {least}: {vocab}")
    words = itertools.chain(base, invented_words())
    pieces += [(word, 1) for word in itertools.islice(words, vocab - len(pieces))]
    model = b""
    for rank, (piece, kind) in enumerate(pieces):
        score = struct.pack("<f", float(-rank))
        model += field(1, field(1, piece.encode()) + b"\x15" + score + number(3, kind))
    trainer = number(3, 2) + number(4, vocab) + number(35, 1)  # BPE, size, byte fallback
    model += field(2, trainer + number(40, 0) + number(41, BOS) + number(42, EOS))
    normalizer = field(1, b"identity") + number(3, 1) + number(4, 0) + number(5, 1)
    model += field(3, normalizer)  # dummy prefix, spaces kept and escaped
    path.write_bytes(model)


def invented_words() -> Iterator[str]:
    """aa, ▁aa, ab, … zz, ▁zz, aaa, …"""
    for length in itertools.count(2):
        for letters in itertools.product(string.ascii_lowercase, repeat=length):
            word = "".join(letters)
            yield word
            yield f"▁{word}"


def varint(value: int) -> bytes:
    """Protocol buffers' variable-length integer."""
    result = b""
    while value > 0x7F:
        result += bytes([value & 0x7F | 0x80])
        value >>= 7
    return result + bytes([value])


def field(index: int, content: bytes) -> bytes:
    """A message or text."""
    return varint(index << 3 | 2) + varint(len(content)) + content


def number(index: int, value: int) -> bytes:
    return varint(index << 3) + varint(value)
