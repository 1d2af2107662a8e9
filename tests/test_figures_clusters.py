"""Figures and tables of what clusters are worth: words that follow the data, whatever the data lack."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_explain import clouds
from test_figures_interpretation import check

from figures import stability as figures
from hgnb.analysis import clusters, components, distances
from hgnb.analysis.clusters import cluster_everyone


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def judged(points, ks=(2, 3, 4), draws=5):
    apart = distances.distances(points)
    sweep = clusters.sweep(points, ks, 3, 0, apart)
    variance = components.principal(points).variance
    images = np.arange(len(points))
    return clusters.stability(points, apart, sweep, variance, images, draws=draws, resampled=10, seed=0)


def test_three_clouds_are_told_as_three():
    points, _ = clouds((40, 30, 20), apart=9)
    found = judged(points)
    plate = check(figures.silhouettes(found, "people"))
    assert "at K = 3, above the band" in plate.alt and "best in 100 % of 10 resamples" in plate.caption
    assert "above what a single Gaussian cloud reaches." in figures.told(found, "people")
    drawn = plate.figure.axes[0]
    best = next(line for line in drawn.lines if line.get_label() == "latents")
    assert np.allclose(best.get_ydata(), found.sweep.best)
    bounds = drawn.collections[0].get_paths()[0].vertices[:, 1]
    assert bounds.min() == pytest.approx(found.band[0].min()) and bounds.max() == pytest.approx(found.band[1].max())


def test_one_cloud_is_told_as_one():
    rng = np.random.default_rng(4)
    points = (rng.normal(size=(150, 12)) * np.arange(1, 13) ** -0.8).astype(np.float32)
    found = judged(points)
    assert found.above is False
    assert "within the band" in check(figures.silhouettes(found, "people")).alt
    assert "says nothing about groups" in figures.told(found, "people")


def test_without_a_gaussian_nothing_is_claimed():
    points, _ = clouds((20, 20), apart=9)
    found = judged(points, draws=1)
    assert "no Gaussian" in check(figures.silhouettes(found, "people")).alt
    assert "no Gaussian" in figures.told(found, "people") and found.holds is None


def test_the_table_has_a_row_for_every_number_asked():
    points, _ = clouds((3, 2), apart=9)
    found = judged(points, ks=(2, 3, 9))
    table = figures.table(found, (2, 3, 9), "people", "tbl-x")
    assert table.rows["K"].tolist() == [2, 3, 9] and table.rows["Silhouette"][2] == "–"
    assert "With 5 persons at most 3 clusters are possible; asked for, too: K = 9." in table.caption
    assert "nan" not in table.markdown() and table.name == "tbl-x"
    assert "at most 3 clusters are possible" in figures.silhouettes(found, "people").caption


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_persons_are_a_sentence(n):
    found = judged(clouds((5, 5))[0][:n], ks=(2, 3))
    assert "too few" in check(figures.silhouettes(found, "people")).caption + figures.told(found, "people")
    assert "no two clusters are possible" in figures.table(found, (2, 3), "people", "tbl-x").caption


@pytest.mark.parametrize("k", [1, 2, 3])
def test_all_persons_beside_the_sample(k):
    points, own = clouds((300, 200, 150)[:k] if k > 1 else (300,), d=6, apart=9)
    sample, images = np.arange(0, len(own), 2), np.arange(len(own))
    found = cluster_everyone(points, sample, own[sample], 0)
    key = np.array([17.0, 2.0, 9.0])[own]
    part = clusters.clustering(points[sample], own[sample], key[sample], images[sample])
    whole = clusters.clustering(points, found.labels, key, images)
    plane = components.principal(points).scores(2)
    plate = check(figures.beside(part, whole, sample, plane, found))
    assert ("index of 1.00" in plate.alt) == (k > 1) and ("misplaced" in plate.alt) == (k == 2)
    if k == 2:
        assert "60 %, 40 %" in plate.caption and "0.0 % of the sample and 0.0 % of all" in plate.alt
