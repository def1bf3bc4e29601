"""The paper's long-term memory of whole films: K = 18, m = 2, cosine, plain mean in windows.

A second implementation of what the program does, for training; tests hold it to the same results.
"""

from __future__ import annotations

import numpy as np
from numba import njit

KEEP = 2  # m
ARRIVING = 16  # K - m
TINY = 1e-8  # of norms, as in torch's cosine


@njit(cache=True, fastmath=False)
def alike(left: np.ndarray, right: np.ndarray) -> float:
    """Mean over tokens of the cosine. [N, C] each"""
    total = 0.0
    for n in range(left.shape[0]):
        dot, first, second = 0.0, 0.0, 0.0
        for c in range(left.shape[1]):
            dot += left[n, c] * right[n, c]
            first += left[n, c] * left[n, c]
            second += right[n, c] * right[n, c]
        total += dot / (max(np.sqrt(first), TINY) * max(np.sqrt(second), TINY))
    return total / left.shape[0]


@njit(cache=True, fastmath=False)
def merge_down(blocks: np.ndarray, shares: np.ndarray, count: int, keep: int) -> int:
    """Merges the most alike neighbours (the first of equals) of the first `count` blocks [M, N, C]
    in place until `keep` are left, and the same rows of shares [M, E]. → how many are left
    """
    near = np.empty(max(count - 1, 1))
    for i in range(count - 1):
        near[i] = alike(blocks[i], blocks[i + 1])
    while count > keep:
        at = 0
        for i in range(1, count - 1):
            if near[i] > near[at]:
                at = i
        blocks[at] = (blocks[at] + blocks[at + 1]) / np.float32(2.0)
        shares[at] = (shares[at] + shares[at + 1]) / np.float32(2.0)
        for i in range(at + 1, count - 1):
            blocks[i] = blocks[i + 1]
            shares[i] = shares[i + 1]
        for i in range(at + 1, count - 2):
            near[i] = near[i + 1]
        count -= 1
        if at > 0:
            near[at - 1] = alike(blocks[at - 1], blocks[at])
        if at < count - 1:
            near[at] = alike(blocks[at], blocks[at + 1])
    return count


@njit(cache=True, fastmath=False)
def long_term(
    frames: np.ndarray, shares: np.ndarray, arriving: int = ARRIVING, keep: int = KEEP
) -> tuple[np.ndarray, np.ndarray]:
    """A film's long-term memory, and what each block has of anything that is known of the frames.
    frames float32 [windows · arriving, N, C], shares float32 [windows · arriving, E] → [windows ·
    m, N, C], [windows · m, E]

    The m merged blocks of a window stay in short-term memory, and are merged again with the next
    window.
    """
    windows = frames.shape[0] // arriving
    long = np.empty((windows * keep, frames.shape[1], frames.shape[2]), np.float32)
    long_shares = np.empty((windows * keep, shares.shape[1]), np.float32)
    short = np.empty((arriving + keep, frames.shape[1], frames.shape[2]), np.float32)
    short_shares = np.empty((arriving + keep, shares.shape[1]), np.float32)
    count = 0
    for window in range(windows):
        arrived = slice(window * arriving, (window + 1) * arriving)
        short[count : count + arriving] = frames[arrived]
        short_shares[count : count + arriving] = shares[arrived]
        count = merge_down(short, short_shares, count + arriving, keep)
        long[window * keep : window * keep + count] = short[:count]
        long_shares[window * keep : window * keep + count] = short_shares[:count]
    return long, long_shares
