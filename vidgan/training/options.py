"""Everything that decides a training run, in one frozen dataclass; presets are values of it."""

import dataclasses
import json
import math
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch import Tensor

from ..data import DATASETS
from ..errors import VidganError, unknown
from .growth import Moment


@dataclass(frozen=True)
class TrainOptions:
    """Options of every recipe. A subclass for each adds `model` and `recipe`, the paper's own."""

    architecture: ClassVar[str]
    grows: ClassVar[bool] = False  #: whether the networks get layers on the way, so that some have no gradient

    preset: str = "paper"  # where all other values come from
    dry_run: bool = False  # print the options and stop
    data: str = "expressions"  # data set: expressions, weizmann, sprites, or folder for videos of your own
    data_root: str | None = None  # where its files are
    data_options: tuple[str, ...] = ()  # name=value for the data set, see docs/data.md
    conditional: bool = True  # tell the networks the label, where the data has any
    run: Path = Path("runs/run")  # folder for states, logs and sample sheets
    init: str | None = None  # begin with the weights of this run, or with the generator of this release
    batch: int = 16  # clips a step, on each process
    micro_batches: int = 1  # parts that a batch is drawn in, their gradients added: less memory
    steps: int = 20_000  # where to stop
    max_minutes: float = 0.0  # stop earlier, saved; 0: never
    precision: Literal["fp32", "bf16"] = "fp32"  # bf16: networks under autocast
    device: Literal["auto", "cpu", "cuda"] = "auto"  # auto: a GPU where there is one
    compile: bool = False  # torch.compile for all networks
    seed: int = 0  # decides weights, latents and clips
    log_every: int = 20  # steps between lines of log.jsonl
    sheet_every: int = 500  # steps between sample sheets; 0: none
    evaluate_every: int = 0  # steps between distances to both splits of the data; 0: none
    evaluate_clips: int = 512  # clips that these are measured with
    save_minutes: float = 10.0  # minutes between saves; 0: save after every step
    keep: int = 2  # saved states that are kept
    threads: int = 0  # processor threads; 0: all

    def check(self) -> "TrainOptions":
        """Itself, or VidganError naming everything that contradicts, before anything runs."""
        wrong = []
        if self.batch < 1 or self.micro_batches < 1 or self.batch % self.micro_batches:
            wrong.append(f"batch {self.batch} must split evenly into micro_batches {self.micro_batches}")
        elif self.batch // self.micro_batches < 2:
            wrong.append("each micro-batch needs at least 2 clips, for batch norm")
        if self.steps < (0 if self.grows else 1) or self.keep < 1 or self.log_every < 1:
            wrong.append("steps, keep and log_every must be at least 1")
        if min(self.sheet_every, self.evaluate_every, self.max_minutes, self.save_minutes, self.threads) < 0:
            wrong.append("sheet_every, evaluate_every, max_minutes, save_minutes and threads cannot be negative")
        wrong += [f"{name} is no finite number: {value}" for name, value in self._floats() if not math.isfinite(value)]
        if self.evaluate_every and self.evaluate_clips < 2:
            wrong.append(f"a distance needs evaluate_clips of at least 2, not {self.evaluate_clips}")
        for name, choices in (("precision", ("fp32", "bf16")), ("device", ("auto", "cpu", "cuda"))):
            if getattr(self, name) not in choices:
                wrong.append(f"{name} is {' or '.join(choices)}, not {getattr(self, name)!r}")
        if not 0 <= self.seed < 2**63:
            wrong.append(f"seed must be from 0 to 2^63 - 1, not {self.seed}")
        for item in self.data_options:
            name, given, _ = item.partition("=")
            if not given:
                wrong.append(f"data_options are name=value, not {item!r}")
            elif name.replace("-", "_") in RESERVED:
                wrong.append(f"{name} is not one of the data_options: it follows from the other options")
        if self.data not in DATASETS:
            raise unknown("data set", self.data, DATASETS)
        if wrong:
            raise VidganError("These options do not go together: " + "; ".join(wrong) + ".")
        return self

    def _floats(self) -> Iterator[tuple[str, float]]:
        """Names and values of all options that are numbers with a fraction, those of the model and the recipe too."""
        for part in (self, self.model, self.recipe):
            for name, value in vars(part).items():
                for one in value if isinstance(value, tuple) else (value,):
                    if isinstance(one, float):
                        yield name, one

    def settled(self, world: int = 1) -> "TrainOptions":
        """Itself, with what is left to it and follows from the number of processes: the steps of one that grows."""
        return self

    def whole(self, world: int = 1) -> int:
        """Steps after which the clips have grown and learnt in full; asked for only where they grow."""
        raise TypeError(f"{self.architecture} does not grow")

    def moment(self, step: int, world: int = 1) -> Moment:
        """What step number `step` of a training by `world` processes is told."""
        return Moment(self.batch)

    def at_stage(self, clip: Tensor, stage: float) -> Tensor:
        """Real clips as they look at a stage of growth; asked for only where `moment` names one."""
        raise TypeError(f"{self.architecture} does not grow")

    def source_options(self) -> dict[str, Any]:
        """data_options as keyword arguments, values read as JSON where they are JSON."""
        options = {}
        for item in self.data_options:
            name, _, value = item.partition("=")
            try:
                options[name.replace("-", "_")] = json.loads(value)
            except ValueError:
                options[name.replace("-", "_")] = value
        return options

    def to_json(self) -> dict:
        """Plain JSON, with the architecture's name."""
        return json.loads(json.dumps({"architecture": self.architecture, **dataclasses.asdict(self)}, default=str))


def check_adam(rates: dict[str, float], betas: tuple[float, float]) -> None:
    """VidganError where these are no learning rates and decay rates of Adam."""
    for name, rate in rates.items():
        if not 0 <= rate < math.inf:
            raise VidganError(f"The learning rate of the {name} must be a number from 0 on, not {rate}.")
    if not all(0 <= beta < 1 for beta in betas):
        raise VidganError(f"betas must lie in [0, 1), not {betas}.")


#: what the trainer itself tells a data set
RESERVED = ("split", "frames", "size", "seed", "rank", "device", "root")

#: options that may differ between a run and its continuation; all others decide what the networks learn
FREE = {
    "model.recompute",  # which decides how much memory a step takes, and nothing that it learns
    "recipe.ema",  # which decides the average that is published, and nothing that it is an average of
    *("preset", "dry_run", "run", "steps", "max_minutes", "data_root", "log_every", "sheet_every", "evaluate_every"),
    *("evaluate_clips", "save_minutes", "keep", "threads", "compile"),
}


def changed(before: dict, now: dict) -> list[str]:
    """Names of options that decide what is learnt and differ between two `to_json()` dicts."""
    names = []
    for name in sorted((before.keys() | now.keys()) - FREE):
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            inside = [key for key in sorted(old.keys() | new.keys()) if f"{name}.{key}" not in FREE]
            names += [f"{name}.{key}" for key in inside if old.get(key) != new.get(key)]
        elif old != new:
            names.append(name)
    return names


def preset(architecture: str, name: str, recipes: dict[str, Any], options: TrainOptions | None = None) -> TrainOptions:
    """`options`, or the values of a preset of `recipes[architecture]` (a module with PRESETS and ALIASES), with the
    preset's full name written in. What a preset says of its own data set is dropped where another is chosen."""
    if architecture not in recipes:
        raise unknown("recipe", architecture, recipes)
    module = recipes[architecture]
    full = module.ALIASES.get(name, name)
    if full not in module.PRESETS:
        raise unknown(f"{architecture} preset", name, [*module.PRESETS, *module.ALIASES])
    base = module.PRESETS[full]
    options = dataclasses.replace(options or base, preset=full)
    if options.data != base.data and options.data_options == base.data_options:
        options = dataclasses.replace(options, data_options=())
    return options


def smoke(options: Any, model: Any) -> Any:
    """A preset that trains in seconds: ten small steps on a few drawn faces."""
    told = {
        "data_options": ("bank=48", "identities=16"),
        "precision": "fp32",
        "batch": 4,
        "steps": 10,
        "sheet_every": 5,
    }
    return dataclasses.replace(options, model=model, **told)


def restore(kind: type, data: dict) -> Any:
    """The options, of class `kind`, that `to_json` wrote; fields that did not exist yet take their defaults."""
    hints = typing.get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):
        if field.name not in data:
            continue
        value = data[field.name]
        if dataclasses.is_dataclass(hints[field.name]):
            value = restore(hints[field.name], value)
        elif isinstance(value, list):
            value = tuple(value)
        elif hints[field.name] is Path:
            value = Path(value)
        values[field.name] = value
    return kind(**values)
