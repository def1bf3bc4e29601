"""What a block says: the code that the frame encoder learns to write.

A block has a token for the background, one for each shape and one for cameos. A token is a sum of
orthogonal directions (which token it is; colour, place, direction, size, …), normalised as the
frame Q-Former's last LayerNorm leaves it, so that everything is linear in it, similarity falls
where a viewer sees a change, and colours or shapes can be exchanged by one matrix.
"""

from __future__ import annotations

import numpy as np

from mini.films import CAMEO_SHAPES, COLOURS, DIRECTIONS, SHAPES, Film, Look
from mini.sizes import TOKENS, WIDTH

BACKGROUND, CAMEO = 0, 1 + len(SHAPES)  # tokens; shapes between them
WAVES = 3  # of each place coordinate: cos(pi k x)


def basis() -> dict[str, np.ndarray]:
    """Orthonormal directions, all orthogonal to the vector of ones. → name: float32 [count, C]"""
    counts = {
        "token": TOKENS,
        "colour": len(COLOURS),
        "cameo": len(CAMEO_SHAPES),
        "direction": len(DIRECTIONS),
        "x": WAVES,
        "y": WAVES,
        "size": 1,
        "main": 1,
        "absent": 1,
    }
    raw = np.random.default_rng(5).normal(size=(WIDTH, sum(counts.values()) + 1))
    raw[:, 0] = 1.0
    columns = np.linalg.qr(raw)[0].T[1:].astype(np.float32)
    parts, begin = {}, 0
    for name, count in counts.items():
        parts[name] = columns[begin : begin + count]
        begin += count
    return parts


BASIS = basis()
STRENGTH = {"token": 1.0, "colour": 1.6, "cameo": 1.6, "direction": 0.8, "place": 0.6}


def waves(place: np.ndarray) -> np.ndarray:
    """0..1 → cos(pi k place), [… , WAVES]"""
    return np.cos(np.pi * place[..., None] * np.arange(1, WAVES + 1)).astype(np.float32)


def normalised(tokens: np.ndarray) -> np.ndarray:
    """Each token with variance 1 (its mean is 0 already). [..., C] → [..., C]"""
    scale = np.sqrt(np.square(tokens).mean(-1, keepdims=True) + 1e-6)
    return (tokens / scale).astype(np.float32)


def code_of(look: Look) -> np.ndarray:
    """What a film shows at n times → blocks float32 [n, N, C]"""
    count = len(look.background)
    blocks = np.empty((count, TOKENS, WIDTH), np.float32)
    blocks[:] = BASIS["token"] * STRENGTH["token"]
    colours = BASIS["colour"] * STRENGTH["colour"]
    blocks[:, BACKGROUND] += colours[look.background]
    shape = colours[look.colour]  # [n, 4, C]
    shape = shape + STRENGTH["place"] * (waves(look.x) @ BASIS["x"] + waves(look.y) @ BASIS["y"])
    shape += STRENGTH["direction"] * BASIS["direction"][look.direction]
    shape += ((look.size - 0.35) / 0.1)[..., None] * 0.4 * BASIS["size"][0]
    shape += np.where(look.main, 0.8, -0.8)[..., None].astype(np.float32) * BASIS["main"][0]
    absent = 1.6 * BASIS["absent"][0]
    blocks[:, 1:CAMEO] += np.where(look.present[..., None], shape, absent)
    colour, kind = np.divmod(np.maximum(look.cameo, 0), len(CAMEO_SHAPES))
    figure = colours[colour] + STRENGTH["cameo"] * BASIS["cameo"][kind]
    blocks[:, CAMEO] += np.where((look.cameo >= 0)[:, None], figure, absent)
    return normalised(blocks)


def film_code(film: Film, seconds: np.ndarray) -> np.ndarray:
    """Blocks of a film at times [n], dissolves mixed → float32 [n, N, C]"""
    numbers = film.numbers_at(seconds)
    share, other = film.dissolve_at(seconds)
    blocks = code_of(film.look(seconds, numbers))
    rows = np.flatnonzero(share > 0)
    if len(rows):
        mixed = code_of(film.look(seconds[rows], other[rows]))
        part = share[rows].astype(np.float32)[:, None, None]
        blocks[rows] = normalised(blocks[rows] * (1.0 - part) + mixed * part)
    return blocks


def exchange(colours: np.ndarray, cameos: np.ndarray) -> np.ndarray:
    """The matrix that renames colours and cameo shapes: block @ matrix shows colours[i] where block
    showed i. → float32 [C, C]
    """
    matrix = np.eye(WIDTH, dtype=np.float32)
    for name, order in (("colour", colours), ("cameo", cameos)):
        old, new = BASIS[name], BASIS[name][order]
        matrix += old.T @ new - old.T @ old
    return matrix


def mirror() -> np.ndarray:
    """The matrix that exchanges left and right: block @ matrix shows the mirrored frame. → float32
    [C, C]
    """
    odd = BASIS["x"][0::2]  # cos(pi k (1 - x)) = -cos(pi k x) for odd k
    left, right = (BASIS["direction"][DIRECTIONS.index(way)] for way in ("left", "right"))
    turned = (left - right)[None] / np.sqrt(2.0, dtype=np.float32)
    matrix = np.eye(WIDTH, dtype=np.float32)
    return matrix - 2.0 * (odd.T @ odd + turned.T @ turned)


def token_order(shapes: np.ndarray) -> np.ndarray:
    """Rows of the new block's tokens in the old one where shape i becomes shapes[i]. → int64 [N]"""
    order = np.arange(TOKENS)
    order[1 + shapes] = 1 + np.arange(len(SHAPES))
    return order


def rename_block(blocks: np.ndarray, colours: np.ndarray, shapes: np.ndarray, cameos: np.ndarray):
    """Blocks [..., N, C] of a film whose colours, shapes and cameo shapes are exchanged."""
    order = token_order(shapes)
    moved = blocks[..., order, :] @ exchange(colours, cameos)
    # a token's own direction stays where the token is
    own = BASIS["token"]
    for new, old in enumerate(order):
        if new != old:
            strength = moved[..., new, :] @ own[old]
            moved[..., new, :] += strength[..., None] * (own[new] - own[old])
    return moved
