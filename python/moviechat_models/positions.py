"""Hierarchical position decomposition: n trained vectors → n² positions.

The hierarchical decomposition of BERT's positions that MovieChat (arXiv 2307.16449) takes over.
"""

from torch import Tensor


def extend_positions(table: Tensor, levels: int, alpha: float, count: int) -> Tensor:
    """The first `count` of levels² positions. table [rows, C], levels <= rows → float32 [count, C]

    u_i = (p_i - α·p_0) / (1 - α); position i·n + j is α·u_i + (1 - α)·u_j. From the table as it is
    now: the released code extends it before the checkpoint is loaded, a defect.
    """
    trained = table[:levels].float()
    base = (trained - alpha * trained[:1]) / (1.0 - alpha)  # [n, C]
    coarse = alpha * base.unsqueeze(1)  # [n, 1, C]
    fine = (1.0 - alpha) * base.unsqueeze(0)  # [1, n, C]
    return (coarse + fine).flatten(0, 1)[:count]
