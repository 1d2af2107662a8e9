"""Learning in pictures small enough to compute while the page is made: fits, descents, components. A1 and A2."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from figures.page import Plate, percent
from hgnb.drawing.style import BLUE, CYCLE, GREEN, GREY, INK, ORANGE, RED, style

LINES = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1, 1, 1)), "-", (0, (4, 1.5)))
MARKERS = "os^Dv*"


def overfitting(
    points: tuple[np.ndarray, np.ndarray], curves: Mapping[int, tuple[np.ndarray, np.ndarray]],
    errors: Mapping[int, tuple[float, float]],
) -> Plate:  # fmt: skip
    """fig-overfitting: fits of several degrees to the same points; training and validation error by degree.

    curves: degree -> (x, y) of some fits; errors: degree -> (training, validation) mean squared error.
    """
    degrees = sorted(errors)
    train, val = np.array([errors[d] for d in degrees]).T
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.3))
        axes[0].plot(*points, "o", color=INK, markersize=5, label="training points")
        for (degree, curve), line, colour in zip(curves.items(), LINES, CYCLE, strict=False):
            axes[0].plot(*curve, linestyle=line, color=colour, label=f"degree {degree}")
        low, high = points[1].min(), points[1].max()
        axes[0].set(ylim=(low - 0.6, high + 0.6), xlabel="x", ylabel="y")
        axes[0].xaxis.set_major_locator(plt.MaxNLocator(5))
        axes[0].legend(fontsize=8)
        axes[1].plot(degrees, train, "o-", color=BLUE, label="training")
        axes[1].plot(degrees, val, "s--", color=RED, label="validation")
        axes[1].set(yscale="log", xlabel="degree of the polynomial", ylabel="mean squared error")
        axes[1].legend(fontsize=9)
    best = degrees[int(val.argmin())]
    caption = (
        f"Polynomials fitted to {len(points[0])} noisy points. Left: three of them. Right: their error on the points "
        f"they were fitted to and on others; the validation error is least at degree {best}."
    )
    alt = (
        f"The training error falls from {train[0]:.2g} at degree {degrees[0]} to {train[-1]:.2g} at degree "
        f"{degrees[-1]}; the validation error is {val.min():.2g} at degree {best} and {val[-1]:.2g} at degree "
        f"{degrees[-1]}."
    )
    return Plate(figure, caption, alt)


def descents(A: np.ndarray, b: np.ndarray, paths: Mapping[str, np.ndarray]) -> Plate:
    """fig-descents: ways down the mean squared error of A theta = b. A (N, 2), b (N,); paths: name -> (T, 2)."""
    least = np.linalg.lstsq(A, b, rcond=None)[0]

    def loss(theta: np.ndarray) -> np.ndarray:
        return ((theta @ A.T - b) ** 2).mean(-1)

    corners = np.concatenate([*paths.values(), least[None]])
    low, high = corners.min(0), corners.max(0)
    pad = 0.12 * (high - low).max()
    grids = [np.linspace(a - pad, b + pad, 121) for a, b in zip(low, high, strict=True)]
    mesh = np.stack(np.meshgrid(*grids), -1)
    values, bottom = loss(mesh), float(loss(least))
    columns = min(3, len(paths))
    rows = -(-len(paths) // columns)
    with style():
        figure, axes = plt.subplots(rows, columns, figsize=(3.2 * columns, 2.9 * rows), sharex=True, sharey=True)
        levels = np.geomspace(max(np.ptp(values) * 2e-3, 1e-9), np.ptp(values), 9) + bottom
        for ax, (name, path), colour in zip(axes.flat, paths.items(), CYCLE, strict=False):
            ax.contour(*grids, values, levels=levels, colors="#BBBBBB", linewidths=0.7)
            ax.plot(*path.T, ".-", color=colour, linewidth=1.1, markersize=3.5)
            ax.plot(*least, "*", color=INK, markersize=10)
            ax.set_title(f"{name}: {len(path) - 1} steps", fontsize=9)
            ax.grid(False)
        for ax in axes.flat[len(paths) :]:
            ax.remove()
        figure.supxlabel("$\\theta_1$", fontsize=10)
        figure.supylabel("$\\theta_2$", fontsize=10)
    ends = {name: float(loss(path[-1])) - bottom for name, path in paths.items()}
    best = min(ends, key=ends.__getitem__)
    caption = (
        "Ways down one loss of two parameters, all from the same start; the star is the minimum, the contours are "
        "lines of equal loss. What is left of the loss above its minimum at the end: "
        + ", ".join(f"{name} {value:.2g}" for name, value in ends.items())
        + "."
    )
    worst = max(ends, key=ends.__getitem__)
    alt = (
        f"{len(paths)} ways through a long valley; {best} gets lowest, with {ends[best]:.2g} of the loss left, and "
        f"{worst} is left with {ends[worst]:.2g}."
    )
    return Plate(figure, caption, alt)


def approximation(x: np.ndarray, wanted: np.ndarray, fits: Mapping[int, np.ndarray]) -> Plate:
    """fig-approximation: a function, and sums of n ReLUs that follow it. fits: n -> (len(x),)."""
    errors = {n: float(np.abs(fit - wanted).max()) for n, fit in fits.items()}
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9, 3))
        axes[0].plot(x, wanted, color=GREY, linewidth=5, alpha=0.5, label="wanted")
        for (n, fit), line, colour in list(zip(fits.items(), LINES, CYCLE, strict=False))[:3]:
            axes[0].plot(x, fit, linestyle=line, color=colour, label=f"{n} hidden units")
        axes[0].set(xlabel="x", ylabel="output")
        axes[0].legend(fontsize=8)
        axes[1].loglog(list(errors), list(errors.values()), "o-", color=BLUE)
        axes[1].set(xlabel="hidden units", ylabel="largest error")
        axes[1].set_xticks(list(errors), labels=[str(n) for n in errors], minor=False)
        axes[1].minorticks_off()
    first, last = min(errors), max(errors)
    caption = (
        f"A network with one hidden layer of ReLUs follows a function (left) with an error that falls as the layer "
        f"grows (right): {errors[first]:.2g} with {first} units, {errors[last]:.2g} with {last}."
    )
    alt = f"Ever shorter straight pieces hug the curve; {last} units leave an error of at most {errors[last]:.2g}."
    return Plate(figure, caption, alt)


def plane(scores: np.ndarray, deviations: np.ndarray, labels: np.ndarray, path: np.ndarray, ratio: float) -> Plate:
    """fig-pca-kmeans: points on two components, and K-means on the way.

    scores (N, 2); deviations (2,) along the axes; labels (N,) at the end; path (T, K, 2) of the centroids.
    """
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(9.4, 4.1), sharex=True, sharey=True)
        axes[0].plot(*scores.T, ".", color=GREY, markersize=3, alpha=0.6)
        for i, colour in enumerate((BLUE, RED)):
            tip = np.zeros(2)
            tip[i] = 2 * deviations[i]
            arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0}
            axes[0].annotate("", tip, (0, 0), arrowprops=arrow)
            axes[0].annotate(
                f"$2\\sqrt{{\\lambda_{i + 1}}}\\,\\mathbf{{w}}_{i + 1}$", tip, textcoords="offset points",
                xytext=(4, 5), color=colour, fontsize=11,
            )  # fmt: skip
        _clusters(axes[1], scores, labels, path)
        reach = 1.12 * np.abs(np.concatenate([scores, 2 * np.diag(deviations)])).max(0) + 0.12 * deviations[0]
        for ax in axes:
            ax.set(xlabel="PC 1", aspect="equal", xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]))
        axes[0].set(ylabel="PC 2", title="principal components")
        axes[1].set_title(f"K-means, {len(path) - 1} updates")
    sizes = np.bincount(labels)
    caption = (
        f"{len(scores):,} crops of people, each 8 × 8 grey pixels, on the plane of their first two principal "
        f"components, which holds {percent(ratio)} of the variance. Left: the axes, each two standard deviations long. "
        f"Right: K-means with K = {path.shape[1]} in all 64 dimensions; lines trace the centroids from their start "
        "(hollow) to their end (full)."
    )
    alt = (
        f"The cloud is longest along its first component, {deviations[0] / deviations[1]:.1f} times as long as along "
        f"the second; K-means cuts it into groups of {' and '.join(f'{n:,}' for n in sizes)}."
    )
    return Plate(figure, caption, alt)


def _clusters(ax: Axes, scores: np.ndarray, labels: np.ndarray, path: np.ndarray) -> None:
    for k, colour in zip(range(path.shape[1]), (BLUE, ORANGE, GREEN, RED), strict=False):
        ax.plot(*scores[labels == k].T, MARKERS[k], color=colour, markersize=3, alpha=0.45, linestyle="")
        ax.plot(*path[:, k].T, "-", color=INK, linewidth=1.2)
        ax.plot(*path[0, k], "o", color=INK, markerfacecolor="white", markersize=8)
        ax.plot(*path[-1, k], "o", color=INK, markerfacecolor=colour, markersize=10)
