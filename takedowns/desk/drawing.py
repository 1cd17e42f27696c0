"""Where the points of a graph go on a page: the same graph is always drawn the same way. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

STEPS = 120
MARGIN = 0.08  # of the width, kept free for names


def layout(number: int, edges: Iterable[tuple[int, int, float]]) -> list[tuple[float, float]]:
    """A place in [0, 1]² for each of ``number`` points; ``edges`` are pairs of them, with their strength.

    Points repel one another and edges pull (Fruchterman and Reingold, 1991), beginning from a circle.
    """
    if number == 0:
        return []
    angles = np.arange(number) * 2 * math.pi / number
    places = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    pull = np.zeros((number, number))
    for one, other, strength in edges:
        pull[one, other] = pull[other, one] = strength
    wish = 2 / math.sqrt(number)  # distance between neighbours
    for step in range(STEPS):
        apart = places[:, None] - places[None, :]
        distance = np.maximum(np.linalg.norm(apart, axis=2), 0.01)
        force = wish**2 / distance**2 - pull * distance / wish
        moved = (apart * force[:, :, None]).sum(axis=1)
        length = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
        places = places + moved / length * np.minimum(length, 0.2 * (1 - step / STEPS))
    return _fitted(places)


def _fitted(places: np.ndarray) -> list[tuple[float, float]]:
    low, high = places.min(axis=0), places.max(axis=0)
    spread = np.where(high - low > 1e-9, high - low, 1.0)
    inside = np.where(high - low > 1e-9, (places - low) / spread, 0.5)
    return [(float(x), float(y)) for x, y in MARGIN + inside * (1 - 2 * MARGIN)]
