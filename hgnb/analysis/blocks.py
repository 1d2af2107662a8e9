"""Latents some persons at a time: what is computed so needs little memory, and may come from a memory map."""

from collections.abc import Iterator

import numpy as np

BLOCK = 1024  # persons at once


def slices(count: int) -> Iterator[slice]:
    """Consecutive rows that make up `count`."""
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


def blocks(latents: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows and their latents as (n, D) float64."""
    for rows in slices(len(latents)):
        yield rows, latents[rows].astype(np.float64)
