"""The loop that trains the small networks of the metrics: one network, one optimiser, one process.

The same command again resumes; a step is a function of (seed, step) and the state, so that what was stopped goes on as
if it had not been.
"""

import copy
import json
import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm

from .. import __version__
from ..errors import VidganError
from ..hub import new_folder
from .log import RunLog
from .options import changed
from .state import Lock, flatten_optimizer, load_state, restore_optimizer, save_state
from .trainer import _Stopper


@dataclass(frozen=True)
class SmallOptions:
    """Options of every small network; a subclass names run and release, and what else its training takes.

    run: folder for states and logs; release: where the network goes at the end; data_root: where files are; steps:
    where to stop, with the learning rate at nothing; rate: highest learning rate; precision: "bf16" (autocast) or
    "fp32"; max_minutes: stop earlier, saved (0: never); threads: CPU threads (0: all).
    """

    run: Path
    release: Path
    data_root: str | None = None
    steps: int = 1000
    rate: float = 2e-3
    weight_decay: float = 0.01
    precision: str = "bf16"
    device: str = "cpu"
    seed: int = 0
    max_minutes: float = 0.0
    save_minutes: float = 2.0
    threads: int = 0
    width: int = 24

    #: names of the options that decide the weights besides the number of steps
    DECIDE: ClassVar[tuple[str, ...]] = ("rate", "weight_decay", "precision", "seed", "width")

    def to_json(self) -> dict:
        """What decides the weights; all else may differ when a run is resumed."""
        return {name: getattr(self, name) for name in self.DECIDE}


class SmallTrainer(ABC):
    """Network, optimiser and clock of one run. `run()` trains; a subclass says what a step is (`train_step`)."""

    def __init__(self, options: SmallOptions, network: nn.Module):
        self.options = options
        self.network = network
        matrices = [value for value in network.parameters() if value.dim() > 1]
        vectors = [value for value in network.parameters() if value.dim() <= 1]
        groups = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.weight_decay)
        self.step, self.seconds = 0, 0.0
        self._resume()

    @abstractmethod
    def train_step(self) -> dict[str, float]:
        """One step; what is to be logged of it."""

    def optimize(self, loss: torch.Tensor) -> None:
        """The optimiser's part of a step, at the step's learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, self.options)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.step += 1

    def run(self) -> bool:
        """Train; True where the last step has been reached."""
        options = self.options
        started = saved = time.monotonic()
        before, minutes = self.seconds, 0.0
        log = RunLog(Path(options.run), self.step)
        sums: dict[str, float] = {}
        counted = 0
        with _Stopper() as stopper, tqdm(total=options.steps, initial=self.step, unit="step", mininterval=5) as bar:
            while self.step < options.steps and not stopper.signal:
                for name, value in self.train_step().items():
                    sums[name] = sums.get(name, 0.0) + value
                counted += 1
                bar.update()
                minutes = (time.monotonic() - started) / 60
                self.seconds = before + minutes * 60
                late = bool(options.max_minutes) and minutes >= options.max_minutes
                if counted == 20 or late:
                    means = {name: value / counted for name, value in sums.items()}
                    if not all(map(math.isfinite, means.values())):
                        raise VidganError(f"A loss stopped being a number near step {self.step}: lower --rate.")
                    log.write(self.step, seconds=round(self.seconds, 1), **means)
                    bar.set_postfix({name: f"{value:.2f}" for name, value in means.items()})
                    sums, counted = {}, 0
                if time.monotonic() - saved > options.save_minutes * 60:
                    self.save()
                    saved = time.monotonic()
                if late:
                    break
        log.close()
        self.save()
        return self.step >= options.steps

    def save(self) -> None:
        slots, groups = flatten_optimizer("optimizer", self.optimizer)
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()} | slots
        facts = {"options": self.options.to_json(), "groups": groups, "seconds": self.seconds}
        save_state(Path(self.options.run), self.step, tensors, facts)

    def _resume(self) -> None:
        found = load_state(Path(self.options.run))
        if found is None:
            return
        tensors, facts = found
        differing = changed(facts["options"], self.options.to_json())
        if differing:
            raise VidganError(f"{self.options.run} was begun with other options ({', '.join(differing)}).")
        own = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
        self.network.load_state_dict(own)
        restore_optimizer("optimizer", self.optimizer, tensors, facts["groups"])
        self.step, self.seconds = facts["step"], facts["seconds"]


def rate_at(step: int, options: SmallOptions) -> float:
    """The learning rate: up in the first twentieth of the steps, then down along half a cosine to nothing."""
    warm = max(1, options.steps // 20)
    if step < warm:
        return options.rate * (step + 1) / warm
    return options.rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, options.steps - warm)))


def write_release(
    trainer: SmallTrainer, facts: dict, describe: Callable, load: Callable, measure: Callable, card: Callable
) -> Path:
    """Write `options.release`, whole or not at all: config.json, model.safetensors (matrices float16), metrics.json and
    the card; what is measured is measured on the weights as released.

    facts: what config.json begins with; describe(network): what `load(folder, device)` reads of it; measure(network):
    metrics; card(config, metrics, network): README.md.
    """
    options = trainer.options
    weights = {
        name: value.detach().cpu().to(torch.float16 if value.dim() > 1 else value.dtype).contiguous()
        for name, value in trainer.network.state_dict().items()
    }
    network = copy.deepcopy(trainer.network).eval().requires_grad_(False)
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    told = {"step": trainer.step, "training": options.to_json(), "license": "apache-2.0", "vidgan_version": __version__}
    config = facts | describe(network) | told
    with new_folder(Path(options.release)) as new:
        save_file(weights, new / "model.safetensors", metadata={"format": "pt"})
        (new / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")
        network = load(new, options.device)
        metrics = measure(network) | {"training_minutes": round(trainer.seconds / 60, 1)}
        (new / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", "utf-8")
        (new / "README.md").write_text(card(config, metrics, network), "utf-8")
    return Path(options.release)


def command(
    program: str, options: type, trainer: type[SmallTrainer], arguments: list[str] | None, release: Callable
) -> int:
    """The command line of a small network: train, and release at the end; the exit status."""
    import tyro

    chosen = tyro.cli(options, args=arguments, prog=f"python -m {program}")
    try:
        with Lock(Path(chosen.run)):
            trained = trainer(chosen)
            if not trained.run():
                print(f"{chosen.run}: stopped at step {trained.step}, saved; the same command resumes.")
                return 0
            print(f"released to {release(trained)}")
    except VidganError as error:
        print(f"vidgan: {error}", file=sys.stderr)
        return 2
    return 0
