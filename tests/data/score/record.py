"""Records what other libraries make of small inputs: tests/data/score/references.json.

pip install rouge-score==0.1.2 scipy statsmodels transformers==4.57.1
python tests/data/score/record.py

The normalisation is SQuAD's (in transformers), ROUGE-L is Google's rouge-score, McNemar's test is
statsmodels', quantiles are numpy's, and the bootstrap of a mean over clusters is scipy's.
"""

from __future__ import annotations

import json
import random
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rouge_score import rouge_scorer
from scipy.stats import bootstrap
from statsmodels.stats.contingency_tables import mcnemar
from transformers.data.metrics.squad_metrics import normalize_answer

TEXTS = [
    "The quick brown fox.",
    "quick   brown\tfox",
    "Yes, it's a car!",
    "A blue-green Star; an apple",
    "don't (stop) [now]",
    "$5.00 + 10% = x_y",
    "theatre another anaconda a1",
    'Mr. O\'Neil said: "the end".',
    "",
    "...",
    "An old man and the sea, the the",
]
PAIRS = [
    ("the cat sat on the mat", "the cat is on the mat"),
    ("A yellow circle.", "a yellow circle"),
    ("A yellow circle.", "a circle that is yellow"),
    ("police killed the gunman", "the gunman kill police"),
    ("it's 12:30", "It is 12 30 o'clock"),
    ("yes", "no"),
    ("", "something"),
    ("something", ""),
    ("snake_case and-dashes", "snake case and dashes"),
    ("Two men, one dog", "one dog and two men walk"),
]


def rouge(reference: str, answer: str) -> float:
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    return scorer.score(reference, answer)["rougeL"].fmeasure


def random_pairs(count: int) -> list[tuple[str, str]]:
    """Sentences of few different words, so that subsequences are long and tangled."""
    draw = random.Random(1)
    words = ["red", "blue", "star", "moves", "left", "the", "a", "on"]

    def sentence() -> str:
        return " ".join(draw.choice(words) for _ in range(9))

    return [(sentence(), sentence()) for _ in range(count)]


def mean_of_clusters(sums: np.ndarray, counts: np.ndarray, axis: int = -1) -> np.ndarray:
    return sums.sum(axis=axis) / counts.sum(axis=axis)


def bootstrap_case(seed: int, clusters: int, binary: bool) -> dict[str, Any]:
    """Unequal clusters that differ in their means."""
    draw = np.random.default_rng(seed)
    samples: list[tuple[int, float]] = []
    for cluster in range(clusters):
        centre = draw.uniform(0.2, 0.9)
        for _ in range(int(draw.integers(1, 9))):
            drawn = draw.random()
            value = float(drawn < centre) if binary else round(5 * centre * drawn, 3)
            samples.append((cluster, value))
    sums = np.array([sum(v for c, v in samples if c == k) for k in range(clusters)])
    counts = np.array([sum(1.0 for c, _ in samples if c == k) for k in range(clusters)])
    result = bootstrap(
        (sums, counts),
        mean_of_clusters,
        paired=True,
        vectorized=True,
        n_resamples=200_000,
        batch=10_000,
        method="percentile",
        random_state=np.random.default_rng(0),
    )
    low, high = result.confidence_interval
    mean = float(sums.sum() / counts.sum())
    return {"samples": samples, "mean": mean, "low": float(low), "high": float(high)}


def mcnemar_case(first: int, second: int) -> dict[str, Any]:
    table = [[7, first], [second, 11]]
    return {"first": first, "second": second, "p": float(mcnemar(table, exact=True).pvalue)}


def quantile_case(values: list[float], q: float) -> dict[str, Any]:
    return {"values": values, "q": q, "quantile": float(np.quantile(values, q))}


def main() -> None:
    counts = [(0, 0), (1, 0), (0, 5), (5, 5), (3, 12), (10, 25), (40, 41), (300, 360), (1500, 1620)]
    values = sorted(random.Random(2).uniform(-1, 1) for _ in range(8))
    libraries = ["rouge-score", "scipy", "statsmodels", "transformers", "numpy"]
    references = {
        "made_by": {name: version(name) for name in libraries},
        "normalised": [{"text": t, "words": normalize_answer(t).split()} for t in TEXTS],
        "rouge_l": [
            {"reference": r, "answer": a, "f": rouge(r, a)} for r, a in PAIRS + random_pairs(20)
        ],
        "mcnemar": [mcnemar_case(*pair) for pair in counts],
        "quantile": [quantile_case(values, q) for q in (0, 0.025, 0.3, 0.5, 0.975, 1)],
        "bootstrap": [bootstrap_case(3, 12, True), bootstrap_case(4, 40, False)],
    }
    path = Path(__file__).with_name("references.json")
    path.write_text(json.dumps(references, indent=1) + "\n")


if __name__ == "__main__":
    main()
