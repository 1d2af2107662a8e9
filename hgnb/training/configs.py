"""How networks are trained, number by number. Thesis 5.1 and 7.2; source 004; explained in 02_experiment."""

from dataclasses import dataclass

from hgnb.quantity import quantity


@dataclass(frozen=True)
class TrainingConfig:
    """How an hourglass is trained; the defaults are the thesis's."""

    epochs: int = quantity(50, "epochs", "5.2")
    batch: int = quantity(16, "persons", "5.1")
    rate: float = quantity(2.5e-4, "learning rate", "5.1")
    optimiser: str = quantity("rmsprop", "'rmsprop' or 'adam'", "5.1")
    alpha: float = quantity(0.99, "RMSProp's smoothing", "5.1; ambiguity 4")
    momentum: float = quantity(0.0, "RMSProp's momentum", "5.1; ambiguity 4")
    eps: float = quantity(1e-8, "outside the root, as torch", "ambiguity 4")
    schedule: str = quantity("drop", "'drop': once, when the best PCK is old; 'cosine': to zero", "5.1")
    drop_after: int = quantity(5, "epochs since the best PCK", "5.1; ambiguity 11")
    drop_factor: float = quantity(5.0, "divides the rate, once", "5.1")
    warmup: int = quantity(0, "steps over which the rate rises to its value", "5.1 names none")
    least_visibility: int = quantity(1, "v that a keypoint needs to be a target", "5.1; 2 is 8.2's; claim C32")
    unlabelled: str = quantity("empty", "a map without keypoint: 'empty', or 'ignored' by the loss", "ambiguity 15")
    balance: bool = quantity(False, "whether rare keypoints' maps weigh as much as common ones'", "5.1 names none")
    flip: float = quantity(0.0, "share of persons seen in a mirror", "5.1: no augmentation")
    rotation: float = quantity(0.0, "degrees that a person is turned, at most", "5.1: no augmentation")
    scaling: float = quantity(0.0, "share by which a person grows or shrinks, at most", "5.1: no augmentation")
    precision: str = quantity("native", "'native': bf16 where that is faster here; or 'fp32', 'bf16'", "5.1 names none")
    threads: int = quantity(0, "of the processor; 0: as many as torch takes", "ours: small maps gain nothing from more")


@dataclass(frozen=True)
class FurtherTrainingConfig(TrainingConfig):
    """How a trained hourglass is trained on; what is carried over besides its weights is ambiguity 13."""

    epochs: int = quantity(10, "epochs", "figure 25 zooms in from epoch 47; ambiguity 13")
    keep_optimiser: bool = quantity(False, "whether the optimiser's averages go on", "ambiguity 13")
    keep_rate: bool = quantity(False, "whether the checkpoint's rate goes on, not `rate`", "ambiguity 13")
    keep_rule: bool = quantity(False, "whether the best PCK and the drop are remembered", "ambiguity 13")


@dataclass(frozen=True)
class AutoencoderTrainingConfig:
    """How the autoencoder is trained on its own; the defaults are the thesis's."""

    epochs: int = quantity(100, "epochs", "7.3, figure 24")
    batch: int = quantity(16, "persons", "7.2")
    rate: float = quantity(5e-4, "learning rate", "7.2")
    momentum: float = quantity(0.9, "SGD momentum", "7.2")
    halve_every: int = quantity(25, "epochs", "7.2")
    noise: float = quantity(0.1, "of each input value, times N(0, 1)", "7.2; examiner's question 6.3; ambiguity 6")
    threads: int = quantity(1, "of the processor", "ours: 4x4 maps gain nothing from more")


@dataclass(frozen=True)
class LighterConfig:
    """How large chapter 06's networks are where they are trained and where they are timed; 004's by default."""

    side: int = quantity(256, "pixels of a crop, trained", "Newell et al. 2016, sec. 4")
    width_divisor: int = quantity(1, "divides every width, trained", "ours")
    stack_divisor: int = quantity(1, "divides the number of hourglasses, trained", "ours")
    train_images: int = quantity(18_000, "embedded images", "Andriluka et al. 2014: MPII's number for training")
    val_images: int = quantity(2_500, "embedded images", "ours")
    long_epochs: int = quantity(220, "epochs of a long training", "004, table 2")
    cases: tuple[str, ...] = quantity((), "trainings of the sweep, by name; empty: all", "004 and ours")
    live: bool = quantity(False, "whether chapter 06 trains them itself", "ours: or it shows a recorded sweep")
    samples: int = quantity(6, "persons on whom all networks are shown", "ours")
    timed_side: int = quantity(256, "pixels of a crop, timed", "Newell et al. 2016, sec. 4")
    timed_divisor: int = quantity(1, "divides every width, timed", "ours")
    timed_batch: int = quantity(6, "persons of a step, timed", "004, 3.6")
    timed_repeats: int = quantity(2, "turns of every network", "ours")


@dataclass(frozen=True)
class LighterTrainingConfig(TrainingConfig):
    """How they are trained: source 004 where it says so, else the code that it changed (bearpaw/pytorch-pose)."""

    batch: int = quantity(20, "persons", "004, table 1")
    momentum: float = quantity(0.9, "RMSProp's momentum", "004, 3.5: with momentum, no number")
    precision: str = quantity("fp32", "'native', 'fp32' or 'bf16'", "004, appendix: mixed precision was not kept")


@dataclass(frozen=True)
class BeyondConfig:
    """How much chapter 07 trains for each change."""

    epochs: int = quantity(0, "epochs of each change; 0: as many as the profile's hourglass", "ours")
    cases: tuple[str, ...] = quantity((), "changes of the sweep, by name; empty: all", "ours")
