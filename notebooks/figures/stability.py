"""How many clusters, whether there are any, and whether all persons share them. Thesis figure 17; 03_interpretation."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from figures.clusters import plot_map
from figures.page import Plate, Table, nothing, number, percent
from hgnb.analysis.clusters import Clustering, EveryoneClustered, Stability, Sweep
from hgnb.drawing.style import BLUE, GREY, RED, SKY, style


def silhouettes(judged: Stability, who: str) -> Plate:
    """fig-silhouette-all, fig-silhouette-full: best silhouette of the restarts for every K, beside a Gaussian's."""
    sweep = judged.sweep
    if sweep.winner is None:
        why = f"{sweep.persons} persons are too few to be clustered."
        return nothing(why, f"No clusters of {who}.", "There are too few persons for a silhouette.")
    with style():
        figure, ax = plt.subplots(figsize=(6.4, 3.4))
        plot_silhouettes(judged, ax=ax)
    k, best = sweep.winner, float(sweep.best.max())
    low, high = (float(bound[sweep.clusters.index(k)]) for bound in judged.band)
    out = f" {_impossible(sweep)}" if sweep.left_out else ""
    caption = (
        f"Silhouette of K-means on the latents of {sweep.persons:,} {who}: every one of {sweep.silhouettes.shape[1]} "
        "restarts (dots), the best for each K, and the band that holds 95 % of samples from a Gaussian of equal "
        f"covariance, known from {len(judged.gaussian)} of them. The best of all is {number(best, 3)}, at K = {k}, "
        f"which is best in {percent(judged.share)} of {judged.resampled} resamples of the images.{out}"
    )
    falling = len(sweep.best) > 1 and (np.diff(sweep.best) < 0).all()
    trend = "falls from K = 2 on" if falling and sweep.clusters[0] == 2 else f"is highest at K = {k}"
    where = "above" if best > high else "below" if best < low else "within"
    null = f"{where} the band of a single Gaussian cloud, {number(low, 3)} to {number(high, 3)}"
    told = null if np.isfinite(high) else "with no Gaussian to compare it with"
    return Plate(figure, caption, f"The best silhouette {trend}: {number(best, 3)} at K = {k}, {told}.")


def plot_silhouettes(judged: Stability, *, ax: Axes | None = None) -> Axes:
    """Silhouette against K: all restarts, the best, and the band of a Gaussian."""
    ax, sweep = ax or plt.gca(), judged.sweep
    low, high = judged.band
    if np.isfinite(high).all():
        ax.fill_between(sweep.clusters, low, high, color=GREY, alpha=0.25, linewidth=0)
        mean = judged.gaussian.mean(0)
        ax.plot(
            sweep.clusters, mean, "s--", color=GREY, linewidth=1.2, markersize=4, label="Gaussian of equal covariance"
        )
    for k, values in zip(sweep.clusters, sweep.silhouettes, strict=True):
        ax.plot(np.full(len(values), k), values, ".", color=SKY, markersize=4, alpha=0.8)
    ax.plot(sweep.clusters, sweep.best, "o-", color=BLUE, label="latents")
    ax.plot(sweep.winner, sweep.best.max(), "o", color=RED, markersize=11, fillstyle="none", markeredgewidth=1.8)
    ax.set(xlabel="clusters K", ylabel="mean silhouette", xticks=sweep.clusters)
    ax.legend()
    return ax


def _impossible(sweep: Sweep) -> str:
    """Which values of K so few persons don't allow, in a sentence."""
    most = f"at most {max(sweep.clusters)} clusters are possible" if sweep.clusters else "no two clusters are possible"
    ks = ", ".join(map(str, sweep.left_out))
    return f"With {sweep.persons:,} persons {most}; asked for, too: K = {ks}."


def table(judged: Stability, asked: Sequence[int], who: str, name: str) -> Table:
    """tbl-stability-all, tbl-stability-full: for every K that was asked for, what its clusters are worth."""
    sweep, rows = judged.sweep, []
    for k in asked:
        row = {"K": k, "Silhouette": "–", "Gaussian": "–", "Best in": "–", "Rand: restarts": "–", "Rand: halves": "–"}
        if k in sweep.clusters:
            i = sweep.clusters.index(k)
            low, high = (number(float(bound[i]), 3) for bound in judged.band)
            row |= {
                "Silhouette": number(float(sweep.best[i]), 3),
                "Gaussian": f"{low} to {high}" if np.isfinite(judged.band[1][i]) else "–",
                "Best in": percent(judged.wins[i]),
                "Rand: restarts": number(judged.restarts[i]),
                "Rand: halves": number(judged.halves[i]),
            }
        rows.append(row)
    caption = (
        f"K-means on the latents of {sweep.persons:,} {who}: the best silhouette, the band of a Gaussian of equal "
        f"covariance, in how many of {judged.resampled} resamples of the images this K scores best, and the adjusted "
        "Rand index between two restarts and between the clusters of one half of the images and those that the other "
        f"half's centroids give it; 1 is the same, 0 is chance.{' ' + _impossible(sweep) if sweep.left_out else ''}"
    )
    return Table(pd.DataFrame(rows), caption, name)


def told(judged: Stability, who: str) -> str:
    """C13, C14 in a sentence: is the best K best in other photographs too, and better than one cloud?"""
    k = judged.sweep.winner
    if k is None:
        return f"The {who} are too few for clusters."
    again = f"On the {who} the best silhouette is at K = {k}, and so it is in {percent(judged.share)} of the resamples"
    if judged.above is None:
        return f"{again}; there is no Gaussian to compare it with."
    if not judged.above:
        return f"{again}, but a single Gaussian cloud that is cut in {k} scores as high: it says nothing about groups."
    more = "above what a single Gaussian cloud reaches"
    return f"{again}; it lies {more}." if judged.holds else f"{again} only, though it lies {more}."


def beside(
    sample: Clustering, everyone: Clustering, rows: np.ndarray, plane: np.ndarray, found: EveryoneClustered
) -> Plate:
    """fig-clusters-everyone: the sample's clusters beside those of all N persons; rows (n,) of the sample, plane (N, 2)
    two components of all."""
    if min(sample.count, everyone.count) < 2:
        return nothing("There are no two clusters.", "No clusters of all persons.", "The sample has no two clusters.")
    with style():
        figure, axes = plt.subplots(1, 2, figsize=(8.8, 4.4), sharex=True, sharey=True)
        for ax, group, at in zip(axes, (sample, everyone), (rows, np.arange(len(plane))), strict=True):
            plot_map(group, plane[at], crosses=False, ax=ax)
            ax.set_title(f"{len(at):,} {'sampled persons' if group is sample else 'persons, all of them'}")
    sizes = (", ".join(percent(n / len(g.labels)) for n in g.sizes) for g in (sample, everyone))
    caption = (
        f"K-means with K = {sample.count} on the latents of the sample (left; shares of the clusters: {next(sizes)}) "
        f"and mini-batch K-means on those of all training persons (right; {next(sizes)}), on two principal components "
        "of all persons. Adjusted Rand index between the two clusterings: "
        f"{number(found.on_sample)} over the sample; over all persons, each in the cluster of the sample's nearest "
        f"centroid, {number(found.on_all)}."
    )
    rates = [percent(g.misplaced.rate.value, 1) for g in (sample, everyone)]
    wrong = f"; misplaced are {rates[0]} of the sample and {rates[1]} of all" if sample.count == 2 else ""
    alt = (
        f"Clusters of the sample and of all persons agree with an adjusted Rand index of {number(found.on_all)}{wrong}."
    )
    return Plate(figure, caption, alt)
