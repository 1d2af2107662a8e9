"""A trained run named, measured and used on photographs of one's own."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from test_cli import hgnb

from hgnb.data.heatmaps import cells
from hgnb.data.intake import layouts
from hgnb.data.schema import KeypointSchema
from hgnb.errors import InputError
from hgnb.metrics import PckConfig
from hgnb.training import catalogue, evaluation
from hgnb.training import prediction as one_photograph
from hgnb.training.evaluation import Selection, annotations, evaluate, in_image, measure
from hgnb.training.passes import Predictions, Reader, mean_pose_hits
from hgnb.training.prediction import photograph, predict

# Naming a run


def test_a_run_is_found_by_id_beginning_and_folder(trained, tmp_path):
    _, run = trained
    elsewhere = shutil.copytree(run.folder, tmp_path / "taken along")
    for name in (run.id, run.id[:12], str(run.folder)):
        assert catalogue.find(name).id == run.id
    assert catalogue.find(str(elsewhere)).folder == elsewhere
    chosen = catalogue.weights(run.id)
    assert chosen.name == f"{run.id}/best-val_pck.safetensors" and len(chosen.sha256) == 64
    alone = catalogue.weights(str(chosen.file))
    assert (alone.run, alone.name, alone.sha256) == (None, "best-val_pck.safetensors", chosen.sha256)


def test_a_run_that_cannot_be_named_is_answered_in_a_sentence(trained, monkeypatch):
    _, run = trained
    runs = run.folder.parent
    made = [shutil.copytree(run.folder, runs / f"hourglass-twin-{n}") for n in (1, 2)]
    (made[0] / "best-val_pck.safetensors").unlink()
    (runs / "hourglass-begun").mkdir()
    try:
        for name, words in (
            ("hourglas-smoke-dots", f"did you mean '{run.id}'"),
            ("hourglass-twin", "2 runs begin with 'hourglass-twin'.*hourglass-twin-1, hourglass-twin-2"),
            ("hourglass-be", "hourglass-begun hasn't finished"),
            ("nowhere/weights.safetensors", "no weights file"),
            ("hourglass-twin-1", "hourglass-twin-1 is no hourglass"),
            (str(run.folder / "last.ckpt"), r"'last\.ckpt' is for going on with a training: name its run"),
        ):
            with pytest.raises(InputError, match=words):
                catalogue.weights(name)
    finally:
        for folder in (*made, runs / "hourglass-begun"):
            shutil.rmtree(folder)
    monkeypatch.setenv("HGNB_HOME", str(runs))  # a home without runs
    with pytest.raises(InputError, match="no finished run at all"):
        catalogue.find("x")


@pytest.mark.parametrize("change", ["edition", "data"])
def test_data_must_be_those_of_the_run(trained, tmp_path, change):
    _, run = trained
    manifest = json.loads(json.dumps(run.manifest))
    if change == "edition":
        manifest.pop("edition")
    else:
        manifest["config"]["data"] = "0" * 64
    shutil.copytree(run.folder, tmp_path / "run")
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="names no profile|checksum differs"):
        evaluate(catalogue.weights(str(tmp_path / "run")))
    with pytest.raises(InputError, match="a file without a run"):
        evaluate(catalogue.weights(str(run.folder / "best-val_pck.safetensors")))


# Measuring


def test_an_evaluation_equals_plain_loops(trained):
    """Headline, parts and bounds of the real run against loops over its own predictions."""
    experiment, run = trained
    split = experiment.prepared().split("val")
    made = experiment.reader(run).predict(split)
    full = evaluate(catalogue.weights(run.id), "val")
    some = evaluate(catalogue.weights(run.id), "val", visible_only=True, joints="limbs,nose")
    names, size = experiment.prepared().schema.names, made.size
    want = {"all": [], "some": [], **{n: [] for n in names}}
    for b, k in np.ndindex(*made.visibility.shape):
        v = int(made.visibility[b, k])
        if v:
            hit = math.dist(made.points[b, k], np.floor(split.keypoints[b, k, :2] / 4)) / (size / 10) < 0.5
            want["all"].append(hit)
            want[names[k]].append(hit)
            if v == 2:  # the joints are a nose, hips and knees
                want["some"].append(hit)
    assert (full.pck.found, full.pck.counted) == (sum(want["all"]), len(want["all"]))
    assert (some.pck.found, some.pck.counted) == (sum(want["some"]), len(want["some"]))
    assert {n: (s.found, s.counted) for n, s in full.by_joint.items()} == {
        n: (sum(want[n]), len(want[n])) for n in names
    }
    assert some.by_visibility["v = 1"].value is None and some.by_visibility["v = 2"] == some.pck
    assert full.interval.low <= full.pck.value <= full.interval.high
    assert full.over_radii[0.5] == full.pck
    assert math.isclose(full.pck.value, run.metrics.val_pck.max(), abs_tol=1e-9)
    assert full.heads == 0 and any("no head segment" in note for note in full.notes)
    assert full.oks[1] == len(split) and 0 <= full.precision["AP"] <= 1
    assert "NaN" not in json.dumps(full.facts(), allow_nan=False)
    assert full.notes[-1] == "Data 'dots': repaired nothing | dropped nobody | suspicious nothing."
    mean = mean_pose_hits(experiment.prepared().split("train"), split, 64, 4, full.config)
    least = mean[made.visibility.numpy() > 0].mean()
    assert any(note.startswith("No better than chance") for note in full.notes) == (full.pck.value <= least)


def test_points_go_back_to_the_photograph(trained):
    """Crop pixels mapped back are the annotations' own numbers."""
    experiment, _ = trained
    split = experiment.prepared().split("test")
    back = in_image(torch.from_numpy(split.keypoints[..., :2]), split, split.crops.shape[1])
    listed = annotations(experiment.folder, split)
    assert [r["id"] for r in listed] == split.person_ids.tolist()
    true = np.array([r["keypoints"] for r in listed]).reshape(len(split), -1, 3)
    labelled = split.visibility > 0
    np.testing.assert_allclose(back[labelled], true[..., :2][labelled], atol=1e-4)


def test_oks_leaves_out_photographs_whose_areas_were_guessed(trained):
    experiment, _ = trained
    split, schema = experiment.prepared().split("val"), experiment.prepared().schema
    true = cells(torch.from_numpy(split.keypoints[..., :2]), 64, 64)
    made = Predictions(true, torch.ones(true.shape[:2]), true, torch.from_numpy(split.visibility), 64)
    file = layouts.source(experiment.folder, "val").file
    whole = file.read_text()
    try:
        content = json.loads(whole)
        for image, kind in zip(content["images"], ["complete", "complete_official"], strict=False):
            image["persons"] = kind
        file.write_text(json.dumps(content))
        listed = annotations(experiment.folder, split)
    finally:
        file.write_text(whole)
    guessed = content["images"][0]["id"]
    rest = (split, schema, PckConfig(), Selection.of(schema, "all", False))
    done = measure(made, *rest, listed, "w", "dots")
    assert done.oks[1] == (split.image_ids != guessed).sum() == len(split) - 2
    assert "leaves out 2 persons" in done.notes[0] and done.pck.counted == (split.visibility > 0).sum()
    none = measure(made, *rest, [{**record, "exact": False} for record in listed], "w", "dots")
    assert none.oks == (None, 0) and none.precision["AP"] is None and "no OKS" in none.notes[0]


def test_perfect_predictions_are_perfect_by_every_measure(trained):
    """The true cells as predictions, joints renamed so that there is a head: 1 everywhere but for half a cell."""
    experiment, _ = trained
    schema = KeypointSchema(("neck", "left_hip", "right_hip", "head_top", "tail"))
    split = experiment.prepared().split("val")
    true = cells(torch.from_numpy(split.keypoints[..., :2]), 64, 64)  # as fine as the crop
    visibility = torch.from_numpy(split.visibility)
    made = Predictions(true, torch.rand(visibility.shape), true, visibility, 64)
    listed = annotations(experiment.folder, split)
    every = Selection.of(schema, "all", False)
    rest = (split, schema, PckConfig(), every, listed, "w", "dots")
    done = measure(made, *rest)
    assert done.pck.value == done.pckh.value == 1
    assert done.heads == int(((split.visibility[:, [0, 3]] > 0).all(1)).sum()) < len(split)
    assert done.precision["AP"] > 0.9 and done.oks[0] > 0.9
    assert any("neck, head_top" in n and "none for tail" in n for n in done.notes)
    headless = torch.where(torch.arange(5) == 3, 0, visibility)
    done = measure(
        dataclasses.replace(made, visibility=headless), split, schema, PckConfig(), every, listed, "w", "dots"
    )
    assert done.pckh.value is None and "No person of this split has neck and head_top" in done.notes[-1]
    assert done.facts()["pckh"]["value"] is None


def test_evaluate_prints_and_refuses(trained, monkeypatch, capsys):
    _, run = trained
    status, out, err = hgnb(
        monkeypatch, capsys, "evaluate", run.id[:14], "--visible-only", "--joints", "limbs", "--json"
    )
    facts = json.loads(out)
    assert (status, err) == (0, "") and facts["counted"] == {"visible_only": True, "joints": "limbs"}
    assert facts["pck"]["low"] <= facts["pck"]["value"] <= facts["pck"]["high"]
    status, out, _ = hgnb(monkeypatch, capsys, "evaluate", run.id)
    assert status == 0 and "OKS AP75" in out and "A dash: no such keypoint is counted." in out and "nan" not in out
    for words, said in ((["--joints", "limb"], "did you mean 'limbs'"), (["--split", "trian"], "did you mean 'train'")):
        status, _, err = hgnb(monkeypatch, capsys, "evaluate", run.id, *words)
        assert status == 1 and said in err and len(err.strip().splitlines()) == 1


# Photographs of one's own


@pytest.fixture(scope="module")
def ramp() -> Image.Image:
    """200 x 160 pixels whose red is x and whose green is y: a colour says where it comes from."""
    y, x = np.mgrid[:160, :200]
    return Image.fromarray(np.stack([x, y, np.full_like(x, 99)], -1).astype(np.uint8))


@pytest.mark.parametrize("box", ["", "40,30,80,70", "3,90,57,70", "150,5,50,40.5"])
def test_a_planted_peak_is_found_where_the_crop_shows_it(trained, monkeypatch, tmp_path, ramp, box):
    """Half-pixel correct: the mean colour of a cell's 4 x 4 crop pixels is the place that a peak in it names."""
    _, run = trained
    ramp.save(tmp_path / "ramp.png")
    planted = np.random.default_rng(0).integers(1, 15, (5, 2))  # x, y; whole cells inside the crop's border

    def heatmaps(self, persons):
        maps = np.zeros((len(persons.crops), 5, 16, 16), np.float32)
        maps[:, range(5), planted[:, 1], planted[:, 0]] = 0.25 + np.arange(5)
        return maps

    monkeypatch.setattr(Reader, "heatmaps", heatmaps)
    made = predict(catalogue.weights(run.id), tmp_path / "ramp.png", [box] if box else [])
    assert made.confidence.tolist() == [[0.25, 1.25, 2.25, 3.25, 4.25]]
    for (x, y), point in zip(planted, made.points[0], strict=True):
        shown = made.crops[0, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4, :2].astype(float).mean((0, 1))
        np.testing.assert_allclose(point, shown, atol=0.3)  # colours are whole numbers


def test_a_box_is_cropped_as_in_training_around_its_middle(trained, tmp_path, ramp):
    _, run = trained
    ramp.save(tmp_path / "ramp.png")
    made = predict(catalogue.weights(run.id), tmp_path / "ramp.png", ["60,40,60,40", "0,0,60,40"])
    first, second = made.squares
    assert (first.side, second.side) == (66, 66)  # the longer side and a tenth
    assert (first.x + 33, first.y + 33) == (90, 60) and (second.x, second.y) == (0, 0)
    whole = predict(catalogue.weights(run.id), tmp_path / "ramp.png")  # without a box: all of the picture
    assert whole.boxes.tolist() == [[0, 0, 200, 160]]
    assert (whole.squares[0].x, whole.squares[0].y, whole.squares[0].side) == (20, 0, 160)


def test_photographs_are_upright_and_rgb(trained, tmp_path, ramp):
    """A turned file with its EXIF orientation, and other colour modes, show the same picture."""
    _, run = trained
    ramp.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # shown a quarter turn clockwise
    ramp.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    exif[0x0112] = 3
    ramp.transpose(Image.Transpose.ROTATE_180).save(tmp_path / "over.png", exif=exif)
    weights = catalogue.weights(run.id)
    upright = predict(weights, tmp_path / "upright.png", ["40,30,80,70"]).facts()
    for name in ("turned.png", "over.png"):
        assert np.array_equal(photograph(tmp_path / name), ramp)
        assert predict(weights, tmp_path / name, ["40,30,80,70"]).facts() == {**upright, "photograph": name}
    for mode, suffix in (("L", "png"), ("CMYK", "tif"), ("P", "png"), ("RGBA", "png"), ("I;16", "png")):
        picture = Image.fromarray(np.full((40, 50), 3000, np.uint16)) if mode == "I;16" else ramp.convert(mode)
        picture.save(tmp_path / f"other.{suffix}")
        assert photograph(tmp_path / f"other.{suffix}").mode == "RGB"


def test_what_is_no_photograph_is_refused_in_a_sentence(trained, monkeypatch, tmp_path, ramp):
    (tmp_path / "words.jpg").write_text("no image")
    ramp.save(tmp_path / "whole.jpg")
    (tmp_path / "half.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:900])
    for name, words in (
        ("none.jpg", "There is no image"), (".", "There is no image"),
        ("words.jpg", "words.jpg"), ("half.jpg", "half.jpg.*decoded"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            photograph(tmp_path / name)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)  # Pillow warns of 32,000, and stops at 40,000
    assert photograph(tmp_path / "whole.jpg").size == (200, 160)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10_000)
    with pytest.raises(InputError, match=r"whole.jpg' has more than 20,000 pixels: make it smaller"):
        photograph(tmp_path / "whole.jpg")


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ("1,2,3", "must be four numbers"),
        ("a,2,3,4", "must be four numbers"),
        ("1,2,nan,4", "finite"),
        ("1,2,0,4", "positive width"),
        ("190,2,30,4", "reaches out of the picture, which is 200 x 160"),
        ("-5,2,30,4", "reaches out"),
        ("200,10,0.5,0.5", "lies outside"),
    ],
)
def test_a_box_that_fits_nothing_is_refused(box, words):
    with pytest.raises(InputError, match=words):
        one_photograph.parse_box(box, (200, 160))
    assert one_photograph.parse_box("-0.5,0,200.5,160", (200, 160)) == (-0.5, 0, 200.5, 160)  # rounding


def test_predict_draws_and_tells(trained, monkeypatch, capsys, tmp_path, ramp):
    _, run = trained
    ramp.save(tmp_path / "ramp.png")
    words = ["predict", run.id, str(tmp_path / "ramp.png"), "--box", "40,30,80,70", "--box", "0,0,50,50"]
    status, out, err = hgnb(monkeypatch, capsys, *words, "-o", str(tmp_path / "out.png"), "--json")
    facts = json.loads(out)
    assert (status, err) == (0, "") and facts["weights"].startswith(run.id) and len(facts["persons"]) == 2
    point = facts["persons"][1]["keypoints"][0]
    assert point["name"] == "nose" and 0 <= point["x"] <= 60 and 0 <= point["y"] <= 60
    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.width > drawn.height > 500 and len(np.unique(drawn.convert("L"))) > 50
    status, out, _ = hgnb(monkeypatch, capsys, *words)
    assert status == 0 and "left knee" in out
    for place in ("out.words", "no folder/out.png"):
        status, _, err = hgnb(monkeypatch, capsys, *words, "-o", str(tmp_path / place))
        assert status == 1 and len(err.strip().splitlines()) == 1


def test_predict_takes_several_and_the_released_network(trained, monkeypatch, capsys, tmp_path, ramp):
    _, run = trained
    (tmp_path / "many").mkdir()
    for name in ("b.png", "a.jpg"):
        ramp.save(tmp_path / "many" / name)
    (tmp_path / "many/words.txt").write_text("no photograph")
    many, drawn = str(tmp_path / "many"), tmp_path / "drawn"
    status, out, _ = hgnb(monkeypatch, capsys, "predict", run.id, many, "-o", str(drawn), "--json")
    assert status == 0 and [facts["photograph"] for facts in json.loads(out)] == ["a.jpg", "b.png"]
    assert sorted(file.name for file in drawn.iterdir()) == ["a.png", "b.png"]
    file = tmp_path / "weights/released.safetensors"
    monkeypatch.setattr(catalogue, "RELEASED_FILE", file)
    for words, said in (
        ((run.id, many, "--box", "1,1,9,9"), "A box is of one photograph"),
        ((many,), "no released weights"),
        ((run.id, str(tmp_path / "weights")), "There is no image"),
    ):
        status, _, err = hgnb(monkeypatch, capsys, "predict", *words)
        assert status == 1 and said in err and len(err.strip().splitlines()) == 1
    file.parent.mkdir()
    file.write_bytes((run.folder / catalogue.BEST).read_bytes())
    manifest = {"decoding": "quarter", "sha256": catalogue.weights(str(file)).sha256}
    file.with_suffix(".json").write_text(json.dumps(manifest))
    status, out, _ = hgnb(monkeypatch, capsys, "predict", str(tmp_path / "many/b.png"), "--json")
    assert status == 0 and json.loads(out)["weights"] == "released"
    cells, finer = (predict(catalogue.weights(name), tmp_path / "many/b.png") for name in (run.id, "released"))
    assert 0 < np.abs(cells.points - finer.points).max() < cells.squares[0].side / cells.heatmaps.shape[-1]
    file.with_suffix(".json").write_text(json.dumps({**manifest, "sha256": "0"}))
    with pytest.raises(InputError, match="isn't the file that its manifest describes"):
        catalogue.weights("released")


def test_evaluation_on_other_data_goes_by_names(trained, tmp_path, monkeypatch):
    experiment, run = trained
    weights = catalogue.weights(run.id)
    own, same = evaluate(weights, "val"), evaluate(weights, "val", data=str(experiment.folder))
    assert (same.pck, same.by_joint, same.precision) == (own.pck, own.by_joint, own.precision)
    copy = tmp_path / "dots"
    shutil.copytree(experiment.folder, copy)
    for file in (copy / "annotations").iterdir():  # other names, in another order
        content = json.loads(file.read_text())
        content["categories"][0].update(keypoints=["tail", "right_knee", "left_hip", "nose"], skeleton=[])
        for person in content["annotations"]:
            if keypoints := person.get("keypoints"):
                triples = [keypoints[3 * k : 3 * k + 3] for k in (1, 4, 1, 0)]  # nose, hips, knees
                labelled = sum(v > 0 for _, _, v in triples)
                person.update(keypoints=[value for triple in triples for value in triple], num_keypoints=labelled)
        file.write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)  # a relative folder is looked for from here first, as by every verb
    other = evaluate(weights, "val", data="dots")
    assert list(other.by_joint) == ["nose", "left_hip", "right_knee"] and "3 are measured, 3 that" in other.notes[-1]
    assert {name: share.counted for name, share in other.by_joint.items()} == {
        name: own.by_joint[name].counted for name in other.by_joint
    }
    for file in (copy / "annotations").iterdir():
        content = json.loads(file.read_text())
        content["categories"][0]["keypoints"] = ["a", "b", "c", "d"]
        file.write_text(json.dumps(content))
    with pytest.raises(InputError, match="'dots' has no keypoint by a name that .* knows, such as 'nose'"):
        evaluate(weights, "val", data=str(copy))


def test_a_real_photograph(trained, real):
    """COCO's own persons: each keypoint lies inside its square, whose box holds the person."""
    _, run = trained
    folder = real("coco-mini")
    content = json.loads((folder / "annotations" / "person_keypoints_val2017.json").read_text())
    person = next(a for a in content["annotations"] if a.get("num_keypoints", 0) == 17 and not a["iscrowd"])
    name = next(i["file_name"] for i in content["images"] if i["id"] == person["image_id"])
    box = ",".join(str(v) for v in person["bbox"])
    made = predict(catalogue.weights(run.id), folder / "val2017" / name, [box])
    square = made.squares[0]
    inside = made.points[0] - (square.x, square.y)
    assert ((inside >= 0) & (inside < square.side)).all()
    middle = np.array(person["bbox"][:2]) + np.array(person["bbox"][2:]) / 2
    assert (np.abs(middle - (square.x, square.y)) <= square.side).all()


def test_selection_names_groups_and_joints():
    schema = KeypointSchema(("nose", "left_shoulder", "left_knee"))
    assert Selection.of(schema, "head, left_knee", False).joints == (0, 2)
    visible = Selection.of(schema, "all", True).mask(torch.tensor([[0, 1, 2]]))
    assert visible.tolist() == [[False, False, True]]
    assert evaluation.RADII[4] == 0.5
