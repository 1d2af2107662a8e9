"""Figures and tables of chapters 03 and 05: words on every one, whatever the data lack."""

from dataclasses import replace
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_explain import COCO, SIDE, persons, planted, reader, scattered
from test_interventions import world

from figures import clusters as cluster_figures
from figures import components as component_figures
from figures import discussion, maps
from figures import interventions as intervention_figures
from figures import skips as skip_figures
from figures import traits as trait_figures
from figures.page import Plate
from figures.portraits import Portraits
from hgnb.analysis import clusters, components, posture, skips, truncation
from hgnb.analysis.components import Map, trust
from hgnb.analysis.distances import distances
from hgnb.data.heatmaps import HeatmapConfig
from hgnb.data.schema import KeypointSchema
from hgnb.metrics import PckConfig
from hgnb.training.profiles import Profile

BODY = [n for n in COCO.names if n.split("_")[-1] not in ("nose", "eye", "ear")]
FOURTEEN = KeypointSchema((*BODY, "neck", "head_top"))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def split(n=24, schema=COCO):
    return persons(scattered(n, len(schema)))


def portraits(given, schema=COCO):
    return Portraits(given, schema, HeatmapConfig())


def check(plate):
    """A figure with words, and something drawn or written in every panel."""
    assert isinstance(plate, Plate) and len(plate.caption) > 10 and len(plate.alt) > 10
    assert "nan" not in (plate.caption + plate.alt).lower().split()
    for ax in plate.figure.axes:
        drawn = ax.images or ax.lines or ax.patches or ax.collections or ax.texts
        assert drawn or not ax.axison or ax.get_label() == "<colorbar>", "an empty panel"
    plate.figure.savefig(BytesIO(), dpi=30)  # lays the figure out, whatever is on it
    return plate


def study(given, through="skips", schema=COCO):
    return skips.study(reader(given, through), given, schema, PckConfig(), keep=range(len(given)))


@pytest.mark.parametrize("schema", [COCO, FOURTEEN], ids=["17", "14"])
@pytest.mark.parametrize("through", ["skips", "latents"])
def test_skip_figures(schema, through):
    given = split(24, schema)
    made = study(given, through, schema)
    plate = check(skip_figures.histograms(made))
    assert "Pooled PCK is 1.000 with" in plate.alt
    assert "no clear difference" in plate.alt, "everybody loses alike: a number without spread tells nothing"
    assert (made.drop.value > 0.9) == (through == "skips")
    table = skip_figures.table(made)
    assert table.name == "tbl-skip-groups" and "nan" not in table.markdown()
    assert table.rows["Lost without level 2"].str.startswith("0.00").all()  # carries nothing in either network
    plate = check(skip_figures.keypoints(made))
    assert f"{100 if through == 'skips' else 0} % of the" in plate.alt
    assert len(plate.figure.axes[0].get_yticks()) == len(schema)
    shown = skips.examples(made, 5, seed=0)
    without = np.random.default_rng(0).random((5, len(schema), 16, 16))
    plate = check(skip_figures.samples(made, shown, portraits(given, schema), without))
    assert "5 of the 24 training persons" in plate.caption


def test_skip_samples_say_when_nobody_is_perfect():
    given = split(3)
    made = study(given)
    made.on[:] = False
    shown = skips.examples(made, 20, seed=0)
    plate = check(skip_figures.samples(made, shown, portraits(given), np.zeros((3, 17, 16, 16))))
    assert "the best of the others" in plate.caption and plate.caption.startswith("3 training persons")


def test_skip_figures_of_a_network_without_skips():
    given = split(8)
    made = replace(study(given, "latents"), alone=())
    plate = check(skip_figures.histograms(made))
    assert "single levels" not in plate.caption and "no clear difference" in plate.alt
    check(skip_figures.keypoints(made))
    assert not [c for c in skip_figures.table(made).rows.columns if "level" in c]
    nobody = replace(made, on=np.zeros_like(made.on))
    assert "no visible keypoint" in check(skip_figures.keypoints(nobody)).caption


@pytest.mark.parametrize("schema", [COCO, FOURTEEN], ids=["17", "14"])
@pytest.mark.parametrize("n", [0, 1, 2, 30])
def test_walk_and_trait_figures(n, schema):
    latents, _, _ = planted(max(n, 2))
    parts, given = components.principal(latents[:n]), split(max(n, 2), schema).take(np.arange(n))
    steps = (-3.0, 0.0, 3.0)
    paths = components.walks(parts, np.arange(n), (1, 2, 50), steps)
    maps = np.random.default_rng(0).random((len(paths), 3, len(schema), 16, 16))
    plate = check(component_figures.walks(paths, steps, portraits(given, schema), "persons", maps))
    assert ("on PC 2" in plate.alt) == (n == 30) and "PC 50" not in plate.alt
    tried = np.linspace(-3, 3, 9)
    own, equal = components.met(parts, tried), components.met(parts, tried, equal=True)
    check(component_figures.steps(own, equal, tried, "persons"))
    states = posture.postures(given, schema)
    told = posture.answers(parts, posture.questions(given, schema, states, np.arange(n)), given.image_ids)
    check(trait_figures.traits(told, "persons"))
    table = trait_figures.table(told, "persons")
    assert table.name == "tbl-components" and "nan" not in table.markdown()
    assert len(table.rows) == min(max(len(parts), 1), 20)


def test_only_what_stands_after_correction_is_listed():
    latents, factors, _ = planted(200)
    asked = [posture.Question("sitting", (factors[:, 0] > 0).astype(float), is_class=True),
             posture.Question("motion", factors[:, 1]), posture.Question("labelled", np.full(200, 17.0))]  # fmt: skip
    told = posture.answers(components.principal(latents), asked, np.arange(200))
    rows = trait_figures.table(told, "persons").rows
    assert rows.Tells[0].startswith("sitting: AUC") and rows.Tells[1].startswith("motion: r")
    assert rows.Tells[2:].str.startswith("nothing that stands; strongest is").all()
    assert "Not asked" in (caption := trait_figures.table(told, "persons").caption) and "labelled" in caption
    assert "2 of 40 answers" in trait_figures.traits(told, "persons").alt


def test_components_that_do_not_exist_are_named():
    assert component_figures.lacking((1, 2), 80) == ""
    assert "Component 100 can't exist" in component_figures.lacking((1, 100), 80)
    assert "Components 30, 50 and 100 can't" in component_figures.lacking((1, 30, 50, 100), 21)
    assert "none to walk along" in component_figures.lacking((1, 2), 0)


def test_travel_by_hand():
    maps = np.zeros((1, 3, 2, 10, 10))
    maps[0, 0, 0, 1, 1] = maps[0, 2, 0, 5, 4] = 1  # from (1, 1) to (4, 5): 5 cells; the other keypoint stays
    assert component_figures.travel(maps) == pytest.approx([0.25])


@pytest.mark.parametrize("deviations", [(5.0, 3.0, 1.5), (4.0,)])
def test_pck_with_components(deviations):
    given, seer, latents = world(deviations, n=60)
    parts = components.principal(latents)
    own = truncation.truncate(seer, given, truncation.own(given, parts), PckConfig())
    other = truncation.truncate(seer, given, truncation.crossed(given, latents, 0), PckConfig())
    drops = truncation.removed(seer, given, parts, range(1, 21), PckConfig())
    n = len(deviations)
    for second in (other, None):
        plate = check(intervention_figures.pck_components(own, second, drops, "persons"))
        assert f"within 1 % with {n} components; of 20 components removed singly {n} have" in plate.alt
        words = intervention_figures.told(own, second)
        assert f"The first {n} components suffice" in words and "nan" not in words
        assert ("other half" in words) == (second is not None)
        assert f"{n} of 40 components come within" in intervention_figures.shortly(own)
    check(intervention_figures.pck_components(None, None, {}, "persons"))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 40])
def test_latent_and_cluster_figures(n):
    latents, _, _ = planted(max(n, 2))
    latents, given = latents[:n], split(max(n, 2)).take(np.arange(n))
    parts, at = components.principal(latents), np.arange(n)
    check(maps.latent_map(parts, at, portraits(given)))
    sweep = clusters.sweep(latents, (2, 3), 2, seed=0)
    states, plane = posture.postures(given, COCO), parts.in_plane()
    for key in (given.labelled.astype(float), np.random.default_rng(0).random(n), np.full(n, np.nan)):
        for k in (2, 3):
            group = clusters.clustering(latents, sweep.of(k), key, given.image_ids)
            check(cluster_figures.clusters(group, plane, "number of things", "persons"))
            table = cluster_figures.table(group, given.labelled, states, sweep.of(2))
            assert "nan" not in table.markdown()
    check(cluster_figures.centroids(group, at, portraits(given), "persons"))
    planes = [Map("PCA", plane, trust(distances(latents), plane)), Map("UMAP", plane, np.nan)]
    check(maps.latent_planes(planes, given.labelled, states, 17))


def test_cluster_words_follow_the_data():
    """The same figure says 'misplaced' only of somebody who is."""
    points = np.repeat([[0.0, 0], [9, 9]], 20, 0) + np.random.default_rng(0).normal(size=(40, 2))
    key = np.repeat([17.0, 2.0], 20)
    group = clusters.clustering(points, key < 9, key, np.arange(40))
    plate = check(cluster_figures.clusters(group, points, "count", "people"))
    assert "the 0 persons" in plate.caption and "0 % of the persons" in plate.alt and "1.00" in plate.alt
    key[:2] = 2
    group = clusters.clustering(points, np.repeat([0, 1], 20), key, np.arange(40))
    assert "the 2 persons" in check(cluster_figures.clusters(group, points, "count", "people")).caption


def test_markers_of_the_map_do_not_overlap():
    plane = np.random.default_rng(0).random((400, 2))
    kept = plane[maps.thinned(plane, 0.1, 0.05)]
    gap = np.abs(kept[:, None] - kept)
    apart = (gap[..., 0] >= 0.1) | (gap[..., 1] >= 0.05)
    assert (apart | np.eye(len(kept), dtype=bool)).all() and len(kept) > 30


def test_ink_is_where_the_keypoint_is():
    given = split(1)
    given.keypoints[0, 1:] = 0
    given.keypoints[0, 0] = (40, 20, 2)
    picture = portraits(given)
    image = picture.ink(picture.maps(0))
    y, x = np.unravel_index(image.sum(2).argmin(), image.shape[:2])
    assert (x, y) == (40 * 16 // SIDE, 20 * 16 // SIDE) and image[0, 0].min() == 1
    assert picture.bones(0).shape == (0, 2, 2)


def test_known_postures_are_shown_as_such():
    given = persons(scattered(12), posture="sitting", motion="stationary")
    states = posture.postures(given, COCO)
    assert maps.kinds(states)["sitting"].all() and not maps.kinds(states)["unknown"].any()


# Chapter 05


@pytest.mark.parametrize("schema", [COCO, FOURTEEN], ids=["17", "14"])
def test_comparison(schema):
    """Columns by hand: every hidden keypoint is found, no visible one; 14 keypoints know no v = 1."""
    visibility = np.full((10, len(schema)), 2.0)
    if schema is COCO:
        visibility[:, :4] = 1
    measured = discussion.Measured.of(visibility == 1, visibility, np.arange(10), schema)
    assert measured.values["v = 2"].value == 0
    assert measured.values["v = 1"].text(3) == ("1.000" if schema is COCO else "–")
    table = discussion.comparison({"hourglass": measured, "modified hourglass": measured}, 10, "data")
    assert table.name == "tbl-comparison" and "nan" not in table.markdown()
    for source in ("0.72", "0.81", "0.83", "≈ 0.65", "0.441", "0.474", "0.469", "0.576", "0.32", "0.38"):
        assert source in table.markdown()


def test_gain_is_paired():
    hits = np.zeros((8, 17), bool)
    better = hits.copy()
    better[:, 0] = True
    gain = discussion.gain(hits, better, np.full((8, 17), 2.0), np.arange(8))
    assert gain.value == pytest.approx(1 / 17) and not gain.bounded


@pytest.mark.parametrize("n", [0, 1, 60])
def test_explained_variance(n):
    wide, _, _ = planted(max(n, 2), deviations=(5, 4, 3, 2))
    narrow = planted(max(n, 2), d=5, deviations=(5,))[0]
    a, b = components.principal(wide[:n]), components.principal(narrow[:n])
    plate = check(discussion.explained_variance(a, b, "persons"))
    assert "541" in plate.caption and ("fewer than" in plate.alt) == (n == 60)
    if n == 60:
        assert "more than" in check(discussion.explained_variance(b, a, "persons")).alt


def test_reach_names_profile_and_data():
    for name in ("smoke", "tiny", "paper"):
        words = discussion.reach(Profile(name), "coco-mini", 1234)
        assert f"`{name}`" in words and "`coco-mini`" in words and "1,234" in words
