"""What can be chosen about the data: which persons, which test set, which crop. Thesis 4.2; explained in 01_dataset."""

from dataclasses import dataclass

from hgnb.errors import unknown
from hgnb.quantity import quantity

EMBEDDED = "embedded"  # what the data are called that the book draws itself
TEST_BY = ("image", "person")


@dataclass(frozen=True)
class DataConfig:
    """Which persons are kept, how they are split and how they are cropped; the defaults are the thesis's."""

    side: int = quantity(256, "pixels", "4.2.2")
    margin: float = quantity(0.10, "of the box's longer side, in all", "4.2.2; ambiguity 8")
    rule: str = quantity("shift", "'shift' or 'vertical'", "4.2.2; ambiguity 8")
    min_labelled: int = quantity(1, "keypoints with v > 0", "ambiguity 3")
    train_persons: int = quantity(0, "persons, first by id, before the test set is taken; 0: all", "4.2.1")
    val_persons: int = quantity(0, "persons, first by id; 0: all", "4.2.1")
    test_by: str = quantity("image", "'image' or 'person'", "4.2.1; ambiguity 17")
    test_share: float = quantity(1 / 3, "of the training persons at most", "ours: small sets keep a training set")
    split_seed: int = quantity(0, "seed of the test set", "4.2.1 (unnamed)")

    def __post_init__(self) -> None:
        if self.test_by not in TEST_BY:
            raise unknown("way to draw the test set", self.test_by, TEST_BY, "data.test_by")
