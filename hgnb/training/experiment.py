"""The thesis's chain on one profile and dataset: crops -> hourglass -> autoencoder -> modified hourglass.

Each notebook opens the experiment and asks for the run it needs; what isn't there yet is made, once.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from filelock import FileLock
from torch import Tensor

from hgnb.data.prepared import Prepared, prepare
from hgnb.data.splits import EMBEDDED
from hgnb.errors import InputError, unknown
from hgnb.home import home, located
from hgnb.identity import identified, identity
from hgnb.metrics import pck
from hgnb.model.hourglass import AutoencoderConfig, HourglassConfig, StackedHourglass
from hgnb.training import profiles
from hgnb.training.catalogue import Card, plain, shapes, tuples
from hgnb.training.changed import CHANGED_ROOTS, Backbone, Build, Change, imported, origin
from hgnb.training.fit import Job, Start, autoencoder_job, fit, freeze, hourglass_job, normalisable, shaped
from hgnb.training.hardware import keep_freed_memory
from hgnb.training.networks import ARMS, Arm, get, merged, names, scaled
from hgnb.training.parallel import Team
from hgnb.training.passes import Latents, Predictions, Reader, kept, loaded
from hgnb.training.profiles import FurtherTrainingConfig, TrainingConfig, filled
from hgnb.training.runs import Recipe, Run

if TYPE_CHECKING:
    from hgnb.training.modules import PoseModule

DATASET = "dataset"  # the stage before all training
# What a training's result is made of besides its numbers, data and parents, which a run's id holds already: network,
# loss and optimiser, the order of persons, what is drawn by chance, and how another run's state is taken on.
TRAINING_ROOTS = (
    "hgnb.training.fit.hourglass_job",
    "hgnb.training.fit.autoencoder_job",
    "hgnb.model.config.HourglassConfig",
    "hgnb.training.passes.Reader",  # whose latents an autoencoder is trained on
    "hgnb.training.loop.Begin",
    "hgnb.training.loop.weights",
    "hgnb.training.loop.Draws",
    "hgnb.training.loop.improved",  # which epoch's weights are kept
    "hgnb.training.loop.TRAINER",
    "hgnb.training.loop.seeded",
    "hgnb.training.parallel.synchronised",
)
FROZEN_ROOTS = (*TRAINING_ROOTS, "hgnb.training.fit.freeze")  # where an autoencoder isn't trained
DRAWN_ROOTS = ("hgnb.data.drawn.synthetic.write",)  # what draws the embedded data


@dataclass(frozen=True)
class Experiment:
    """A profile, a dataset and a seed.

    >>> experiment = Experiment.open("smoke", "embedded", seed=1)
    >>> run = experiment.hourglass()  # doctest: +SKIP
    >>> experiment.data_name, experiment.seed
    ('embedded', 1)
    """

    profile: profiles.Profile
    data: str  # "embedded", or a folder in COCO layout; a relative one as hgnb.home.located has it
    seed: int = 0
    progress: bool = False
    variant: str = ""  # another network or training in place of the profile's hourglass
    change: Change | None = None  # what of it is somebody's own

    @classmethod
    def open(
        cls, profile: str, data: str, seed: int = 0, progress: bool = False, variant: str = "",
        changed: Mapping[str, Any] | None = None,
    ) -> "Experiment":  # fmt: skip
        """By the names that a notebook's parameters give; an unknown profile or variant is an InputError.

        `changed`: as a manifest holds what was changed.
        """
        keep_freed_memory()
        loaded = profiles.load(profile)
        made = cls(scaled(loaded, variant) if variant else loaded, data, int(seed), progress, variant)
        return made.changed(changed["name"], network=changed["network"], **changed["numbers"]) if changed else made

    def varied(self, variant: str) -> "Experiment":
        """The same with another network or training in place of the profile's hourglass, by name."""
        return replace(self, profile=scaled(self.profile, variant), variant=variant)

    def changed(
        self,
        name: str,
        *,
        loss: Callable[[Tensor, Tensor], Tensor] | None = None,
        network: Build | str | None = None,
        metrics: Mapping[str, Callable[[Predictions], Any]] | None = None,
        **numbers: Mapping[str, Any],
    ) -> "Experiment":
        """The same with something of one's own in it, and with runs of its own called `name`.

        `numbers`: sections of the profile with the numbers that differ, as `training={"optimiser": "sgd"}`.
        `loss`: of heatmaps and targets (B, K, size, size), as F.mse_loss. `network`: what makes a module from crops
        (B, 3, S, S) to heatmaps (B, K, S/4, S/4) when called with K, or its 'my_module:build'. `metrics`: functions of
        Predictions, for `scores`; they change no training, and alone share the unchanged run.

        >>> Experiment.open("smoke", "embedded").changed("gentle", training={"rate": 1e-4}).profile.training.rate
        0.0001
        """
        before = self.change or Change(name)
        profile = filled(self.profile, numbers, f"changed('{name}')")
        change = Change(
            name,
            merged(before.numbers, numbers),
            loss or before.loss,
            (imported(network) if isinstance(network, str) else network) or before.network,
            {**before.metrics, **(metrics or {})},
        )
        return replace(self, profile=profile, change=change)

    @property
    def data_name(self) -> str:
        """What pages call the data: never a path of this machine."""
        return self.data if self.data == EMBEDDED else self.folder.name

    @cached_property
    def folder(self) -> Path:
        """The dataset's folder in COCO layout; the embedded one is drawn if it isn't there yet."""
        return self._embedded() if self.data == EMBEDDED else located(self.data)

    def check(self) -> None:
        """InputError unless the data can be read: layout, JSON, keypoints and images."""
        from hgnb.data import coco

        if self.data != EMBEDDED:
            coco.check(self.folder)
        try:
            self.profile.model.check_side(self.profile.data.side)
        except ValueError as error:
            raise InputError(f"profiles/{self.profile.name}.toml: {error}") from error

    @cached_property
    def _prepared(self) -> Prepared:
        cache = home() / "data" / "prepared"
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / ".lock"):
            return prepare(self.folder, self.profile.data, cache)

    def prepared(self) -> Prepared:
        """The persons of the dataset, cropped and split."""
        return self._prepared

    def remarks(self) -> list[str]:
        """Sentences on a person's own data: repaired, dropped, suspicious; and on flips that exchange nothing."""
        schema = self.prepared().schema
        said = [] if self.data == EMBEDDED else [f"Data '{self.data_name}': {self.prepared().summary}."]
        flips = [t.flip for t in (self.profile.training, self.profile.modified) if t.flip]
        if flips and not schema.pairs and len(schema) > 1:
            said.append(
                f"{flips[0]:.0%} of the persons are seen in a mirror, but no keypoints are known to be left and right: "
                "tell them ('hgnb data check DIR --pairs LEFT=RIGHT,… --write CLEAN'), or train without flips."
            )
        return said

    def model(self) -> HourglassConfig:
        """The profile's network with as many heatmaps as the dataset has keypoints."""
        return replace(self.profile.model, keypoints=len(self.prepared().schema))

    def hourglass(self) -> Run:
        """The single-stack hourglass of chapter 02."""
        return self.fresh("hourglass", self.profile.training)

    def fresh(
        self, name: str, training: TrainingConfig, autoencoder: AutoencoderConfig | None = None,
        start: Start | None = None,
    ) -> Run:  # fmt: skip
        """The profile's network from its first weights on, or from those of a `start`; with an autoencoder in its
        bottleneck if it is given."""
        checkpoint, parents = (start.checkpoint, [start.run]) if start else ("", [])
        recipe = self._recipe(name, training, autoencoder, *parents, checkpoint=checkpoint)
        return fit(recipe, lambda team: self._pose_job(training, team, autoencoder, start), self.progress)

    def started(self, parent: Run) -> Run:
        """The profile's hourglass from the best weights of another run on, which may know other data or smaller crops.

        InputError where that run's network has another shape.
        """
        held, training = parent.manifest["config"], self.profile.training
        own = identity((), self.change.own).get("own", {}) if self.change else {}
        other = held.get("own", {}).get("network") != own.get("network")
        if tuples(held["model"]) != asdict(self.model()) or held["autoencoder"] or other:
            raise InputError(f"The network of {parent.id} has another shape than profile {self.profile.name}'s.")
        return self.fresh("hourglass", training, start=Start(parent, "best-val_pck"))

    def few(self) -> Run:
        """The hourglass trained on with a handful of its training persons, which it learns by heart; 02_experiment."""
        asked, epochs = self.profile.analysis.few, self.profile.analysis.few_epochs
        training = replace(self.profile.modified, epochs=epochs, warmup=0, drop_after=epochs)  # the rate stays as it is
        start = Start(self.hourglass(), "best-val_pck")
        recipe = self._recipe("few", training, None, start.run, checkpoint=start.checkpoint, few=asked)

        def job(team: Team) -> Job:
            train = self.prepared().split("train")
            some = normalisable(self.profile, train.take(self._drawn(asked)), training.batch * team.size)
            batches = loaded(some, training.batch, self.seed, team.rank, team.size)
            return replace(self._pose_job(training, team, None, start), train=batches, person_ids=some.person_ids)

        return fit(recipe, job, self.progress)

    def autoencoder(self, best: str = "val_pck", stack: int = 0, shape: AutoencoderConfig | None = None) -> Run:
        """The autoencoder of chapter 04, trained on the latents of the hourglass at its best PCK, or lowest loss.

        `stack`: of which hourglass in a row. `shape`: instead of the profile's.
        """
        self._taken_apart("an autoencoder")
        p, parent, shape = self.profile, self.hourglass(), shape or self.profile.autoencoder
        name = "autoencoder" if best == "val_pck" else "autoencoder-best-loss"
        recipe = self._recipe(name, p.autoencoder_training, shape, parent, checkpoint=f"best-{best}", stack=stack)

        def job(team: Team) -> Job:
            train, val = (self._maps(parent, s, best, stack) for s in ("train", "val"))
            persons = self.prepared().split("train").person_ids
            return autoencoder_job(p, shape, train, val, persons, self.seed, team)

        return fit(recipe, job, self.progress)

    def modified(self) -> Run:
        """The hourglass with the autoencoder in its bottleneck, trained on; chapter 04."""
        return self.arm(ARMS["modified"])

    def arm(self, arm: Arm) -> Run:
        """The run of one of chapter 04's networks; all but the hourglass itself are trained on from it alike."""
        if arm.waist:
            self._taken_apart("an autoencoder")
        parent = self.hourglass()
        if arm.twin and parent.best_epoch("val_pck") == parent.best_epoch("val_loss"):
            return self.arm(ARMS[arm.twin])  # one checkpoint under two names: the same training
        if not arm.further:
            return parent
        trained = (self.autoencoder(arm.best),) if arm.waist == "trained" else ()
        frozen = "" if trained else arm.waist
        return self.further(arm.name, parent, self.profile.modified, f"best-{arm.best}", trained, frozen)

    def further(
        self,
        name: str,
        parent: Run,
        training: FurtherTrainingConfig,
        checkpoint: str = "best-val_pck",
        autoencoders: Sequence[Run] = (),
        frozen: str = "",
    ) -> Run:
        """Hourglasses trained on from a checkpoint of `parent`, each with its trained autoencoder where they are given.

        `checkpoint` as in Run.checkpoint; the rate, the epochs and what is carried over stand in `training`.
        `frozen`: 'random' or 'projection' puts one in that stays as it is (hgnb.training.fit).
        """
        shape: AutoencoderConfig | tuple[AutoencoderConfig, ...] | None = None
        if frozen:
            shape = shaped(self.profile.autoencoder, frozen)
        if autoencoders:
            each = tuple(AutoencoderConfig(**run.manifest["config"]["autoencoder"]) for run in autoencoders)
            shape = each if len(each) > 1 else each[0]
        recipe = self._recipe(name, training, shape, parent, *autoencoders, checkpoint=checkpoint, frozen=frozen)

        def latents() -> np.ndarray:
            return self._maps(parent, "train", checkpoint.removeprefix("best-"))

        def job(team: Team) -> Job:
            carried = (training.keep_optimiser, training.keep_rate, training.keep_rule)
            job = self._pose_job(training, team, shape, Start(parent, checkpoint, *carried))
            inserted = [hourglass.autoencoder for hourglass in job.module.network.hourglasses]
            for one, run in zip(inserted, autoencoders, strict=False):
                run.fill(one, "val_loss")
            if frozen:
                freeze(inserted[0], frozen, latents)
            return job

        return fit(recipe, job, self.progress)

    def network(self, run: Run, best: str = "val_pck") -> StackedHourglass:
        """The network of an hourglass run at its best PCK or lowest loss, with its autoencoders if it has any; a
        Backbone where the run's is somebody's own."""
        config = run.manifest["config"]
        if path := run.manifest["edition"].get("changed", {}).get("network"):
            mine = self.change and self.change.network
            build = mine if mine and origin(mine) == path else imported(path)
            model = HourglassConfig(**tuples(config["model"]))
            return run.fill(cast(StackedHourglass, Backbone.built(build, model, config["side"])), best)
        network = StackedHourglass(HourglassConfig(**tuples(config["model"])))
        if shape := shapes(config["autoencoder"]):
            network.insert_autoencoder(shape, config["side"])
        return run.fill(network, best)

    def reader(self, run: Run, best: str = "val_pck") -> Reader:
        """The same network, ready to predict."""
        return Reader(self.network(run, best), self.prepared().mean_rgb)

    def latents(self, run: Run, split: str, persons: np.ndarray | None = None, best: str = "val_pck") -> Latents:
        """Latents of an hourglass run in a file of the run: of a split's persons, or at least those at `persons`."""
        self._taken_apart("latents")
        width = math.prod(self.model().latent_shape(self.profile.data.side))
        return kept(run, self.prepared(), split, persons, width, lambda: self.reader(run, best), best, self.progress)

    def _maps(self, run: Run, split: str, best: str, stack: int = 0) -> np.ndarray:
        """(N, C, s, s) float32: the latents of a whole split as the autoencoder takes them."""
        if stack:  # only the first hourglass's are looked at by other chapters, and kept
            return self.reader(run, best).latents(self.prepared().split(split), stack)
        return self.latents(run, split, best=best).values.reshape(
            -1, *self.model().latent_shape(self.profile.data.side)
        )

    def _taken_apart(self, what: str) -> None:
        """InputError where the network is somebody's own, which has no bottleneck for `what`."""
        if self.change and self.change.network:
            raise InputError(
                f"'{self.change.name}' has a network of its own without the hourglass's bottleneck, and so no {what}: "
                "it can be trained, evaluated, used for predictions and exported."
            )

    def sample(self) -> np.ndarray:
        """Positions of the random training persons that chapters 03 and 05 look at; 10,000 in the thesis (6.4)."""
        return self._drawn(self.profile.analysis.sample)

    def _drawn(self, count: int) -> np.ndarray:
        """Positions, ascending, of so many training persons by the seed's lot."""
        order = np.random.default_rng(self.seed).permutation(len(self.prepared().split("train")))
        return np.sort(order[:count])

    def trained(self, name: str) -> Run | None:
        """The run of a training by name, made if it isn't there; None where it has nothing to train."""
        return self.hourglass() if name == self.variant else get(name).run(self)

    def stage(self, name: str) -> dict:
        """The data, or a training by name; says what came out, JSON-able."""
        facts = {"profile": self.profile.name, "data": self.data_name, "seed": self.seed}
        if name == DATASET:
            manifest = self.prepared().manifest
            return {**facts, "folder": self.prepared().folder.name, "persons": manifest["persons"]}
        if name not in names():
            raise unknown("stage", name, [DATASET, *names()])
        run = self.trained(name)
        return facts | (self.outcome(name, run) if run else {"run": None})

    def outcome(self, name: str, run: Run) -> dict:
        """What came out of a training, JSON-able."""
        facts = {"run": run.id, "seconds": run.manifest["seconds"], "epochs": len(run.metrics)}
        if name == "autoencoder":
            return {**facts, "val_loss": float(run.metrics.val_loss.min())}
        scores = {split: self.scores(run, split) for split in ("val", "test")}
        return facts | {name.lower(): {s: score[name] for s, score in scores.items()} for name in scores["test"]}

    def scores(self, run: Run, split: str = "test") -> dict[str, float]:
        """PCK of a run's best epoch on a split, and the measures of one's own that `changed` was given."""
        made = self.reader(run).predict(self.prepared().split(split))
        own = self.change.metrics if self.change else {}
        score = float(pck(made.hits(self.profile.pck), made.visibility))
        return {"PCK": score} | {name: float(measure(made)) for name, measure in own.items()}

    def _pose_job(
        self,
        training: TrainingConfig,
        team: Team,
        autoencoder: AutoencoderConfig | Sequence[AutoencoderConfig] | None = None,
        start: Start | None = None,
    ) -> Job:
        job = hourglass_job(self.profile, self.prepared(), training, self.seed, team, autoencoder, start)
        if self.change:
            self.change.into(cast("PoseModule", job.module), self.model())
        return replace(job, card=self._card(autoencoder))

    def _card(self, autoencoder: AutoencoderConfig | Sequence[AutoencoderConfig] | None) -> Card:
        """What the weights of an hourglass need to be used alone."""
        p, data = self.profile.data, self.prepared()
        names, skeleton = data.schema.names, data.schema.skeleton
        mean = tuple(data.mean_rgb.tolist())
        build = origin(self.change.network) if self.change and self.change.network else ""
        return Card(self.model(), autoencoder, p.side, p.margin, p.rule, mean, names, skeleton, build)

    def _recipe(
        self,
        name: str,
        training,
        autoencoder=None,
        *parents: Run,
        checkpoint: str = "",
        frozen: str = "",
        stack: int = 0,
        few: int = 0,
    ) -> Recipe:
        """What a run's hash is made of: numbers, data, code and the runs it starts from."""
        p, change = self.profile, self.change if self.change and self.change.trains else None
        roots = FROZEN_ROOTS if frozen else TRAINING_ROOTS
        code = identity((*roots, *CHANGED_ROOTS), change.own) if change else identity(roots)
        config = {
            "data": self.prepared().checksum,
            "side": p.data.side,
            "model": asdict(self.model()),
            "heatmaps": asdict(p.heatmaps),
            "pck": asdict(p.pck),
            "training": asdict(training),
            "autoencoder": plain(autoencoder),
            "parents": [run.id for run in parents],
            "checkpoint": checkpoint,
            **code,
        }
        if stack:
            config["stack"] = stack
        if frozen:
            config["frozen"] = frozen
        if few:
            config["few"] = few
        edition = {"profile": p.name, "data": self.data, "seed": self.seed}
        if self.variant:
            edition["variant"] = self.variant
        if change:
            edition["changed"] = change.edition
        if called := change.name if change else self.variant:
            name = called if name == "hourglass" else f"{called}-{name}"
        return Recipe(f"{name}-{p.name}-{self.data_name}", config, self.seed, edition)

    def _embedded(self) -> Path:
        """Draws the embedded data into data/, named by what changes it."""
        from hgnb.data.drawn import synthetic

        e = self.profile.embedded
        code = identified(DRAWN_ROOTS)[:8]
        size, style = f"{e.train_images}+{e.val_images}-{e.width}x{e.height}", f"{e.schema}-{e.labelling}"
        folder = home() / "data" / f"embedded-{size}-{style}-s{e.seed}-{code}"
        folder.parent.mkdir(exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.exists():
                synthetic.write(
                    folder, train_images=e.train_images, val_images=e.val_images, seed=e.seed, width=e.width,
                    height=e.height, schema=e.schema, labelling=e.labelling,
                )  # fmt: skip
        return folder
