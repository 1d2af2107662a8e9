"""From columns to verdicts: planted structure is found, what isn't trained is asked for, nothing is trained."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats as scipy_stats
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from test_claims import CASES
from test_explain import COCO, persons

from figures.glance import five
from hgnb import records
from hgnb.analysis import clusters, components, misplaced, posture, skips
from hgnb.analysis.distances import distances
from hgnb.claims import claim, collect, observe, on_clusters, on_components, on_improvement, on_skips, on_training
from hgnb.claims.claim import Lacking
from hgnb.claims.evidence import People, Seeds, Seen
from hgnb.claims.ledger import CLAIMS, judge
from hgnb.claims.on_lighter import Recorded
from hgnb.claims.study import Study
from hgnb.data.heatmaps import heatmaps
from hgnb.metrics import pck
from hgnb.records import Seed
from hgnb.training.runs import runs_folder

BY_ID = {claim.id: claim for claim in CLAIMS}


def people(keypoints, images=None, posture=None) -> People:
    """Persons as a record keeps them, in every split the same."""
    split = persons(keypoints, images)
    one = {
        "ids": split.person_ids, "images": split.image_ids, "squares": split.squares,
        "points": np.rint(split.keypoints[..., :2] * observe.FINE).astype(np.int16),
        "visibility": split.visibility.astype(np.uint8), "motion": split.motion,
        "posture": split.posture if posture is None else posture,
        "mean_pose_hits": np.zeros(split.visibility.shape, bool),
    }  # fmt: skip
    columns = {f"{name}/{key}": value for name in ("train", "val", "test", "posed") for key, value in one.items()}
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


def together(*all_seen: Seen) -> Seeds:
    return Seeds(all_seen[0].people, all_seen)


def found(name, seeds: Seeds):
    """The verdict on a claim and its row, its gates aside."""
    claims = [replace(BY_ID[name], gates=())]
    (row,) = judge(seeds, Recorded(None), False, claims)
    return row


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


def clustered(points, study, number=0) -> Seen:
    """A seed whose sample and posed persons have these latents."""
    apart, parts = distances(points), components.principal(points)
    made = clusters.sweep(points, study.analysis.clusters, 2, 0)
    rows = np.arange(len(points))
    study = SimpleNamespace(
        seed=study.seed, analysis=study.analysis, latents=points, latents_posed=points, apart=apart, apart_posed=apart,
        sweep=made, sweep_posed=made, plane=parts, parts_posed=parts, sample=rows,
        train=SimpleNamespace(image_ids=rows), posed=SimpleNamespace(image_ids=rows),
    )  # fmt: skip
    columns = observe.clustered(study) | {"sample": rows}
    return showing(people(everywhere(len(points))), number, hourglass=columns)


def test_the_best_k_is_found_over_seeds(small):
    """Two clouds, in each seed drawn anew; and three, of which K = 2 is not the best division."""
    of_two = together(*(clustered(blobs(8, seed=s), small, s) for s in range(5)))
    row = found("C13", of_two)
    assert row.verdict == "holds" and "best K by seed: 2, 2, 2, 2, 2" in row.measured and row.seeds == 5
    three = []
    for s in range(5):
        points = blobs(0, seed=s)
        points[:40, 0] += 12
        points[40:80, 1] += 12
        three.append(clustered(points, small, s))
    row = found("C14", together(*three))
    assert row.verdict == "fails" and "3, 3, 3, 3, 3" in row.measured
    tiny_ = together(*(clustered(blobs(0, n=2), small, s) for s in range(5)))
    assert "too few" in found("C13", tiny_).reason


@pytest.mark.parametrize(("few", "opened"), [(29, False), (30, True)])
def test_a_handful_that_is_split_off_is_no_cluster(small, few, opened):
    points = blobs(0, seed=0)
    points[:few, 0] += 50
    seeds = together(*(clustered(points, small, s) for s in range(2)))
    for name, of in (("C13", "sample"), ("C14", claim.POSED)):
        told = on_clusters.two_of_size(of)(seeds)
        assert (told == "") == opened and ("the smaller has 29, 29" in told) != opened
        assert any("two_of_size" in gate.__qualname__ for gate in BY_ID[name].gates)


def test_the_nearest_of_each_cluster_are_found_from_their_distances(small):
    points = blobs(12)
    made = clustered(points, small)
    with_points = clusters.Clustering(points, made.labels("sample", 2), np.zeros(120), np.arange(120))
    assert [list(rows) for rows in made.nearest(5)] == [list(rows) for rows in with_points.nearest(5)]


def labelled_as(counts) -> People:
    """Persons with so many keypoints labelled, two on each photograph."""
    points = everywhere(len(counts))
    points[..., 2] = 2 * (np.arange(17) < np.array(counts)[:, None])
    return people(points, np.arange(len(counts)) // 2)


def samples(labels, who: People, codes=None, **more) -> Seeds:
    """Seeds with these two clusters (S, n) of all persons."""
    rows, made = np.arange(len(labels[0])), []
    for number, own in enumerate(labels):
        columns = {"sample": rows, "clusters/sample/k": np.array([2]),
                   "clusters/sample/labels": own[None].astype(np.uint8)}  # fmt: skip
        columns |= {key.replace("__", "/"): value[number] for key, value in more.items()}
        modified = {} if codes is None else {"codes/labels": codes[number].astype(np.uint8)}
        made.append(showing(who, number, hourglass=columns, modified=modified))
    return together(*made)


def test_parted_by_what_was_planted():
    """A fifth of the persons lie in the other cluster than their labels say; cluster numbers mean nothing."""
    rng = np.random.default_rng(0)
    counts = np.r_[rng.integers(12, 18, 200), rng.integers(2, 8, 200)]
    sparse = counts < 10
    labels = [(sparse ^ (rng.random(400) < 0.2)) ^ bool(number % 2) for number in range(5)]
    seeds = samples(labels, labelled_as(counts))
    told = on_clusters.parted(seeds, "sample")
    assert told["misplaced"].value == pytest.approx(0.2, abs=0.03) and told["misplaced"].bounded
    assert found("C15", seeds).verdict == "holds"
    by_chance = samples([rng.random(400) < 0.5 for _ in range(5)], labelled_as(counts))
    assert found("C15", by_chance).verdict == "fails"
    assert on_clusters.parted(by_chance, "sample")["misplaced"].value == pytest.approx(0.5, abs=0.06)


def test_misplaced_by_a_plain_loop():
    """The cut that other folds choose, person by person."""
    rng = np.random.default_rng(2)
    key, labels = rng.integers(1, 18, 60).astype(float), (rng.random((1, 60)) < 0.5).astype(float)
    fold = np.arange(60) % 5
    got = misplaced.wrong_side(key, labels, fold)[0]
    for person in range(60):
        other = fold != fold[person]
        upper = 1.0 if key[other & (labels[0] == 1)].mean() > key[other & (labels[0] == 0)].mean() else 0.0
        cut = misplaced.best_cut(key[other], labels[0][other] == upper)
        assert tuple(got[person]) == ((key[person] >= cut) != (labels[0][person] == upper), 1)


def test_codes_that_part_better_have_fewer_misplaced():
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 18, 600)
    noisy = [(counts < 9) ^ (rng.random(600) < 0.3) for _ in range(5)]
    better = [(counts < 9) ^ (rng.random(600) < 0.1) for _ in range(5)]
    who = labelled_as(counts)
    assert found("C24", samples(noisy, who, better)).verdict == "holds"
    assert found("C24", samples(better, who, noisy)).verdict == "fails"
    assert found("C24", samples(noisy, who, noisy)).verdict == "undecided"


def test_balance_is_the_smaller_clusters_share():
    rng = np.random.default_rng(1)
    few, half = ([rng.random(600) < share for _ in range(5)] for share in (0.2, 0.45))
    who = labelled_as(rng.integers(1, 18, 600))
    row = found("C35", samples(few, who, half))
    assert row.verdict == "holds" and row.estimate.value == pytest.approx(0.25, abs=0.03)
    assert found("C35", samples(half, who, [~few[0], *few[1:]])).verdict == "fails", (
        "which is called the first is alike"
    )


@pytest.mark.parametrize(
    ("moved", "left", "astray", "verdict"),
    [
        (0.6, 0.4, 0.4, "holds"),
        (0.4, 0.6, 0.2, "fails"),  # a move across does less harm than one by lot, and harm nevertheless
        (0.6, 0.4, 0.8, "fails"),
    ],
)
def test_moving_the_misplaced_must_beat_leaving_them_and_moving_by_lot(moved, left, astray, verdict):
    rng = np.random.default_rng(3)
    counts = rng.integers(1, 18, 600)
    labels = [(counts < 9) ^ (rng.random(600) < 0.3) for _ in range(5)]
    shares = {"moved__hits": moved, "train_hits": left, "astray__hits": astray}
    who = labelled_as(counts)
    shown = {name: rng.random((5, 600, 17)) < share for name, share in shares.items()}
    row = found("C29", samples(labels, who, **shown))
    assert row.verdict == verdict and row.estimate.value == pytest.approx(moved - left, abs=0.03)
    assert "moved/hits" in found("C29", samples(labels, who)).reason


def test_adjusted_rand_is_scikit_learns():
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = rng.integers(0, 2, (2, 40))
        table = [((a == i) & (b == j)).sum() for i in (0, 1) for j in (0, 1)]
        if 0 < a.sum() < 40 and 0 < b.sum() < 40:
            assert on_clusters.adjusted_rand(*map(float, table)) == pytest.approx(adjusted_rand_score(a, b))


def test_the_third_cluster_against_motion():
    """K = 3 divides cluster 1: once by motion, once by a coin."""
    rng, who = np.random.default_rng(0), people(everywhere(400), np.arange(400) // 2)
    moving = who.states.moving
    assert np.isfinite(moving).sum() > 200
    pair, made = np.repeat([0, 1], [100, 300]), {}
    for name, coin in (("motion", lambda: np.nan_to_num(moving)), ("chance", lambda: rng.integers(0, 2, 400))):
        columns = []
        for number in range(5):
            triple = np.where(pair == 0, 2, coin())
            held = {"sample": np.arange(400), "clusters/sample/k": np.array([2, 3]),
                    "clusters/sample/labels": np.stack([pair, triple]).astype(np.uint8)}  # fmt: skip
            columns.append(showing(who, number, hourglass=held))
        made[name] = on_clusters.third(together(*columns))
    assert made["motion"]["rand"].value > 0.95 and made["motion"]["auc"].value == pytest.approx(0.5)
    assert abs(made["chance"]["rand"].value) < 0.05 and abs(made["chance"]["auc"].value) < 0.1


# Components


def test_traits_are_what_was_planted():
    """A component made of the motion score tells it, in whatever direction, and the others stay within chance."""
    rng = np.random.default_rng(0)
    who = people(everywhere(300))
    motion = posture.motion_score(who.split("train").keypoints, COCO)
    all_seen = []
    for number in range(5):
        scores = rng.standard_normal((300, len(observe.WATCHED)))
        scores[:, 1] = (-1) ** number * scipy_stats.zscore(motion)
        columns = {"components/posed/scores": scores.astype(np.float32)}
        all_seen.append(showing(who, number, hourglass=columns))
    told = on_components.patterns(together(*all_seen))["traits"]
    assert told["PC 2, motion (correlation)"].value > 0.99
    assert abs(told["PC 30, motion (correlation)"].value) < 0.1
    assert "PC 2, labelled (correlation)" not in told, "all have as many"
    assert {name.split(",")[0] for name in told} == {"PC 2", "PC 3", "PC 10", "PC 30"}
    assert found("C10", together(*all_seen)).verdict == "fails"


def test_a_posture_component_is_found_whatever_its_sign():
    rng, who = np.random.default_rng(1), people(everywhere(400))
    sitting = who.states.sitting
    made = []
    for number in range(5):
        scores = rng.standard_normal((400, 6))
        scores[:, 0] = (-1) ** number * (np.nan_to_num(sitting) * 4 + rng.standard_normal(400))
        made.append(showing(who, number, hourglass={"components/posed/scores": scores}))
    auc = on_components.postures(together(*made))["auc"]
    truth = scipy_stats.norm.cdf(4 / np.sqrt(2))
    assert auc.value == pytest.approx(truth, abs=0.02) and auc.seeds == 5


def test_two_components_hold_what_pca_says():
    """Each seed its own sample of the persons."""
    points, made, wanted = blobs(12), [], []
    for number in range(5):
        rows = np.sort(np.random.default_rng(number).permutation(120)[:80])
        parts = components.principal(points[rows])
        columns = {
            "components/sample/scores": parts.scores(2).astype(np.float32), "sample": rows,
            "components/sample/squares": ((points[rows] - parts.mean) ** 2).sum(1).astype(np.float32),
        }  # fmt: skip
        made.append(showing(people(everywhere(120)), number, hourglass=columns))
        wanted.append(PCA(2).fit(points[rows]).explained_variance_ratio_.sum())
    told = on_components.plane(together(*made))["share"]
    assert told.value == pytest.approx(np.mean(wanted), rel=1e-2)
    assert told.low < told.value < told.high


def test_components_needed_are_counted_from_variances():
    variance = np.array([6.0, 3.0, 1.0])
    assert [components.needed(variance, share) for share in (0.6, 0.61, 0.9, 1.0)] == [1, 2, 2, 3]
    assert components.needed(np.zeros(3), 0.9) == components.needed(np.zeros(0), 0.9) == 0


# The course of a training


def courses(rise, seeds=5, n=200, epochs=50):
    """Losses of every validation person: they fall to epoch 30 and rise by a share until the last; noise by person."""
    made = []
    for number in range(seeds):
        rng = np.random.default_rng(number)
        fall = np.r_[np.linspace(2, 1, 30), np.linspace(1, 1 + rise, epochs - 30)]
        losses = fall[:, None] * rng.uniform(0.5, 1.5, n) + 0.05 * rng.standard_normal((epochs, n))
        curve = losses.mean(1)
        columns = {
            "validation/loss": losses,
            "epochs/val_loss": curve,
            "epochs/train_loss": np.linspace(2, 0.5, epochs),
        }
        made.append(showing(people(everywhere(n)), number, hourglass=columns))
    return together(*made)


def test_a_planted_rise_is_found_and_none_is_not():
    row = found("C2", courses(0.1))
    assert row.verdict == "holds" and row.estimate.value == pytest.approx(0.1, abs=0.02)
    none = on_training.course(courses(0.0))["rise"]
    assert abs(none.value) < 0.01 and none.low < 0.005, "the best epoch isn't the best for being chosen"
    assert found("C2", courses(-0.2)).verdict == "fails", "the loss falls to the end"


def test_a_short_training_is_no_judge_of_fifty_epochs():
    shut = claim.long_enough(50)
    assert shut(courses(0.1)) == ""
    short = courses(0.1, epochs=40)
    assert shut(short) == "", "it has come to its end"
    fell = [replace_column(one, "hourglass/epochs/val_loss", np.linspace(2, 1, 40)) for one in short.all]
    assert "50 epochs" in shut(together(*fell)) and "has 40" in shut(together(*fell))
    for name in ("C2", "C3", "C4"):
        assert any("50 epochs" in gate(together(*fell)) for gate in BY_ID[name].gates[1:]), name


def replace_column(one: Seen, name, value) -> Seen:
    return Seen(one.people, replace(one.seed, columns=dict(one.seed.columns) | {name: value}))


# Gates


def test_a_network_that_knows_nothing_is_no_judge():
    for share, floor, opened in ((0.5, 0.1, True), (0.2, 0.05, False), (0.4, 0.3, False)):
        seeds = together(*(planted(s, {"hourglass": share}, floor) for s in range(5)))
        assert (claim.competent(seeds) == "") == opened
        if not opened:
            assert "a network that knows something" in claim.competent(seeds)
            (row,) = judge(seeds, Recorded(None), False, [BY_ID["C7"]])
            assert row.verdict == "needs" and row.measured != "–"


def test_few_well_labelled_persons_are_asked_for_more():
    gate = claim.well_labelled
    seeds = together(showing(people(everywhere(999))))
    assert "1,000 fully labelled persons, or 200 whose postures were seen by eye; here 999 and 0" in gate(seeds)
    assert gate(together(showing(people(everywhere(1000))))) == ""
    hidden = together(showing(people(everywhere(1000, 0.0))))
    assert "here 0 and 0" in gate(hidden), "the most labelled aren't fully labelled"
    standing = everywhere(200)
    standing[:, 0, 2] = 0
    for many, opened in ((199, False), (200, True)):
        seen = people(standing, posture=np.where(np.arange(200) < many, "standing", ""))
        assert (gate(together(showing(seen))) == "") == opened


def test_postures_must_be_labels():
    seeds = together(showing(people(everywhere(5))))
    assert "labelled, by eye or as drawn" in claim.named_postures(seeds)


def test_few_seeds_are_asked_for_more():
    seeds = together(*(planted(s, {"hourglass": 0.5, "visible-only": 0.6}) for s in range(4)))
    row = found("C32", seeds)
    assert row.verdict == "needs" and row.reason == "5 seeds, 4 are there: `make claims SEEDS=5`" and row.seeds == 4
    one = together(planted(0, {"hourglass": 0.5, "visible-only": 0.6}))
    assert "1 is there" in found("C32", one).reason


def test_a_column_that_a_seed_lacks_is_named():
    seeds = together(*(planted(s, {"hourglass": 0.5}) for s in range(5)))
    assert "`hourglass/validation/loss` of every seed" in found("C2", seeds).reason
    assert "`hourglass/clusters/sample/k` of seed 0" in found("C30", seeds).reason
    with pytest.raises(Lacking):
        seeds.column("hourglass", "no such column")
    with pytest.raises(Lacking, match="the persons `other/points`"):
        seeds.persons("other")


# Networks trained for later claims


def planted(seed, chances, floor=0.1):
    """300 persons, two on each photograph and most keypoints visible, and networks with a chance for each keypoint."""
    shape, lot = (300, 17), np.random.default_rng(99)  # persons are the same in every seed
    keypoints = np.concatenate([np.full((*shape, 2), 20.0), lot.choice([1.0, 2.0], (*shape, 1), p=[0.3, 0.7])], 2)
    who = people(keypoints, np.arange(300) // 2)
    for split in ("train", "val", "test"):
        who.columns[f"{split}/mean_pose_hits"] = lot.random(shape) < floor
    rng = np.random.default_rng(seed)
    hard = rng.random(shape)  # the same keypoints are hard for each network
    hits = {name: hard < np.broadcast_to(chance, shape) for name, chance in chances.items()}
    sides = {name: {f"{split}_hits": found for split in ("train", "val", "test")} for name, found in hits.items()}
    sides.get("hourglass", {})["off/train_hits"] = hits.get("off", rng.random(shape) < 0.12)
    return showing(who, seed, **{name: side for name, side in sides.items() if name != "off"})


def shares(small, big, rest):
    """(17,) chances of small joints, big ones and others."""
    chance = np.full(17, rest)
    chance[list(COCO.index(*skips.SMALL))], chance[list(COCO.index(*skips.BIG))] = small, big
    return chance


WITH = {"hourglass": 0.9}
STACKS = ("two-modified", "two-modified-25", "four-plain", "two-plain")


def stacks(two, narrow, four, plain):
    return {"hourglass": 0.5} | dict(zip(STACKS, (two, narrow, four, plain), strict=True))


@pytest.mark.parametrize(
    ("claim", "chances", "verdict"),
    [
        ("C7", WITH | {"off": 0.2}, "holds"),
        ("C7", WITH | {"off": 0.7}, "fails"),
        ("C7", WITH | {"off": 0.5}, "undecided"),  # half of what is above the floor of 0.1
        ("C8", WITH | {"off": shares(0.1, 0.5, 0.3)}, "holds"),
        ("C8", WITH | {"off": shares(0.5, 0.1, 0.3)}, "fails"),
        ("C31", WITH | {"without-skips": shares(0.1, 0.4, 0.25)}, "holds"),
        ("C31", WITH | {"without-skips": shares(0.8, 0.85, 0.82)}, "fails"),  # hardly anything is lost
        ("C31", WITH | {"without-skips": shares(0.3, 0.1, 0.2)}, "fails"),  # the big joints lose more
        ("C32", {"hourglass": 0.5, "visible-only": 0.6}, "holds"),
        ("C34", stacks(0.6, 0.61, 0.5, 0.4), "holds"),
        ("C34", stacks(0.6, 0.6, 0.5, 0.4), "undecided"),  # not one keypoint differs: no network is that alike
        ("C34", stacks(0.6, 0.5, 0.6, 0.4), "fails"),  # 25 units are too few
        ("C34", stacks(0.48, 0.48, 0.5, 0.4), "undecided"),
        ("C34", stacks(0.6, 0.6, 0.5, 0.5), "needs"),  # four plain stacks don't beat two
        ("C36", stacks(0.5, 0.5, 0.7, 0.6) | {"control-longer": 0.5}, "holds"),
        ("C36", stacks(0.5, 0.5, 0.5, 0.6) | {"control-longer": 0.5}, "fails"),
    ],
)
def test_networks_are_judged_from_their_hits(claim, chances, verdict):
    """Five seeds of made-up networks, from hits to the verdict, gates and all."""
    seeds = together(*(planted(seed, chances) for seed in range(5)))
    (row,) = judge(seeds, Recorded(None), False, [BY_ID[claim]])
    assert row.verdict == verdict, row
    if verdict != "needs":
        assert row.seeds == 5 and row.estimate.over == "seeds and photographs"


def test_a_gap_between_joints_is_taken_against_another_seeds():
    """What two trainings with skips don't share is no finding about skips."""
    seeds = together(*(planted(s, {"hourglass": shares(0.7, 0.9, 0.8), "without-skips": shares(0.7, 0.9, 0.8)})
                       for s in range(5)))  # fmt: skip
    told = on_skips.retrained(seeds)
    assert told["control"].value == pytest.approx(-0.2, abs=0.05), "found again by chance: small joints less often"
    assert abs(told["gap"].value) > 0.1, "the same seed's network shares its hard keypoints"


def test_where_nothing_is_hidden_both_trainings_are_one():
    seeds = together(*(planted(s, {"hourglass": 0.5, "visible-only": 0.6}) for s in range(5)))
    sure = seeds.persons().visibility == 2
    a, b = (seeds.hits(name) & sure for name in ("visible-only", "hourglass"))
    assert on_improvement.visible_alone(seeds)["gain"].value == pytest.approx((a.sum() - b.sum()) / (5 * sure.sum()))
    seeds.people.columns["train/visibility"][:] = 2
    alike = Seeds(People(seeds.people.columns), tuple(Seen(People(seeds.people.columns), s.seed) for s in seeds.all))
    assert "no hidden keypoint" in found("C32", alike).reason


# Runs


@pytest.fixture(scope="module")
def gathered(trained):
    """The study of a home with a finished hourglass and nothing else, its record and its ledger by claim."""
    experiment, _ = trained
    study = Study(experiment, collect.finished(experiment))
    record = collect.live(experiment, own=study)
    return study, record, {row["id"]: row for row in collect.judged(record).rows}


def test_only_what_is_finished_is_read(gathered):
    study, _, found = gathered
    assert list(study.runs) == ["hourglass"]
    assert len(list(runs_folder().iterdir())) == 1, "asking leaves no folder"
    assert "hgnb train autoencoder" in found["C18"]["reason"] and found["C18"]["verdict"] == "needs"
    assert "hgnb train modified" in found["C19"]["reason"] and "make claims" in found["C28"]["reason"]
    assert "make claims" in found["C3"]["reason"] and "make claims" in found["C34"]["reason"]


def test_every_claim_has_numbers_as_its_rule_reads_them(gathered):
    """The names that a rule reads are those that columns give."""
    _, record, found = gathered
    seeds, read = Seeds.of(record), 0
    assert set(found) == set(CASES)
    for name, one in BY_ID.items():
        if one.family == "lighter" or not seeds.with_(*one.trainings).count:
            continue
        try:
            numbers = one.gather(seeds.with_(*one.trainings))
        except Lacking:
            continue
        read += 1
        assert set(next(n for n in CASES[name] if n)) <= set(numbers), name
    assert read >= 10


def test_scores_are_the_readers_and_torchs(gathered):
    study, record, _ = gathered
    made, config = study.scores("hourglass"), study.experiment.profile
    reader, split = study.experiment.reader(study.runs["hourglass"]), study.test
    assert (made.hits == reader.predict(split).hits(config.pck).numpy()).all()
    assert (made.hits == Seeds.of(record).hits("hourglass")[0]).all()
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
    assert rows["C7"]["verdict"] == "needs" and "make claims SEEDS=5" in rows["C7"]["reason"]
    assert "hgnb train modified" in rows["C19"]["reason"]
    asked = collect.remedies(other, record)
    assert any("hgnb train modified --profile smoke" in line and "--seed 7" in line for line in asked)
    json.dumps(made.facts(), allow_nan=False)


def test_results_are_those_of_the_stages(trained):
    experiment, _ = trained
    found = five(experiment)
    before, after = (experiment.stage(name)["pck"]["test"] for name in ("hourglass", "modified"))
    assert found.test_pck.value == pytest.approx(before)
    assert found.gain.value == pytest.approx(after - before)
    assert found.gain.low <= found.gain.value <= found.gain.high
    train, reader = experiment.prepared().split("train"), experiment.reader(experiment.hourglass())
    for on, interval in ((True, found.with_skips), (False, found.without_skips)):
        predictions = reader.predict(train, skips=on)
        score = float(pck(predictions.hits(experiment.profile.pck), predictions.visibility))
        assert interval.value == pytest.approx(score, abs=1e-6)
    assert np.isnan(found.sitting.value)  # dots have no shoulders, so nobody is known to sit
