"""From runs to columns to evidence: planted structure is found, what isn't trained is asked for, nothing is trained."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from test_claims import CASES, TINY
from test_explain import COCO, persons

from hgnb import records
from hgnb.data.heatmaps import heatmaps
from hgnb.explain import clusters, components, posture, skips
from hgnb.explain.claims import collect, evidence, observe
from hgnb.explain.claims.catalogue import CLAIMS
from hgnb.explain.claims.estimate import UNKNOWN
from hgnb.explain.claims.ledger import judge
from hgnb.explain.claims.seen import People, Seen, seen
from hgnb.explain.claims.study import Study
from hgnb.explain.distances import distances
from hgnb.records import Seed
from hgnb.training import forks
from hgnb.training.fit import Untrained, finished_only
from hgnb.training.runs import runs_folder


def people(keypoints, images=None) -> People:
    """Persons as a record keeps them, in every split the same."""
    split = persons(keypoints, images)
    one = {
        "ids": split.person_ids, "images": split.image_ids, "squares": split.squares,
        "points": np.rint(split.keypoints[..., :2] * observe.FINE).astype(np.int16),
        "visibility": split.visibility.astype(np.uint8), "posture": split.posture, "motion": split.motion,
        "mean_pose_hits": np.zeros(split.visibility.shape, bool),
    }  # fmt: skip
    columns = {f"{name}/{key}": value for name in ("train", "val", "test") for key, value in one.items()}
    columns |= {"schema/names": np.array(COCO.names), "schema/skeleton": np.array(COCO.skeleton)}
    return People(columns | {"counts/names": np.array(["images"]), "counts/values": np.array([len(keypoints)])})


def showing(who: People, number=0, **trainings) -> Seen:
    """A seed whose trainings have these columns."""
    columns = {f"{name.replace('_', '-')}/{key}": c for name, made in trainings.items() for key, c in made.items()}
    facts = {"run": "a run", "resamples": 20}
    about = {"trainings": {name.replace("_", "-"): facts | {"run": name} for name in trainings}}
    return Seen(who, Seed(number, about, columns))


def everywhere(n, visibility=2.0):
    """(n, 17, 3) keypoints at random places of the crop."""
    rng = np.random.default_rng(9)
    return np.concatenate([rng.uniform(2, 60, (n, 17, 2)), np.full((n, 17, 1), visibility)], 2)


# Clusters


def blobs(apart, n=120, width=6, seed=0):
    """(n, width): a Gaussian cloud, its halves moved `apart` along the first axis."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n, width))
    points[: n // 2, 0] += apart
    return points.astype(np.float32)


@pytest.fixture
def small():
    """Stands for a study where only its settings are asked for."""
    return SimpleNamespace(seed=0, analysis=SimpleNamespace(clusters=(2, 3, 4), restarts=2, resamples=20))


def clustered(points, study) -> Seen:
    """A seed whose sample and fully labelled persons have these latents."""
    apart, parts = distances(points), components.principal(points)
    found = clusters.sweep(points, study.analysis.clusters, 2, 0)
    rows = np.arange(len(points))
    study = SimpleNamespace(
        seed=study.seed, analysis=study.analysis, latents=points, latents_full=points, apart=apart, apart_full=apart,
        sweep=found, sweep_full=found, plane=parts, parts=parts, sample=rows, full=SimpleNamespace(positions=rows),
        train=SimpleNamespace(image_ids=rows),
    )  # fmt: skip
    columns = observe.clustered(study) | {"sample": rows, "full": rows}
    return showing(people(everywhere(len(points))), hourglass=columns)


def test_two_clouds_are_told_from_one(small):
    for apart, clear in ((12, True), (0, False)):
        record = evidence.best_k(clustered(blobs(apart), small), "sample")
        assert (record["excess"].low > 0) == clear
        assert record["resamples"] == 20
        if clear:
            assert (record["best"], record["won"]) == (2, 1.0)
    assert "too few" in evidence.best_k(clustered(blobs(0, n=2), small), "full")["lacking"]


def test_the_nearest_of_each_cluster_are_found_from_their_distances(small):
    points = blobs(12)
    made = clustered(points, small)
    with_points = clusters.Clustering(points, made.by_labels.labels, np.zeros(120), np.arange(120))
    assert [list(rows) for rows in made.nearest(5)] == [list(rows) for rows in with_points.nearest(5)]


def test_parted_by_what_was_planted():
    points, images = blobs(12), np.repeat(np.arange(60), 2)
    labels = clusters.sweep(points, (2,), 2, 0).of(2)
    key = np.r_[np.full(60, 15.0), np.full(60, 4.0)] + np.arange(120) % 3
    record = evidence.parted(clusters.clustering(points, labels, key, images), seed=0)
    assert record["auc"].low == 1 and record["misplaced"].value == 0
    noise = evidence.parted(clusters.clustering(points, labels, key[::-1].copy()[np.arange(120) * 7 % 120], images), 0)
    assert noise["auc"].low < 0.7


def placed(labelled, flags, found, keypoints=17):
    """These persons, each on a photograph of their own: who is misplaced, what is found."""
    n, joints = len(labelled), np.arange(keypoints)
    points = everywhere(n)
    points[..., 2] = 2 * (joints < labelled[:, None])
    made = showing(people(points), hourglass={"train_hits": joints < found[:, None], "sample": np.arange(n)})
    wrong = clusters.Misplaced(flags, np.ones(n, bool), (0, 0), np.arange(n))
    vars(made)["by_labels"] = SimpleNamespace(misplaced=wrong)
    return made


def test_being_sparse_alone_is_no_worse():
    """Everybody finds a half, but the misplaced have fewer labels: no gap. A planted loss is found."""
    rng = np.random.default_rng(0)
    flags = rng.random(3000) < 0.3
    labelled = rng.integers(2, 18, 3000) // np.where(flags, 2, 1)
    labelled = np.maximum(labelled, 1)
    fair, worse = rng.binomial(labelled, 0.5), rng.binomial(labelled, np.where(flags, 0.3, 0.5))
    none = evidence.equal_labels_gap(placed(labelled, flags, fair))
    assert none.low < 0 < none.high
    planted = evidence.equal_labels_gap(placed(labelled, flags, worse))
    assert planted.value == pytest.approx(0.2, abs=0.03) and planted.low > 0.1
    assert not evidence.equal_labels_gap(placed(labelled, np.zeros(3000, bool), fair)).known


def test_adjusted_rand_is_scikit_learns():
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = rng.integers(0, 2, (2, 40))
        table = [((a == i) & (b == j)).sum() for i in (0, 1) for j in (0, 1)]
        if 0 < a.sum() < 40 and 0 < b.sum() < 40:
            assert evidence.adjusted_rand(*map(float, table)) == pytest.approx(adjusted_rand_score(a, b))


def test_the_third_cluster_against_motion():
    """K = 3 divides cluster 1: once by motion, once by a coin."""
    pair = np.repeat([0, 1], 200)
    coin = np.random.default_rng(0).integers(0, 2, 400)
    images = np.arange(400) // 2
    triple = np.where(pair == 0, 2, coin)
    by_motion = evidence.divided(pair, triple, coin.astype(float), images, 0)
    assert by_motion["rand"].value == 1 and abs(by_motion["auc"].value) == 0.5
    other = np.random.default_rng(1).integers(0, 2, 400).astype(float)
    by_chance = evidence.divided(pair, triple, other, images, 0)
    assert abs(by_chance["rand"].value) < 0.05 and by_chance["rand"].high < 0.2
    assert evidence.divided(pair, triple, np.full(400, np.nan), images, 0)["rand"] is UNKNOWN


# Components


def test_traits_are_what_was_planted():
    """A component made of the motion score tells it, and the others stay within chance."""
    rng = np.random.default_rng(0)
    keypoints = np.concatenate([rng.uniform(2, 60, (300, 17, 2)), np.full((300, 17, 1), 2.0)], 2)
    who, motion = people(keypoints), posture.motion_score(keypoints, COCO)
    scores = rng.standard_normal((300, len(observe.WATCHED)))
    scores[:, 1] = stats.zscore(motion)
    columns = {"components/full/scores": scores.astype(np.float32), "full": np.arange(300)}
    found = evidence.told(showing(who, hourglass=columns))
    assert abs(found["PC 2, motion (correlation)"].value) > 0.95
    assert abs(found["PC 30, motion (correlation)"].value) < 0.3
    assert not found["PC 2, labelled (correlation)"].known, "all have as many"
    assert {name.split(",")[0] for name in found} == {"PC 2", "PC 3", "PC 10", "PC 30"}


def test_two_components_hold_what_pca_says():
    points = blobs(12)
    parts = components.principal(points)
    columns = {
        "components/sample/scores": parts.scores(2).astype(np.float32), "sample": np.arange(120),
        "components/sample/squares": ((points - parts.mean) ** 2).sum(1).astype(np.float32),
    }  # fmt: skip
    told = evidence.two(showing(people(everywhere(120)), hourglass=columns))
    assert told.value == pytest.approx(PCA(2).fit(points).explained_variance_ratio_.sum(), rel=1e-5)
    assert told.low < told.value < told.high


def test_components_needed_are_counted_from_variances():
    variance = np.array([6.0, 3.0, 1.0])
    assert [components.needed(variance, share) for share in (0.6, 0.61, 0.9, 1.0)] == [1, 2, 2, 3]
    assert components.needed(np.zeros(3), 0.9) == components.needed(np.zeros(0), 0.9) == 0


def test_median_of_a_few():
    told = evidence.median(np.array([2, 2, 3, 17, 2]), np.arange(5), 0)
    assert (told.value, told.low) == (2, 2) and told.high <= 17


# Skips and losses


def test_ratio_and_rise_by_hand():
    on, off = np.array([[1, 1, 1, 0]], bool), np.array([[1, 0, 0, 0]], bool)
    visibility = np.array([[2, 1, 0, 2]])
    assert evidence.ratio(on, off, visibility, np.zeros(1)).value == 0.5  # the third isn't labelled
    assert evidence.ratio(~on, off, np.array([[2, 2, 2, 0]]), np.zeros(1)) is UNKNOWN
    assert evidence.rise(np.array([3.0, 4.0]), np.array([2.0, 3.0]), np.arange(2)).value == pytest.approx(7 / 5 - 1)


# Runs


@pytest.fixture(scope="module")
def gathered(trained):
    """The study of a home with a finished hourglass and nothing else, its record and the evidence of its seed."""
    experiment, _ = trained
    study = Study(experiment, collect.finished(experiment))
    record = collect.live(experiment, own=study)
    return study, record, collect.gathered(seen(record)[0], record)


def test_only_what_is_finished_is_read(gathered):
    study, _, found = gathered
    assert list(study.runs) == ["hourglass"]
    assert len(list(runs_folder().iterdir())) == 1, "asking leaves no folder"
    assert "hgnb train autoencoder" in found["C18"]["needs"]
    assert "hgnb train modified" in found["C19"]["needs"] and "make claims" in found["C28"]["needs"]
    assert "make claims" in found["C3"]["needs"] and "make claims" in found["C34"]["needs"]


def test_every_claim_has_evidence_as_its_rule_reads_it(gathered):
    """The names that a rule reads are those that columns give."""
    *_, found = gathered
    assert set(found) == set(CASES)
    assert sum("needs" not in r for r in found.values()) >= 15
    for name, record in found.items():
        if "needs" not in record and not record.get("lacking"):
            assert set(CASES[name][0][0]) <= set(record), name


def test_groups_cover_each_claim_once():
    claims = [name for group in evidence.GROUPS for name in group.claims]
    assert sorted(claims) == sorted(name for name in CASES if name.startswith("C"))


def test_scores_are_the_readers_and_torchs(gathered):
    study, record, _ = gathered
    made, config = study.scores("hourglass"), study.experiment.profile
    reader, split = study.experiment.reader(study.runs["hourglass"]), study.test
    assert (made.hits == reader.predict(split).hits(config.pck).numpy()).all()
    assert (made.hits == seen(record)[0].hits("hourglass")).all()
    points, flags = (torch.from_numpy(split.keypoints[..., part]) for part in (slice(2), 2))
    maps = torch.from_numpy(reader.heatmaps(split))
    truth = heatmaps(points, flags, side=config.data.side, size=maps.shape[-1], config=config.heatmaps)
    assert made.loss.mean() == pytest.approx(float(F.mse_loss(maps, truth)), rel=1e-4)


def test_a_records_persons_are_those_of_the_data(gathered):
    study, record, _ = gathered
    who = People(record.persons)
    for name in ("train", "val", "test"):
        there, here = study.prepared.split(name), who.split(name)
        assert np.abs(here.keypoints - there.keypoints).max() <= 0.5 / observe.FINE
        for part in ("person_ids", "image_ids", "squares", "visibility", "labelled"):
            assert (getattr(here, part) == getattr(there, part)).all()
    assert who.schema == study.prepared.schema


def test_evidence_is_gathered_once(gathered, monkeypatch):
    study, before, _ = gathered
    monkeypatch.setattr(Study, "scores", lambda *given, **named: pytest.fail("computed again"))
    again = collect.live(study.experiment, lambda words: pytest.fail(words))
    assert collect.judged(again).rows == collect.judged(before).rows


def test_a_ledger_is_the_same_from_the_record_as_from_the_runs(gathered):
    """`hgnb claims --keep` and then `--recorded`, with nothing of the runs left to look at."""
    study, fresh, _ = gathered
    where = collect.keep(study.experiment).parent
    recorded = records.read(where)
    assert collect.judged(recorded).rows == collect.judged(fresh).rows
    assert collect.keep(study.experiment).parent == where, "again, and nothing changes"
    assert records.read(where).title == recorded.title


def test_a_ledger_without_runs_trains_nothing(trained):
    experiment, _ = trained
    other = replace(experiment, seed=7)
    before = sorted(runs_folder().iterdir())
    record = collect.live(other)
    made = collect.judged(record)
    assert sorted(runs_folder().iterdir()) == before
    assert made.seeds == [0], "the seed that is there is listed, the asked one isn't"
    rows = {row["id"]: row for row in made.rows}
    assert rows["C7"]["verdict"] == "needs" and "hgnb train hourglass" in rows["C7"]["reason"]
    asked = collect.remedies(other, record)
    assert any("hgnb train modified --profile smoke" in line and "--seed 7" in line for line in asked)
    json.dumps(made.facts(), allow_nan=False)


def test_finished_only_raises_and_ends(trained):
    experiment, run = trained
    with finished_only():
        assert experiment.hourglass().id == run.id
        with pytest.raises(Untrained, match="autoencoder"):
            experiment.autoencoder()
    assert not any(f.name.startswith("autoencoder") for f in runs_folder().iterdir())


def test_forks_differ_in_the_rate_alone(trained, monkeypatch):
    experiment, run = trained
    asked = []
    monkeypatch.setattr(type(experiment), "further", lambda self, *given, **named: asked.append((given, named)))
    (run.folder / "drop.ckpt").write_bytes(b"")
    try:
        for name in forks.NAMES:
            forks.fork(experiment, name)
    finally:
        (run.folder / "drop.ckpt").unlink()
    (dropped, where), (kept, there) = asked
    assert where == there == {"checkpoint": "drop"}
    factor = experiment.profile.training.drop_factor
    assert dropped[2].rate * factor == pytest.approx(kept[2].rate)
    assert replace(dropped[2], rate=0.0) == replace(kept[2], rate=0.0)
    assert kept[2].epochs == 3 and kept[2].keep_optimiser and not kept[2].keep_rate


# What the thesis left to others


def planted(seed, chances):
    """300 persons, two on each photograph and most keypoints visible, and networks with a chance for each keypoint."""
    rng, shape = np.random.default_rng(seed), (300, 17)
    keypoints = np.concatenate([np.full((*shape, 2), 20.0), rng.choice([1.0, 2.0], (*shape, 1), p=[0.3, 0.7])], 2)
    hard = rng.random(shape)  # the same keypoints are hard for each network
    hits = {name: hard < np.broadcast_to(chance, shape) for name, chance in chances.items()}
    who = people(keypoints, np.arange(300) // 2)
    sides = {name: {"train_hits": found, "test_hits": found} for name, found in hits.items()}
    sides["hourglass"] = sides.get("hourglass", {}) | {"off/train_hits": np.ones(shape, bool)}
    return showing(who, seed, **sides)


def retrained_with(small, big):
    """A network without skips that finds small and big joints with these chances, beside one that finds most."""
    chance = np.full(17, (small + big) / 2)
    chance[list(COCO.index(*skips.SMALL))], chance[list(COCO.index(*skips.BIG))] = small, big
    return {"hourglass": 0.9, "without-skips": chance}


STACKS = ("two-modified", "two-modified-25", "four-plain")


@pytest.mark.parametrize(
    ("claim", "gather", "chances", "verdict"),
    [
        ("C31", evidence.retrained, retrained_with(0.1, 0.4), "holds"),
        ("C31", evidence.retrained, retrained_with(0.8, 0.85), "fails"),  # hardly anything is lost
        ("C31", evidence.retrained, retrained_with(0.3, 0.1), "fails"),  # the big joints lose more
        ("C31", evidence.retrained, retrained_with(0.25, 0.25), "undecided"),
        ("C32", evidence.visible_only, {"hourglass": 0.5, "visible-only": 0.6}, "holds"),
        ("C32", evidence.visible_only, {"hourglass": 0.6, "visible-only": 0.5}, "fails"),
        ("C34", evidence.stacked, dict(zip(STACKS, (0.6, 0.6, 0.5), strict=True)), "holds"),
        ("C34", evidence.stacked, dict(zip(STACKS, (0.4, 0.4, 0.5), strict=True)), "fails"),
        ("C34", evidence.stacked, dict(zip(STACKS, (0.6, 0.5, 0.6), strict=True)), "fails"),  # 25 units are too few
        ("C34", evidence.stacked, dict(zip(STACKS, (0.48, 0.48, 0.5), strict=True)), "undecided"),
    ],
)
def test_networks_trained_for_later_claims_are_judged(claim, gather, chances, verdict):
    """Five seeds of made-up networks, from their hits to the verdict."""
    rows = judge([gather(planted(seed, chances)) for seed in range(5)], TINY, [c for c in CLAIMS if c.id == claim])
    assert [row.verdict for row in rows] == [verdict] and rows[0].seeds == 5


def test_evidence_about_retrained_networks_by_hand():
    made = planted(0, retrained_with(0.1, 0.4))
    seen_ = made.train.visibility > 0
    found, other = made.hits("hourglass", "train"), made.hits("without-skips", "train")
    record = evidence.retrained(made)["C31"]
    assert record["ratio"].value == pytest.approx((other & seen_).sum() / (found & seen_).sum())
    counted = found & (made.train.visibility == 2)
    share = [(other & counted)[:, list(COCO.index(*n))].sum() / counted[:, list(COCO.index(*n))].sum()
             for n in (skips.SMALL, skips.BIG)]  # fmt: skip
    assert record["gap"].value == pytest.approx(share[0] - share[1])
    made = planted(1, {"hourglass": 0.5, "visible-only": 0.6})
    sure = made.test.visibility == 2
    assert not evidence.visible_only(made)["C32"]["lacking"]
    gain = ((made.hits("visible-only") & sure).sum() - (made.hits("hourglass") & sure).sum()) / sure.sum()
    assert evidence.visible_only(made)["C32"]["gain"].value == pytest.approx(gain)
    made.people.columns["train/visibility"][:] = 2
    alike = Seen(People(made.people.columns), made.seed)
    (row,) = judge([evidence.visible_only(alike)], TINY, [c for c in CLAIMS if c.id == "C32"])
    assert row.verdict == "needs" and "no hidden keypoint" in row.reason, "both trainings are one"
