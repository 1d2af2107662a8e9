"""How networks are trained, number by number. Thesis 5.1 and 7.2; explained in 02_experiment."""

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
    precision: str = quantity("native", "'native': bf16 where the hardware has it; or 'fp32', 'bf16'", "5.1 names none")
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
