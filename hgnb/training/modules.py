"""What is trained, and how: losses, optimisers and the learning-rate rule. Thesis 5.1 and 7.2."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import lightning as L
import torch
import torch.nn.functional as F
from torch import Tensor

from hgnb.data.dataset import Batch, augmented
from hgnb.data.heatmaps import HeatmapConfig, cells, heatmaps
from hgnb.errors import unknown
from hgnb.metrics import PckConfig, found, peaks
from hgnb.model.hourglass import Autoencoder, AutoencoderConfig, HourglassConfig, StackedHourglass, glorot
from hgnb.training.parallel import gathered, share, total
from hgnb.training.passes import Reader
from hgnb.training.profiles import AutoencoderTrainingConfig, TrainingConfig


@dataclass
class DropRule:
    """The rate drops for good the first time the best PCK is `after` epochs old (ambiguity 11); epochs from 0."""

    best: float = -1.0
    best_epoch: int = -1
    dropped: int | None = None  # at the end of which epoch

    def drops(self, epoch: int, score: float, after: int) -> bool:
        """Takes in an epoch's PCK; whether the rate has to drop now."""
        if score > self.best:
            self.best, self.best_epoch = score, epoch
        elif self.dropped is None and epoch - self.best_epoch >= after:
            self.dropped = epoch
            return True
        return False

    def carried(self, epochs: int) -> "DropRule":
        """The same rule for a run that counts its epochs anew, `epochs` later."""
        return DropRule(self.best, self.best_epoch - epochs, self.dropped and self.dropped - epochs)


class Tracked(L.LightningModule):
    """A module that hands each epoch's numbers to whoever records them: means in `row`, and in `persons` what
    validation found, columns (N, ...) with a row for each person in the split's order.

    Validation is what an evaluation of the same weights would be: in 32 bits, whatever the precision of the steps.
    """

    def __init__(self):
        super().__init__()
        self.row: dict[str, float] = {}
        self.persons: dict[str, Tensor] = {}
        self._sums: dict[str, Tensor] = {}
        self._parts: list[tuple[Tensor, dict[str, Tensor]]] = []

    def add(self, **totals: Tensor) -> None:
        """Adds to this epoch's sums, on the device: no step waits for a number."""
        for name, value in totals.items():
            self._sums[name] = self._sums.get(name, 0) + value.detach().double()

    def ratio(self, above: str, below: str) -> float:
        """A mean of the epoch over all processes; both sums start anew."""
        return float(total(self._sums.pop(above)) / total(self._sums.pop(below)))

    def validated(self, batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Positions (B,) of a validation batch's persons in the split, and columns (B, ...), `loss` among them."""
        raise NotImplementedError

    def validation_step(self, batch, _: int) -> None:
        with torch.autocast(self.device.type, enabled=False):
            self._parts.append(self.validated(batch))

    def on_train_epoch_start(self) -> None:
        self._sums.clear()
        self.row = {"learning_rate": self.optimizers().param_groups[0]["lr"]}

    def on_validation_epoch_start(self) -> None:
        self._parts.clear()

    def on_validation_epoch_end(self) -> None:
        index = torch.cat([place for place, _ in self._parts])
        columns = {name: torch.cat([part[name] for _, part in self._parts]) for name in self._parts[0][1]}
        self.persons = {name: gathered(index, column).cpu() for name, column in columns.items()}

    def on_train_epoch_end(self) -> None:
        self.row["train_loss"] = self.ratio("train_loss", "train_persons")
        self.row["val_loss"] = float(self.persons["loss"].double().mean())


class PoseModule(Tracked):
    """A stacked hourglass under MSE and RMSProp, its rate dropped once when the best PCK has grown old; 5.1.

    `exchange`: (K,) where each keypoint's twin stands, for mirror images. `weights`: (K,) of the keypoints' maps in
    the loss. Both may be left out where the training doesn't ask for them.
    """

    def __init__(
        self, model: HourglassConfig, training: TrainingConfig, maps: HeatmapConfig, pck: PckConfig,
        *, mean_rgb, side: int, autoencoder: AutoencoderConfig | Sequence[AutoencoderConfig] | None = None,
        exchange=None, weights=None,
    ):  # fmt: skip
        super().__init__()
        self.config, self.maps, self.pck, self.side = training, maps, pck, side
        self.network = StackedHourglass(model)
        if autoencoder is not None:
            self.network.insert_autoencoder(autoencoder, side)
        self.size = side // model.stride
        self.register_buffer("mean_rgb", torch.as_tensor(mean_rgb), persistent=False)
        k = model.keypoints
        self.register_buffer("exchange", torch.as_tensor(range(k) if exchange is None else exchange), persistent=False)
        weights = torch.ones(k) if weights is None else torch.as_tensor(weights, dtype=torch.float32)
        self.register_buffer("weights", weights, persistent=False)
        self.plain = weights.eq(1).all().item() and training.unlabelled == "empty"
        for name, there in (("unlabelled", ("empty", "ignored")), ("schedule", ("drop", "cosine"))):
            if getattr(training, name) not in there:
                raise unknown(name, getattr(training, name), there)
        self.rule = DropRule()

    def seen(self, batch: Batch) -> Batch:
        """The batch with those keypoints labelled that the training asks for."""
        return replace(batch, visibility=batch.visibility * (batch.visibility >= self.config.least_visibility))

    def targets(self, batch: Batch) -> Tensor:
        """(B, K, size, size) float32."""
        return heatmaps(batch.points, batch.visibility, side=self.side, size=self.size, config=self.maps)

    def on_train_batch_start(self, batch: Batch, _: int) -> None:
        c, step = self.config, self.global_step
        if step < c.warmup:
            self._set_rate(c.rate * (step + 1) / c.warmup)
        elif c.schedule == "cosine":
            done = (step - c.warmup) / max(1, self.trainer.estimated_stepping_batches - c.warmup)
            self._set_rate(c.rate * 0.5 * (1 + math.cos(math.pi * done)))

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizers().param_groups:
            group["lr"] = rate

    def training_step(self, batch: Batch, _: int) -> Tensor:
        batch, c = self.seen(batch), self.config
        images, persons = batch.images(self.mean_rgb), len(batch.crops)
        if persons and (c.flip or c.rotation or c.scaling):
            how = {"exchange": self.exchange, "flip": c.flip, "rotation": c.rotation, "scaling": c.scaling}
            images, points, visibility = augmented(images, batch.points, batch.visibility, **how)
            batch = replace(batch, points=points, visibility=visibility)
        truth = self.targets(batch)
        outputs = self.network.predictions(images)
        # A process may have no person of a last small batch: it takes part in the step with a loss of zero.
        loss = sum(self._loss(o, truth, batch.visibility) if persons else o.sum() for o in outputs)
        self.add(train_loss=loss * persons, train_persons=torch.tensor(persons, device=self.device))
        return loss * share(persons, self.device)

    def _loss(self, output: Tensor, truth: Tensor, visibility: Tensor) -> Tensor:
        """Mean squared error over all elements; weighted by map where the training asks for it."""
        if self.plain:
            return F.mse_loss(output, truth)
        weights = self.weights.expand_as(visibility)
        if self.config.unlabelled == "ignored":
            weights = weights * (visibility > 0)
        return ((output - truth).square().mean((-2, -1)) * weights).mean()

    def on_validation_epoch_start(self) -> None:
        super().on_validation_epoch_start()
        self.reader = Reader(self.network, self.mean_rgb)

    def validated(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """`loss` (B,); `hits` (B, K) of labelled keypoints; `counted` (B, K), those that the training asks for."""
        seen, labelled = self.seen(batch), batch.visibility > 0
        output = self.reader.maps(batch)
        points, true = peaks(output)[0], cells(batch.points, self.side, self.size)
        hits = found(points, true, size=self.size, config=self.pck) & labelled
        loss = (output - self.targets(seen)).square().mean((1, 2, 3))
        return batch.index, {"loss": loss, "hits": hits, "counted": seen.visibility > 0}

    def on_train_epoch_end(self) -> None:
        super().on_train_epoch_end()
        counted = self.persons.pop("counted")
        self.row["val_pck"] = float((self.persons["hits"] & counted).sum().double() / counted.sum())
        self.row["learning_rate"] = self.optimizers().param_groups[0]["lr"]  # a warm-up ends within an epoch
        self._age_rate()

    def _age_rate(self) -> None:
        c = self.config
        if c.schedule == "drop" and self.rule.drops(self.current_epoch, self.row["val_pck"], c.drop_after):
            for group in self.optimizers().param_groups:
                group["lr"] /= c.drop_factor

    def configure_optimizers(self):
        c, parameters = self.config, self.network.parameters()
        if c.optimiser == "rmsprop":
            return torch.optim.RMSprop(parameters, lr=c.rate, alpha=c.alpha, momentum=c.momentum, eps=c.eps)
        if c.optimiser == "adam":
            return torch.optim.Adam(parameters, lr=c.rate, eps=c.eps)
        raise unknown("optimiser", c.optimiser, ("rmsprop", "adam"))

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["rate_rule"] = asdict(self.rule)
        checkpoint["parameters"] = [name for name, _ in self.network.named_parameters()]

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.rule = DropRule(**checkpoint["rate_rule"])


class ChangedModule(PoseModule):
    """The same with somebody's own loss or network (hgnb.training.changed), or an optimiser that is no source's.

    `val_loss` stays the mean squared error, so that it stands beside the unchanged training's.
    """

    loss: Callable[[Tensor, Tensor], Tensor] | None = None

    def _loss(self, output: Tensor, truth: Tensor, visibility: Tensor) -> Tensor:
        return super()._loss(output, truth, visibility) if self.loss is None else self.loss(output, truth)

    def configure_optimizers(self):
        c, parameters = self.config, self.network.parameters()
        if c.optimiser == "sgd":
            return torch.optim.SGD(parameters, lr=c.rate, momentum=c.momentum)
        if c.optimiser == "adamw":
            return torch.optim.AdamW(parameters, lr=c.rate, eps=c.eps)
        return super().configure_optimizers()


class AutoencoderModule(Tracked):
    """The autoencoder on its own: noisy latents in, clean latents out; SGD with momentum, rate halved; 7.2."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        model: AutoencoderConfig,
        training: AutoencoderTrainingConfig,
        seed: int = 0,
    ):
        super().__init__()
        self.config, self.seed = training, seed
        self.network = Autoencoder(shape, model).apply(glorot)

    def training_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        latents, _index = batch
        # Drawn from the seed and the step alone, so that a resumed run draws the same.
        step = self.global_step * self.trainer.world_size + self.global_rank
        drawn = torch.Generator(latents.device).manual_seed((self.seed << 32) + step)
        n = torch.randn(latents.shape, generator=drawn, device=latents.device)
        noisy = latents + self.config.noise * latents * n
        persons, output = len(latents), self.network(noisy)
        loss = F.mse_loss(output, latents) if persons else output.sum()
        self.add(train_loss=loss * persons, train_persons=torch.tensor(persons, device=self.device))
        return loss * share(persons, self.device)

    def validated(self, batch: Sequence[Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        latents, index = batch
        return index, {"loss": (self.network(latents) - latents).square().mean((1, 2, 3))}

    def configure_optimizers(self):
        optimiser = torch.optim.SGD(self.network.parameters(), lr=self.config.rate, momentum=self.config.momentum)
        rule = torch.optim.lr_scheduler.StepLR(optimiser, self.config.halve_every, gamma=0.5)
        return {"optimizer": optimiser, "lr_scheduler": rule}
