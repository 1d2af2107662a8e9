"""Figures and tables of chapters 03 and 05 that stand beside the notebooks: words that follow the data, whatever these
lack. What stands in a cell is tested by running the chapters."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from test_explain import COCO, SIDE, clouds, persons, planted, reader, scattered
from test_interventions import world

from figures import ch03, clustering
from figures.page import Plate
from figures.portraits import Portraits
from hgnb.analysis import clusters, components, distances, posture, skips, truncation
from hgnb.data.heatmaps import HeatmapConfig
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig
from hgnb.stats import Estimate

BODY = [n for n in COCO.names if n.split("_")[-1] not in ("nose", "eye", "ear")]
FOURTEEN = KeypointSchema((*BODY, "neck", "head_top"))


def portraits(given, schema=COCO):
    return Portraits(given, schema, HeatmapConfig())


def check(plate):
    """A figure, with words where it has some already, and something drawn or written in every panel."""
    if isinstance(plate, Plate):
        assert len(plate.caption) > 10 and len(plate.alt) > 10
        assert "nan" not in (plate.caption + plate.alt).lower().split()
    figure = plate if isinstance(plate, Figure) else plate.figure
    for ax in figure.axes:
        drawn = ax.images or ax.lines or ax.patches or ax.collections or ax.texts
        assert drawn or not ax.axison or ax.get_label() == "<colorbar>", "an empty panel"
    figure.savefig(BytesIO(), dpi=30)  # lays the figure out, whatever is on it
    return plate


@pytest.mark.parametrize("schema", [COCO, FOURTEEN], ids=["17", "14"])
@pytest.mark.parametrize("through", ["skips", "latents"])
def test_skip_figures(schema, through):
    given = persons(scattered(24, len(schema)))
    study = skips.study(reader(given, through), given, schema, PckConfig())
    lost = {name: study.lost(name) for name in schema.names}
    for made in (study, replace(study, alone=())):
        figure = check(ch03.keypoints(made, lost))
        assert len(figure.axes[0].get_yticks()) == len(schema) and len(ch03.levels(made)) == len(made.alone)
    shown = skips.examples(study, 5, seed=0)
    maps = np.random.default_rng(0).random((5, len(schema), 16, 16))
    figure = check(ch03.samples(study, shown, portraits(given, schema), maps))
    counts = [ax.get_xlabel() for ax in figure.axes if ax.get_xlabel()]
    assert len(counts) == 5 and all(words.endswith(f" of {len(schema)}") for words in counts)


@pytest.mark.parametrize("n", [0, 1, 2, 30])
def test_walk_and_trait_figures(n):
    latents, given = planted(max(n, 2))[0][:n], persons(scattered(max(n, 2))).take(np.arange(n))
    parts, steps = components.principal(latents), (-3.0, 0.0, 3.0)
    paths = components.walks(parts, np.arange(n), (1, 2, 50), steps)
    if paths:
        maps = np.random.default_rng(0).random((len(paths), 3, 17, 16, 16))
        figure = check(ch03.walks(paths, steps, portraits(given), maps))
        assert figure.axes[0].get_ylabel().startswith("PC 1\n")
    told = posture.answers(parts, posture.questions(given, COCO, posture.postures(given, COCO)), given.image_ids)
    check(ch03.traits(told, "persons"))
    table = ch03.traits_table(told, "persons", "tbl-x")
    assert table.name == "tbl-x" and "nan" not in table.markdown() and len(table.rows)


def test_what_stands_after_correction_is_listed_and_the_rest_is_one_row():
    latents, factors, _ = planted(200)
    asked = [posture.Question("sitting", (factors[:, 0] > 0).astype(float), is_class=True),
             posture.Question("motion", factors[:, 1]), posture.Question("labelled", np.full(200, 17.0))]  # fmt: skip
    told = posture.answers(components.principal(latents), asked, np.arange(200))
    table = ch03.traits_table(told, "persons", "tbl-x")
    assert table.rows.Tells[0].startswith("sitting: AUC") and table.rows.Tells[1].startswith("motion: r")
    assert table.rows.iloc[2].tolist()[::2] == ["the other 18", "nothing that stands"] and len(table.rows) == 3
    assert "Not asked" in table.caption and "labelled" in table.caption
    assert "2 of 40 answers" in ch03.traits(told, "persons").alt


def test_peaks_by_hand():
    maps = np.zeros((1, 2, 10, 10))
    maps[0, 0, 5, 4] = maps[0, 1, 0, 9] = 1
    assert ch03.peaks(maps).tolist() == [[[0.45, 0.55], [0.95, 0.05]]]


@pytest.mark.parametrize("deviations", [(5.0, 3.0, 1.5), (4.0,)])
def test_pck_with_components(deviations):
    given, seer, latents = world(deviations, n=60)
    parts = components.principal(latents)
    own = truncation.truncate(seer, given, truncation.own(given, parts), PckConfig())
    other = truncation.truncate(seer, given, truncation.exchanged(given, latents, 0), PckConfig())
    removed = truncation.removed(seer, given, parts, range(1, 21), PckConfig())
    for second in (other, None):
        left = check(ch03.pck_components(own, second, removed)).axes[0]
        assert [text.get_text() for text in left.texts] == [f"k = {len(deviations)}"]
        assert len(left.get_legend().get_texts()) == (2 if second else 1)
    assert ch03.fewest(own).startswith(f"{len(deviations)} of {len(parts)} are the fewest tried that come within 1 %")
    assert ch03.fewest(replace(own, hits={0: own.hits[0]})).startswith("not even all 0 come within 1 %: ")
    drops = dict.fromkeys(range(10), Estimate(0.01, 0.0017, 0.0183)) | {10: Estimate(0.05, 0.03, 0.07)}
    assert ch03.stands(drops).tolist() == [False] * 10 + [True] and ch03.stands({1: drops[1]}).all()


@pytest.mark.parametrize("n", [0, 1, 2, 3, 40])
def test_latent_and_cluster_figures(n):
    latents, given = planted(max(n, 2))[0][:n], persons(scattered(max(n, 2))).take(np.arange(n))
    parts, at = components.principal(latents), np.arange(n)
    kept = clustering.stamped(parts)
    if len(kept):
        check(clustering.latent_map(parts, at, portraits(given), kept))
    sweep, plane = clusters.sweep(latents, (2, 3), 2, seed=0), parts.in_plane()
    for key in (given.labelled.astype(float), np.random.default_rng(0).random(n), np.full(n, np.nan)):
        for k in (2, 3):
            group = clusters.clustering(latents, sweep.of(k), key, given.image_ids)
            check(clustering.clusters(group, plane, "number of things", "persons"))
    assert ("The age" in check(clustering.centroids(group, at, portraits(given), "age", "us")).alt) == (n > 0)
    if n:
        planes = [components.Map("PCA", plane, 0.9), components.Map("UMAP", plane, np.nan)]
        check(clustering.latent_planes(planes, given.labelled, posture.postures(given, COCO), 17))


def test_cluster_words_follow_the_data():
    """The same figure says 'misplaced' only of somebody who is."""
    points = np.repeat([[0.0, 0], [9, 9]], 20, 0) + np.random.default_rng(0).normal(size=(40, 2))
    key = np.repeat([17.0, 2.0], 20)
    for wrong in (0, 2):
        key[:wrong] = 2
        group = clusters.clustering(points, np.repeat([0, 1], 20), key, np.arange(40))
        plate = check(clustering.clusters(group, points, "count", "people"))
        assert f"the {wrong} persons" in plate.caption
        assert wrong or ("0 % of the persons" in plate.alt and "1.00" in plate.alt)


def test_stamps_of_the_map_do_not_overlap():
    parts = components.principal(planted(400)[0])
    kept, unit = clustering.stamped(parts), clustering.in_unit(parts)[2]
    gap = np.abs(unit[kept][:, None] - unit[kept]).max(2)
    assert (gap + np.eye(len(kept)) >= clustering.STAMP).all() and len(kept) > 30


def test_ink_is_where_the_keypoint_is():
    given = persons(scattered(1))
    given.keypoints[0, 1:] = 0
    given.keypoints[0, 0] = (40, 20, 2)
    picture = portraits(given)
    image = picture.ink(picture.maps(0))
    y, x = np.unravel_index(image.sum(2).argmin(), image.shape[:2])
    assert (x, y) == (40 * 16 // SIDE, 20 * 16 // SIDE) and image[0, 0].min() == 1
    assert picture.bones(0).shape == (0, 2, 2)


def judged(points, ks=(2, 3, 4), draws=5):
    apart = distances.distances(points)
    sweep, variance = clusters.sweep(points, ks, 3, 0, apart), components.principal(points).variance
    images = np.arange(len(points))
    return clusters.stability(points, apart, sweep, variance, images, draws=draws, resampled=10, seed=0)


def test_silhouettes_of_three_clouds_of_one_and_without_a_gaussian():
    found = judged(clouds((40, 30, 20), apart=9)[0])
    plate = check(clustering.silhouettes(found, "people"))
    assert "at K = 3, above the band" in plate.alt and "best in 100 % of 10 resamples" in plate.caption
    ax = plate.figure.axes[0]
    assert np.allclose(next(line for line in ax.lines if line.get_label() == "latents").get_ydata(), found.sweep.best)
    bounds = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert bounds.min() == pytest.approx(found.band[0].min()) and bounds.max() == pytest.approx(found.band[1].max())
    one = (np.random.default_rng(4).normal(size=(150, 12)) * np.arange(1, 13) ** -0.8).astype(np.float32)
    assert "within the band" in check(clustering.silhouettes(judged(one), "people")).alt
    assert "no Gaussian" in check(clustering.silhouettes(judged(one[:40], draws=1), "people")).alt


@pytest.mark.parametrize(("n", "ks"), [(0, []), (1, []), (2, []), (5, [2, 3])])
def test_numbers_of_clusters_that_are_impossible_are_a_sentence(n, ks):
    found = judged(clouds((3, 3), apart=9)[0][:n], ks=(2, 3, 9))
    table = clustering.stability(found, "people", "tbl-x")
    assert table.rows["K"].tolist() == (ks or ["–"]) and table.name == "tbl-x" and "nan" not in table.markdown()
    most = "at most 3 clusters are possible; asked for, too: K = 9." if ks else "no two clusters are possible"
    plate = check(clustering.silhouettes(found, "people"))
    assert most in table.caption and (most in plate.caption if ks else "too few" in plate.alt)
