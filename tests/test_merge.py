"""One dataset from several, by the names of the first one's keypoints."""

import shutil

import pytest
from conftest import edit, write_coco

from hgnb.data import coco
from hgnb.data.check import check, clean
from hgnb.data.credits import photo_credits
from hgnb.data.merge import merge
from hgnb.errors import InputError


@pytest.fixture
def other(tmp_path):
    """Dots of four keypoints of which two have names of the first dataset's, each image with an address."""
    folder = write_coco(tmp_path / "other", {"train2017": 3, "val2017": 2}, keypoints=4)

    def change(content):
        content["categories"][0].update(keypoints=["right_hip", "tail", "nose", "horn"], skeleton=[[1, 3]])
        content["licenses"] = [{"id": 9, "name": "Attribution License", "url": "http://example.org/by"}]
        for image in content["images"]:
            image.update(coco_url=f"http://example.org/{len(content['images'])}/{image['id']}", license=9)

    edit(folder, change)
    return folder


def test_what_a_source_lacks_is_unlabelled_and_ids_stay_unique(coco_folder, other, tmp_path):
    told = merge([coco_folder, other], tmp_path / "both")
    splits = [coco.load(tmp_path / "both", name) for name in ("train", "val")]
    assert len({p.id for split in splits for p in split.persons}) == sum(len(split.persons) for split in splits)
    assert check(tmp_path / "both").sound
    assert {name: sum(splits.values()) for name, splits in told.images.items()} == {"dots": 18, "other": 5}
    for name, count in (("train", 15), ("val", 8)):
        first, second, made = (coco.load(folder, name) for folder in (coco_folder, other, tmp_path / "both"))
        assert made.schema == first.schema and len(made.images) == count
        assert len(made.persons) == len(first.persons) + len(second.persons)
        own, theirs = ([p for p in made.persons if (p.licence == "not named") == mine] for mine in (True, False))
        assert [p.keypoints.tolist() for p in own] == [p.keypoints.tolist() for p in first.persons]
        for old, new in zip(second.persons, theirs, strict=True):
            assert new.file.read_bytes() == old.file.read_bytes() and new.licence == "Attribution License"
            assert new.keypoints[[0, 2]].tolist() == old.keypoints[[2, 0]].tolist()  # nose, right hip
            assert not new.keypoints[[1, 3, 4]].any()
            assert new.keypoints[:, 2].astype(bool).sum() == new.labelled


def test_a_photograph_is_taken_once_and_a_test_photograph_stays_one(coco_folder, other, tmp_path):
    again = shutil.copytree(other, tmp_path / "again")
    edit(other, lambda content: content["images"][0].update(part="test"))
    told = merge([other, again, coco_folder], tmp_path / "three")
    assert told.twice == {"other": 0, "again": 5, "dots": 0} and told.images["again"] == {"train": 0, "val": 0}
    train = coco.load(tmp_path / "three", "train")
    assert [train.images[number].licence for number in train.test] == ["Attribution License"]
    once = merge([coco_folder, shutil.copytree(coco_folder, tmp_path / "copy")], tmp_path / "two")
    assert once.twice["copy"] == 18, "without an address the bytes tell"


def test_a_clean_copy_keeps_what_is_said_of_its_photographs(other, tmp_path):
    def change(content):
        content["images"][0].update(part="test", persons="complete", flickr_url="http://example.org/f/1")

    edit(other, change)
    report = check(other)
    clean(report, tmp_path / "clean")
    was, kept = (coco.load(folder, "train") for folder in (other, tmp_path / "clean"))
    assert kept.test == was.test and len(kept.test) == 1
    assert [p.exact for p in kept.persons] == [p.exact for p in was.persons] and not kept.persons[0].exact
    assert photo_credits(tmp_path / "clean") == photo_credits(other) and len(photo_credits(other)) > 0
    assert merge([other, tmp_path / "clean"], tmp_path / "both").twice["clean"] == 5


def test_a_photograph_is_known_again_by_its_bytes_though_one_source_has_no_address(other, tmp_path):
    bare = shutil.copytree(other, tmp_path / "bare")
    edit(bare, lambda content: [image.pop("coco_url") for image in content["images"]])
    assert merge([other, bare], tmp_path / "both").twice["bare"] == 5


def test_what_cannot_be_merged_is_one_sentence(coco_folder, other, tmp_path):
    edit(other, lambda content: content["categories"][0].update(keypoints=["a", "b", "c", "d"]))
    with pytest.raises(InputError, match="'other' has no keypoint by a name of 'dots', such as 'nose'"):
        merge([coco_folder, other], tmp_path / "both")
    assert not (tmp_path / "both").exists()
    with pytest.raises(InputError, match="is there already"):
        merge([coco_folder], other)
