"""A warm start: a run that goes on from another's checkpoint, with as much of its state as is asked for.

Ambiguity 13: the thesis trains its modified hourglass on from epoch 47 and doesn't say whether the optimiser's
averages, the learning rate and the rule that drops it begin anew. Each is a choice here.
"""

import lightning as L
import torch

from hgnb.training.job import Start
from hgnb.training.modules import DropRule, PoseModule
from hgnb.training.runs import filled


class Begin(L.Callback):
    """Puts the state of a checkpoint in place before the first step; a resumed run has its own already."""

    def __init__(self, start: Start):
        self.start = start

    def on_train_start(self, trainer: L.Trainer, module: PoseModule) -> None:
        held = self.start.run.checkpoint(self.start.checkpoint)
        (optimiser,) = trainer.optimizers
        (kept,) = held["optimizer_states"]
        if self.start.optimiser:  # its states are keyed by the parameters' positions, in any order
            _carry(optimiser, module, {held["parameters"][i]: state for i, state in kept["state"].items()})
        if self.start.rate:
            optimiser.param_groups[0]["lr"] = kept["param_groups"][0]["lr"]
        if self.start.rule:
            module.rule = DropRule(**held["rate_rule"]).carried(held["epoch"] + 1)


def weights(start: Start, network: torch.nn.Module) -> None:
    """Loads a checkpoint's weights; only what was inserted since, an autoencoder, may lack there."""
    held = start.run.checkpoint(start.checkpoint)["state_dict"]
    held = {name.removeprefix("network."): value for name, value in held.items()}
    inserted = {name: value for name, value in network.state_dict().items() if ".autoencoder." in name}
    filled(network, inserted | held, f"data/runs/{start.run.id}/{start.checkpoint}.ckpt")


def _carry(optimiser: torch.optim.Optimizer, module: PoseModule, states: dict[str, dict]) -> None:
    """Gives every parameter the averages that the one of its name had."""
    for name, parameter in module.network.named_parameters():
        if name in states:
            device = parameter.device
            state = states[name].items()
            optimiser.state[parameter] = {k: v.to(device) if k != "step" else v for k, v in state}
