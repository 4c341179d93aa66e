"""The one training loop. Any recipe, one processor or many GPUs, stopped and resumed at will.

Everything random in a step is a function of (seed, step, micro-batch), and the state holds the rest, so to resume is
to run the same command again: the weights come out the same, bit for bit, on a CPU.
"""

import dataclasses
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor
from tqdm import tqdm

from ..conditions import Condition
from ..data import Batch, open_source
from ..data.base import step_generator
from ..errors import VidganError
from ..models import ARCHITECTURES, Generator, ReleaseInfo
from ..models.layers import channels_last, step_spectral_norms
from .ema import EMA, calibrate, first_frames
from .growth import Moment
from .log import RunLog
from .options import TrainOptions, changed, restore
from .phases import Micro, Networks
from .sheet import save_sheet, sheet_frames
from .start import start_from
from .state import Lock, fitting, flatten_optimizer, load_state, pack_shown, restore_optimizer, save_state


def train(options: TrainOptions) -> Path:
    """Train until `options.steps`, `max_minutes`, SIGTERM or Ctrl-C, whichever is first; returns the run folder.

    All of them save the state and end without an error. Raises VidganError with what to try where losses stop being
    numbers, memory runs out or the disk is full; the last state then stands as it was.
    """
    options.check()
    trainer = None
    try:
        with Lock(Path(options.run)):
            trainer = Trainer(options)
            return trainer.run()
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            again = ", or give --model.recompute 4" if options.grows else ""
            raise VidganError(
                f"Out of memory at step {trainer.step if trainer else 0}: lower --batch ({options.batch}), raise "
                f"--micro-batches ({options.micro_batches}) or lower --model.width{again}; the last saved state stands."
            ) from error
        raise
    except OSError as error:
        raise VidganError(f"Writing to {options.run} failed ({error}); the last saved state stands.") from error
    finally:
        if trainer:
            trainer.close()
        AcceleratorState._reset_state()  # so that the next run of this process may choose another precision


class Trainer:
    """Networks, optimisers, data and clock of one run. `run()` trains; the parts are there for tests."""

    def __init__(self, options: TrainOptions):
        self.options = options
        self.run_folder = Path(options.run)
        if options.threads:
            torch.set_num_threads(options.threads)
        self.accelerator = Accelerator(
            mixed_precision="bf16" if options.precision == "bf16" else "no",
            cpu=options.device == "cpu",
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=options.grows)],
        )
        if options.device == "cuda" and self.accelerator.device.type != "cuda":
            raise VidganError("--device cuda was asked for, but torch sees no GPU here.")
        self.device = self.accelerator.device
        self.world = self.accelerator.num_processes
        self.options = options = options.settled(self.world)
        self.source = open_source(
            options.data,
            frames=options.model.frames,
            size=options.model.size,
            root=options.data_root,
            seed=options.seed,
            device=str(self.device),
            **options.source_options(),
        )
        self._build()
        if 0 < self.source.native < self.source.size and self.accelerator.is_main_process:
            print(
                f"{options.data} has {self.source.native} pixels: clips of {self.source.size} are enlarged, and hold "
                f"nothing finer; --model.size {self.source.native} sees the same sooner.",
                file=sys.stderr,
            )
        self.step = 0
        self.stop_reason = ""
        self.seconds = 0.0
        self._resume()
        if options.evaluate_every:
            from .evaluate import check_ready

            check_ready(self.networks.plain["generator"], options)
        self.log = RunLog(self.run_folder, self.step) if self.accelerator.is_main_process else None

    def _build(self) -> None:
        options = self.options
        labels = self.source.labels
        classes = len(labels) if options.conditional else 0
        if options.model.classes not in (0, classes):
            raise VidganError(f"--model.classes follows from the data ({classes}), not {options.model.classes}.")
        model = dataclasses.replace(options.model, classes=classes)
        architecture = ARCHITECTURES[options.architecture]
        torch.manual_seed(options.seed)
        plain = {"generator": architecture.generator(model), **architecture.discriminators(model)}
        for network in plain.values():
            channels_last(network.to(self.device))
        plain["generator"].info = ReleaseInfo(
            self.run_folder.name, options.architecture, options.data, labels=labels if classes else ()
        )
        self.ema = EMA(plain["generator"], options.recipe.ema, warm_up=not options.init)
        self.shown = first_frames(self.source, classes) if plain["generator"].takes_image else None
        rates = options.recipe.learning_rates()
        self.optimizers = {
            name: options.recipe.optimizer(network.parameters(), rates[name]) for name, network in plain.items()
        }
        called = plain
        if options.compile:
            called = {name: torch.compile(network) for name, network in plain.items()}
        prepared = dict(zip(called, self.accelerator.prepare(*called.values()), strict=True))
        self.networks = Networks(plain, prepared)
        self.phases = options.recipe.phases(tuple(plain))

    # --- one step --------------------------------------------------------------------------------------------------
    def train_step(self) -> dict[str, Tensor]:
        """One step of every phase; losses as detached scalars on the device, averaged over micro-batches and phases."""
        moment = self.options.moment(self.step, self.world)
        self._prepare(moment)
        step_spectral_norms(*self.networks.plain.values())
        draws = {draw: list(self._micros(draw, moment)) for draw in sorted({phase.draw for phase in self.phases})}
        losses: dict[str, list[Tensor]] = {}
        for phase in self.phases:
            micros = draws[phase.draw]
            for name in phase.updates:
                self.optimizers[name].zero_grad(set_to_none=True)
            for index, micro in enumerate(micros):
                with ExitStack() as stack:
                    if index + 1 < len(micros):  # gradients travel between processes with the last micro-batch
                        for name in phase.updates:
                            stack.enter_context(self.accelerator.no_sync(self.networks[name]))
                    with self.accelerator.autocast():
                        parts = phase.losses(self.networks, micro)
                    self.accelerator.backward(sum(parts.values()) / len(micros))
                for name, value in parts.items():
                    losses.setdefault(name, []).append(value.detach())
            for name in phase.updates:
                self.optimizers[name].step()
            self.options.recipe.constrain(self.networks, phase.updates, self.step)
        self.ema.update(self.networks.plain["generator"], self.step)
        self.step += 1
        return {name: torch.stack(values).mean() for name, values in losses.items()}

    def _prepare(self, moment: Moment) -> None:
        """Networks and optimisers for a step at that moment."""
        for network in self.networks.plain.values():
            network.train()
        rates = self.options.recipe.learning_rates()
        for name, optimizer in self.optimizers.items():
            if moment.fresh:
                optimizer.state.clear()
            for group in optimizer.param_groups:
                group["lr"] = rates[name] * moment.rate

    def _micros(self, draw: int = 0, moment: Moment | None = None) -> Iterator[Micro]:
        """The micro-batches of this process for one of the step's draws: number m of process r is the same as number
        r * micro_batches + m of a single process that adds up gradients instead."""
        options = self.options
        moment = moment or options.moment(self.step, self.world)
        count = options.micro_batches
        size = moment.batch // count
        draws = 1 + max(phase.draw for phase in self.phases)
        shared = sum(phase.draw == draw for phase in self.phases) > 1
        for index in range(count):
            shard = self.accelerator.process_index * count + index
            number = (self.step * draws + draw) * count * self.world + shard
            batch = self.source.batch(size, number)
            random = step_generator(options.seed + 1, 0, number)
            generator = self.networks.plain["generator"]
            latents = generator.draw_latents(size, random).to(self.device)
            clip = batch.clip.to(self.device, non_blocking=True)
            if moment.stage is not None:
                clip = options.at_stage(clip, moment.stage)
            clip = clip.contiguous(memory_format=torch.channels_last_3d)
            label = None if batch.label is None else batch.label.to(self.device)
            condition = Condition()
            if generator.config.classes:
                condition = Condition.of_classes(label, generator.config.classes)
            if generator.takes_image:
                condition = dataclasses.replace(condition, image=clip[:, :, 0])
            condition = dataclasses.replace(condition, stage=moment.stage)
            yield Micro(Batch(clip, label, batch.factors), latents, condition, random, self.step, count == 1 and shared)

    # --- the loop --------------------------------------------------------------------------------------------------
    def run(self) -> Path:
        options = self.options
        started, saved = time.monotonic(), time.monotonic()
        before = self.seconds
        heard: dict[str, list[Tensor]] = {}
        with _Stopper() as stopper, self._bar() as bar:
            while self.step < options.steps and not self.stop_reason:
                for name, value in self.train_step().items():
                    heard.setdefault(name, []).append(value)
                bar.update()
                minutes = (time.monotonic() - started) / 60
                due = self.step == options.steps or bool(options.max_minutes and minutes >= options.max_minutes)
                self.stop_reason = self._agree(stopper.signal or ("the end" if due else ""))
                save = bool(self.stop_reason) or self._agree(time.monotonic() - saved > options.save_minutes * 60)
                sheet = bool(options.sheet_every) and self.step % options.sheet_every == 0
                score = bool(options.evaluate_every) and self.step % options.evaluate_every == 0
                if self.step % options.log_every == 0 or save or sheet or score:
                    self.seconds = before + time.monotonic() - started
                    self._log(bar, heard, minutes * 60)
                    heard = {}
                if save:
                    self._save()
                    saved = time.monotonic()
                if self.accelerator.is_main_process and (sheet or score):
                    self._look(sheet, score)
            bar.close()
        if self.accelerator.is_main_process:
            print(f"{self.run_folder}: step {self.step}, saved ({self.stop_reason or 'nothing left to do'}).")
            if (grown := self._grown()) is not None:
                print(
                    f"The clips have grown to stage {grown:.3g} of {len(options.model.levels) - 1}, in full after step "
                    f"{options.whole(self.world)}: the same command goes on, with --steps 0 to the end."
                )
        return self.run_folder

    def _bar(self) -> tqdm:
        return tqdm(
            total=self.options.steps, initial=self.step, desc=self.run_folder.name, unit="step", mininterval=1.0,
            disable=not self.accelerator.is_main_process, dynamic_ncols=True,
        )  # fmt: skip

    def _agree(self, value):
        """The first process's word, for all of them; any process's where it is a signal to stop."""
        if self.world == 1:
            return value
        heard = [None] * self.world
        torch.distributed.all_gather_object(heard, value)
        return next((word for word in heard if isinstance(word, str) and word), heard[0])

    def _log(self, bar: tqdm, heard: dict[str, list[Tensor]], seconds: float) -> None:
        """One line; a loss that not every step has is averaged over those that have it."""
        means = {name: torch.stack(values).mean().item() for name, values in heard.items()}
        broken = [name for name, value in means.items() if not abs(value) < float("inf")]
        if broken:
            raise self._diverged(" and ".join(broken))
        moment = self.options.moment(max(0, self.step - 1), self.world)
        clips = moment.batch * self.world * (bar.format_dict["rate"] or 0.0)
        grown = {} if moment.stage is None else {"stage": round(moment.stage, 3)}
        told = {name: f"{value:.2f}" for name, value in {**grown, **means}.items()}
        bar.set_postfix({**told, "clips/s": f"{clips:.0f}"})
        if self.log:
            self.log.write(
                self.step, seconds=round(self.seconds, 1), clips_per_second=round(clips, 2), **grown, **means
            )

    def _diverged(self, what: str) -> VidganError:
        return VidganError(
            f"{what} stopped being a number near step {self.step}. Try lower learning rates or --precision fp32; "
            f"the last good state in {self.run_folder / 'state'} stands."
        )

    def _look(self, sheet: bool, score: bool) -> None:
        generator = self.ema_generator()
        if sheet:
            frames = sheet_frames(generator, shown=self.shown)
            save_sheet(frames, self.run_folder / "sheets" / f"step-{self.step:08d}.webp")
            self.log.sheet(self.step, frames)
        if score:
            from .evaluate import evaluate

            self.log.write(self.step, kind="metrics", **evaluate(generator, self.options, self.device))

    def ema_generator(self) -> Generator:
        """The averaged generator with batch-norm statistics of its own, in eval mode."""
        generator = calibrate(self.ema.generator, self.shown)
        generator.grown = self._grown()
        return generator

    def _grown(self) -> float | None:
        """The stage of the step that was the last, unless it is the networks' own last one, or they do not grow."""
        stage = self.options.moment(max(0, self.step - 1), self.world).stage
        return None if stage is None or stage == len(self.options.model.levels) - 1 else stage

    # --- state -----------------------------------------------------------------------------------------------------
    def _save(self) -> None:
        if self.accelerator.is_main_process:
            tensors, groups = {}, {}
            for name, network in self.networks.plain.items():
                tensors |= {f"network.{name}.{key}": value for key, value in network.state_dict().items()}
                slots, groups[name] = flatten_optimizer(f"optimizer.{name}", self.optimizers[name])
                tensors |= slots
            for name, value in tensors.items():
                if not torch.isfinite(value).all():
                    raise self._diverged(name)
            tensors |= {f"ema.{key}": value for key, value in self.ema.generator.state_dict().items()}
            tensors |= pack_shown(self.shown)
            tensors["random.torch"] = torch.get_rng_state()
            facts = {"options": self.options.to_json(), "groups": groups, "seconds": self.seconds,
                     "labels": self.source.labels, "grown": self._grown(), "world": self.world}  # fmt: skip
            save_state(self.run_folder, self.step, tensors, facts, self.options.keep)
        self.accelerator.wait_for_everyone()

    def _resume(self) -> None:
        found = load_state(self.run_folder)
        if found is None:
            if self.options.init:
                start_from(self.options.init, self.networks.plain, self.ema)
            if self.accelerator.is_main_process:
                self.run_folder.mkdir(parents=True, exist_ok=True)
                (self.run_folder / "options.json").write_text(json.dumps(self.options.to_json(), indent=2) + "\n")
            return
        tensors, facts = found
        with fitting(self.run_folder):
            begun = restore(type(self.options), facts["options"])
        differing = changed(begun.to_json(), self.options.to_json())
        if differing:
            raise VidganError(
                f"{self.run_folder} was begun with other options ({', '.join(differing)}): give those again, or "
                f"another --run."
            )
        if self.options.grows and facts.get("world", self.world) != self.world:
            raise VidganError(
                f"{self.run_folder} has grown by the steps of {facts['world']} process(es): go on with as many, not "
                f"{self.world}, or its stage would jump."
            )
        with fitting(self.run_folder):
            for name, network in self.networks.plain.items():
                network.load_state_dict(_part(tensors, f"network.{name}."))
                restore_optimizer(f"optimizer.{name}", self.optimizers[name], tensors, facts["groups"][name])
            self.ema.generator.load_state_dict(_part(tensors, "ema."))
            torch.set_rng_state(tensors["random.torch"])
            self.step, self.seconds = facts["step"], float(facts["seconds"])

    def close(self) -> None:
        if self.log:
            self.log.close()


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


class _Stopper:
    """While open, SIGTERM and Ctrl-C ask for a stop after the running step instead of breaking it off."""

    def __init__(self):
        self.signal = ""

    def __enter__(self) -> "_Stopper":
        self._before = {number: signal.signal(number, self._heard) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def _heard(self, number: int, _frame) -> None:
        if self.signal and number == signal.SIGINT:
            raise KeyboardInterrupt("again")
        self.signal = signal.Signals(number).name
        print(f"\n{self.signal}: finishing the step, then saving.", file=sys.stderr)

    def __exit__(self, *_error) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
