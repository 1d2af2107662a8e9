"""Persons as portraits: crops, and true heatmaps as ink on paper. Figures of 03_interpretation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb

from figures.page import credited
from hgnb.data.heatmaps import HeatmapConfig, heatmaps
from hgnb.data.prepared import Prepared, PreparedSplit
from hgnb.data.schema import KeypointSchema
from hgnb.drawing import GREY, SIDES, picture


@dataclass(frozen=True)
class Portraits:
    """Persons of a split as small pictures: crops, and true heatmaps as ink on paper."""

    split: PreparedSplit
    schema: KeypointSchema
    config: HeatmapConfig
    credits: Mapping[int, str] = field(default_factory=dict)  # of photographs, by image id

    @classmethod
    def of(
        cls, prepared: Prepared, split: str, config: HeatmapConfig, credits: Mapping[int, str] | None = None
    ) -> "Portraits":
        """The persons of one split of a dataset."""
        return cls(prepared.split(split), prepared.schema, config, credits or {})

    def credited(self, caption: str, persons: Sequence[int]) -> str:
        """A caption with the credits of the persons' photographs."""
        return credited(caption, self.credits, self.split.image_ids[list(persons)])

    @property
    def side(self) -> int:
        """Pixels of a crop."""
        return self.split.crops.shape[1]

    def maps(self, person: int) -> np.ndarray:
        """(K, size, size) true heatmaps."""
        keypoints = torch.from_numpy(np.array(self.split.keypoints[person : person + 1]))
        maps = heatmaps(keypoints[..., :2], keypoints[..., 2], side=self.side, size=self.side // 4, config=self.config)
        return maps[0].numpy()

    def ink(self, maps: np.ndarray) -> np.ndarray:
        """(K, h, w) -> (h, w, 3) in 0..1: every map scaled to its peak, its side's colour on white."""
        peak = maps.max((1, 2), keepdims=True)
        strength = np.clip(np.divide(maps, peak, out=np.zeros_like(maps), where=peak > 0), 0, 1)
        paper = np.ones((*maps.shape[1:], 3))
        for side, look in SIDES.items():
            ink = strength[[s == side for s in self.schema.sides]].max(0, initial=0)
            paper *= 1 - ink[..., None] * (1 - np.array(to_rgb(look["color"])))
        return paper

    def bones(self, person: int) -> np.ndarray:
        """(n, 2, 2) segments between labelled keypoints, as shares of the crop's side."""
        keypoints = self.split.keypoints[person]
        pairs = [p for p in self.schema.skeleton if (keypoints[list(p), 2] > 0).all()]
        return (keypoints[pairs, :2].reshape(-1, 2, 2) + 0.5) / self.side

    def draw(self, ax: Axes, person: int, maps: np.ndarray | None = None) -> Axes:
        """True heatmaps with thin bones, or given ones, pale and without."""
        paper = self.ink(self.maps(person)) if maps is None else (1 + self.ink(maps)) / 2
        ax.imshow(paper, extent=(0, 1, 1, 0), interpolation="bilinear")
        if maps is None:
            ax.add_collection(LineCollection(self.bones(person), colors=GREY, linewidths=0.7))
        return framed(ax)

    def said(self, ax: Axes, maps: np.ndarray) -> Axes:
        """The peaks of a network's heatmaps (K, h, w), with bones between the maxima."""
        ax.imshow(self.ink(sharpened(maps)), extent=(0, 1, 1, 0), interpolation="bilinear")
        at = peaks(maps)
        bones = [at[list(pair)] for pair in self.schema.skeleton]
        ax.add_collection(LineCollection(bones, colors=GREY, linewidths=0.7))
        return framed(ax)

    def photo(self, ax: Axes, person: int) -> Axes:
        """The crop."""
        return picture(ax, self.split.picture(person))


def peaks(maps: np.ndarray) -> np.ndarray:
    """(..., K, h, w) -> (..., K, 2): the middle of each map's highest cell as (x, y), shares of the map's side."""
    size = maps.shape[-1]
    at = maps.reshape(*maps.shape[:-2], -1).argmax(-1)
    return (np.stack([at % size, at // size], -1) + 0.5) / size


def sharpened(maps: np.ndarray) -> np.ndarray:
    """What lies above four fifths of each map's peak, room for the peaks themselves."""
    peak = np.maximum(maps.max((1, 2), keepdims=True), 1e-12)
    return np.clip(5 * maps / peak - 4, 0, 1)


def framed(ax: Axes) -> Axes:
    """A square of side 1 in a thin frame."""
    ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(1, 0))
    ax.grid(False)
    ax.spines[:].set(visible=True, color="#CCCCCC", linewidth=0.6)
    return ax
