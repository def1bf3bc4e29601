"""The mini model's sentencepiece tokenizer: LLaMA's settings, trained on the generated sentences.

Byte fallback is on, so that any text in any language has token ids.
"""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import sentencepiece

from mini.phrasings import loosen
from mini.questions import draw_questions
from mini.random_films import film_of_seed
from mini.whole_file import whole_file

BOS, EOS = 1, 2
PROMPT = "###Human: <Video><ImageHere></Video> {question}###Assistant:"


def training_sentences(films: int, seed: int) -> list[str]:
    """Prompts and answers about drawn films, and every printable ASCII character."""
    rng = np.random.default_rng([seed, 1])
    before, after = PROMPT.split("<ImageHere>")
    lines: list[str] = []
    for index in range(films):
        whole, moments = draw_questions(rng, film_of_seed(seed, index), 8, 8)
        for asked in whole + moments:
            lines += [before, after.format(question=loosen(rng, asked.question)), asked.answer]
    lines += ["###", "a###", string.printable.strip()] * 50
    return lines


def train_tokenizer(path: Path, vocabulary: int, films: int = 400, seed: int = 7) -> None:
    """Writes `path` (ends in .model)."""
    with whole_file(path) as part:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(training_sentences(films, seed)),
            model_prefix=str(part.with_suffix("")),
            model_type="bpe",
            vocab_size=vocabulary,
            byte_fallback=True,
            character_coverage=1.0,
            unk_id=0,
            bos_id=BOS,
            eos_id=EOS,
            pad_id=-1,
            add_dummy_prefix=True,
            remove_extra_whitespaces=False,
            normalization_rule_name="identity",
            split_digits=True,
            allow_whitespace_only_pieces=True,
            num_threads=1,
            minloglevel=2,
        )
        part.with_suffix(".vocab").unlink()


class MiniTokenizer:
    """Text ↔ ids, and the prompt's pieces. Stateless; cheap to share."""

    def __init__(self, path: Path) -> None:
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
        before, self._after = PROMPT.split("<ImageHere>")
        self.before = [BOS, *self.pieces.encode(before)]

    def after(self, question: str) -> list[int]:
        """The prompt behind the video's embeddings."""
        return self.pieces.encode(self._after.format(question=question))

    def answer(self, text: str) -> list[int]:
        """An answer with its EOS."""
        return [*self.pieces.encode(text), EOS]

    def names(self, ids: list[int]) -> list[str]:
        """The pieces as they are spelled, with sentencepiece's mark for a space."""
        return [self.pieces.id_to_piece(token) for token in ids]

    def decode(self, ids: list[int]) -> str:
        """Generated ids → text before the first EOS or '###'."""
        kept = ids[: ids.index(EOS)] if EOS in ids else ids
        return self.pieces.decode(kept).split("###")[0].strip()

    def stop(self) -> list[list[int]]:
        """The two ways in which '###' is spelled: as a word of its own, and behind a letter."""
        alone = self.pieces.encode("###")
        behind = self.pieces.encode("a###")[len(self.pieces.encode("a")) :]
        return [alone, behind]
