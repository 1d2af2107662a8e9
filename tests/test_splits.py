"""Who is in which split: by photograph or by person, drawn once, kept by id whatever happens to the code."""

import json
import shutil

import numpy as np
import pytest
from conftest import ROOT, edit

from hgnb.data import coco, splits
from hgnb.data.intake import layouts
from hgnb.data.prepared import prepare
from hgnb.data.splits import DataConfig
from hgnb.errors import InputError
from hgnb.training.experiment import Experiment


@pytest.fixture
def both(coco_folder):
    return coco.load_both(coco_folder)


def ids(divided) -> dict[str, list[int]]:
    return {name: [p.id for p in persons] for name, persons in divided.items()}


@pytest.mark.parametrize("by", ["image", "person"])
def test_everybody_is_in_one_split(both, by):
    divided = splits.divide(*both, DataConfig(test_by=by))
    assert sorted(p.id for s in ("train", "test") for p in divided[s]) == [p.id for p in both[0].persons]
    assert divided["val"] == both[1].persons
    assert len(divided["test"]) == 8
    shared = {p.image_id for p in divided["train"]} & {p.image_id for p in divided["test"]}
    assert bool(shared) == (by == "person")


def test_the_draw_by_hand(both):
    """Both ways begin with one permutation by NumPy's default generator."""
    persons = ids(splits.divide(*both, DataConfig(test_by="person", split_seed=3)))
    assert persons["test"] == sorted(np.random.default_rng(3).permutation(np.arange(1, 25))[:8].tolist())
    photographs = splits.divide(*both, DataConfig(split_seed=3))
    drawn = np.random.default_rng(3).permutation(np.arange(1, 13))[:4]  # two persons on each
    assert {p.image_id for p in photographs["test"]} == set(drawn.tolist())


def test_a_test_set_stays_when_the_draw_changes(coco_folder, tmp_path, monkeypatch):
    first = prepare(coco_folder, DataConfig(side=32), tmp_path / "cache").split("test").person_ids.tolist()
    draw = splits.divide

    def other(train, val, config):
        divided = draw(train, val, config)
        return divided | {"train": divided["test"], "test": divided["train"]}

    monkeypatch.setattr(splits, "divide", other)
    again = prepare(coco_folder, DataConfig(side=48), tmp_path / "cache")
    assert again.split("test").person_ids.tolist() == first
    elsewhere = prepare(coco_folder, DataConfig(side=32), tmp_path / "away" / "cache")
    assert elsewhere.split("test").person_ids.tolist() != first, "without the file the other draw counts"


def test_what_decides_a_split_names_its_file(coco_folder, tmp_path):
    def name(**settings):
        return splits.place(tmp_path, coco_folder, DataConfig(**settings)).name

    same = name()
    assert same.startswith("dots-") and name(side=64, margin=0.2, rule="vertical") == same
    changed = [
        {"split_seed": 1}, {"test_by": "person"}, {"min_labelled": 2}, {"test_share": 0.2}, {"train_persons": 9},
        {"val_persons": 3},
    ]  # fmt: skip
    assert len({same, *(name(**settings) for settings in changed)}) == 1 + len(changed)
    for split in ("train", "val"):
        before = name()
        file = layouts.source(coco_folder, split).file
        file.write_bytes(file.read_bytes() + b"\n")
        assert name() != before


def test_the_file_holds_ids_and_is_written_whole(both, tmp_path):
    file = tmp_path / "new" / "dots.json"
    splits.save(file, *both, DataConfig())
    content = json.loads(file.read_text())
    assert {s: content[s] for s in ("train", "val", "test")} == ids(splits.divide(*both, DataConfig()))
    assert content["settings"]["split_seed"] == 0 and content["damaged"] == {"train": [], "val": []}
    assert ids(splits.load(file, *both)) == ids(splits.divide(*both, DataConfig()))
    assert list(file.parent.iterdir()) == [file]


def test_a_person_damaged_since_is_left_out_and_nobody_moves(coco_folder, both, tmp_path):
    file = tmp_path / "dots.json"
    splits.save(file, *both, DataConfig())
    (coco_folder / "train2017" / "003.png").unlink()
    before, after = ids(splits.load(file, *both)), ids(splits.load(file, *coco.load_both(coco_folder)))
    gone = {p.id for p in both[0].persons if p.image_id == 3}
    assert after == {name: [i for i in listed if name == "val" or i not in gone] for name, listed in before.items()}


def test_a_person_mended_since_is_said(coco_folder, tmp_path):
    picture = coco_folder / "train2017" / "003.png"
    content = picture.read_bytes()
    picture.unlink()
    prepare(coco_folder, DataConfig(side=32), tmp_path / "cache")
    picture.write_bytes(content)
    with pytest.raises(InputError, match="was drawn without 2 persons .* such as 5: delete it"):
        prepare(coco_folder, DataConfig(side=32), tmp_path / "cache")
    for file in (tmp_path / "splits").iterdir():
        file.unlink()
    assert sum(prepare(coco_folder, DataConfig(side=32), tmp_path / "cache").manifest["persons"].values()) == 36


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: 7, "doesn't hold splits"),
        (lambda c: {"train": [1]}, "doesn't hold splits .'val'"),
        (lambda c: c | {"train": ["1"]}, "its ids aren't whole numbers"),
        (lambda c: c | {"test": [4711]}, "names 1 persons that the data don't have, such as 4711"),
        # a digit that changed could name a person of another split: a leak that no figure would show
        (lambda c: c | {"train": [c["test"][-1], *c["train"][1:]]}, "names 1 persons more than once.*delete it"),
        (lambda c: c | {"val": [c["val"][-1], *c["val"][1:]]}, "names 1 persons more than once"),
        (lambda c: c | {"test": [c["train"][-1], *c["test"][1:]]}, "names 1 persons more than once"),
    ],
)
def test_a_spoilt_file_is_one_sentence(both, tmp_path, change, words):
    file = tmp_path / "dots.json"
    splits.save(file, *both, DataConfig())
    file.write_text(json.dumps(change(json.loads(file.read_text()))))
    with pytest.raises(InputError, match=f"dots.json' .*{words}"):
        splits.load(file, *both)
    file.write_text("{")
    with pytest.raises(InputError, match="doesn't hold splits"):
        splits.load(file, *both)


def test_an_edited_file_makes_other_data(coco_folder, tmp_path):
    one = prepare(coco_folder, DataConfig(side=32), tmp_path / "cache")
    (file,) = (tmp_path / "splits").iterdir()
    assert one.manifest["splits"] == file.name
    content = json.loads(file.read_text())
    content["train"].append(content["test"].pop())
    file.write_text(json.dumps(content))
    other = prepare(coco_folder, DataConfig(side=32), tmp_path / "cache")
    assert other.manifest["persons"] == {"train": 17, "val": 12, "test": 7} and other.checksum != one.checksum


@pytest.fixture
def undivided(coco_folder):
    """The dots with one split, val2017, of twelve images whose ids, 13 to 24, the rule deals into every part."""
    shutil.rmtree(coco_folder / "val2017")
    (coco_folder / "train2017").rename(coco_folder / "val2017")
    file = coco_folder / "annotations/person_keypoints_train2017.json"
    file.replace(file.with_name("person_keypoints_val2017.json"))

    def later(content):
        for records, key in ((content["images"], "id"), (content["annotations"], "image_id")):
            for record in records:
                record[key] += 12

    edit(coco_folder, later)
    return coco_folder


def divided(folder) -> dict[str, set[int]]:
    """Ids of the photographs of each part."""
    both = splits.divide(*coco.load_both(folder), DataConfig())
    return {name: {p.image_id for p in persons} for name, persons in both.items()}


def _listed(house, name, **images):
    (house / "data/splits").mkdir(parents=True, exist_ok=True)
    (house / f"data/splits/{name}.json").write_text(json.dumps({"images": images}))


def test_one_split_is_divided_by_the_ids_alone(undivided, house):
    assert layouts.by_rule(139) == "train"  # SHA-256 never changes
    by_rule = {name: {i for i in range(13, 25) if layouts.by_rule(i) == name} for name in ("train", "val", "test")}
    assert divided(undivided) == by_rule and all(by_rule.values())
    assert sum(len(coco.load(undivided, name).images) for name in ("train", "val")) == 12
    assert Experiment.open("smoke", str(undivided)).prepared().manifest["persons"]["test"] == 2 * len(by_rule["test"])


def test_a_list_that_fits_goes_before_the_rule_and_a_field_before_both(undivided, house):
    shares = [layouts.by_rule(i) for i in range(1, 2001)]
    assert [round(shares.count(name) / 20) for name in ("train", "val", "test")] == [80, 8, 12]
    _listed(house, "other", train=[13, 99], val=[14], test=[15])  # 99 isn't there: no list of these data
    ruled = divided(undivided)
    _listed(house, "some", train=[14], val=[15], test=[16])
    assert all(number in divided(undivided)[name] for number, name in ((14, "train"), (15, "val"), (16, "test")))
    assert all(divided(undivided)[name] - {14, 15, 16} == ruled[name] - {14, 15, 16} for name in ruled)
    edit(undivided, lambda content: content["images"][0].update(part="val"))
    assert 13 in divided(undivided)["val"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"images": {"train": [13, 98, 99]}}', "names 2 photographs that 'dots' doesn't have, such as 98"),
        ('{"images": {"train": ["x"]}}', "lists no photographs by id"),
    ],
)
def test_the_datasets_own_list_must_fit(undivided, house, content, words):
    _listed(house, "dots")
    (house / "data/splits/dots.json").write_text(content)
    with pytest.raises(InputError, match=words):
        coco.load(undivided, "val")


def test_the_committed_list_is_the_rules():
    images = json.loads((ROOT / "data/splits/coco-val2017.json").read_text())["images"]
    assert {name: len(ids) for name, ids in images.items()} == {"train": 1640, "val": 155, "test": 265}
    assert all(layouts.by_rule(number) == name for name, ids in images.items() for number in ids)
