"""python -m benchmarks.stages [--json] [--time]: what each stage of Progressive Video GAN costs, per step and clip.

Memory and arithmetic of the preset `swgan` (256 pixels, 32 frames) in bf16 are computed: a whole training step runs on
tensors that have shapes and no content, while every storage that comes and goes is counted, and every product. --time
also runs steps of `cpu-swgan` on this machine, for seconds each.
"""

import argparse
import json
import tempfile
import time
import weakref
from dataclasses import asdict, dataclass, replace

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from vidgan.conditions import Condition
from vidgan.data import Batch
from vidgan.models import ARCHITECTURES
from vidgan.training.growth import Moment
from vidgan.training.options import TrainOptions, preset
from vidgan.training.phases import Micro, Networks
from vidgan.training.recipes import RECIPES
from vidgan.training.trainer import Trainer


class Counter(TorchDispatchMode):
    """Counts the bytes of all storages that operations make while it is on: those that live, and the most there were;
    and products: the arithmetic of convolutions and matrix products, a product and a sum counted as two."""

    def __init__(self):
        super().__init__()
        self.live = self.most = self.products = 0
        self._known = weakref.WeakSet()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        made = operation(*args, **(kwargs or {}))
        counted = flop_registry.get(operation._overloadpacket)
        self.products += counted(*args, **(kwargs or {}), out_val=made) if counted else 0
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self.hold(tensor)
        return made

    def hold(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage not in self._known:
            size = storage.nbytes()
            self._known.add(storage)
            self.live += size
            self.most = max(self.most, self.live)
            weakref.finalize(storage, self._freed, size)

    def _freed(self, size: int) -> None:
        self.live -= size


@dataclass(frozen=True)
class Cost:
    """Of one stage. gibibytes: the most that a step holds there or half-way to it, weights, gradients, Adam's memory
    and the real clips in full size included; teraflop: of one clip's share of a step, a product and a sum counted as
    two."""

    size: int
    frames: int
    batch: int
    gibibytes: float
    recomputed: float  # with activations computed again on the way back, at every size
    teraflop: float

    @property
    def clips_per_second(self) -> float:
        """At THROUGHPUT, if nothing but arithmetic takes time."""
        return THROUGHPUT / self.teraflop


THROUGHPUT = 100.0  #: TFLOP a second that clips a second are computed with: a tenth of the peak of an 80 GB GPU in bf16


def step_cost(options: TrainOptions, stage: float) -> tuple[float, float]:
    """(gibibytes, teraflop a step) of a step at a stage, in bf16."""
    level = options.model.split(stage)[0]
    batch = options.recipe.growth.batch(options.sizes[level], options.model.size, options.batch)
    whole = options.model.frames, options.model.size, options.model.size
    architecture = ARCHITECTURES[options.architecture]
    plain = {"generator": architecture.generator(options.model), **architecture.discriminators(options.model)}
    latents = plain["generator"].sample(batch, seed=0)
    hollow = FakeTensorMode(allow_non_fake_inputs=True)  # the latents
    for module in (module for network in plain.values() for module in network.modules()):
        for kept in (module._parameters, module._buffers):
            kept.update({name: None if value is None else hollow.from_tensor(value) for name, value in kept.items()})
    with hollow, Counter() as count:
        for network in plain.values():
            for weight in network.parameters():
                count.hold(weight)
        rates = options.recipe.learning_rates()
        optimizers = {
            name: torch.optim.Adam(net.parameters(), lr=rates[name], fused=True) for name, net in plain.items()
        }
        networks = Networks(plain)
        phases = options.recipe.phases(tuple(plain))
        for _ in range(2):  # the second time Adam has its memory
            clip = options.at_stage(torch.randn(batch, 3, *whole), stage)  # drawn as large as at the last
            random = torch.Generator()
            micro = Micro(Batch(clip), latents, Condition(stage=stage), random, 0, True)
            for phase in phases:
                for name in phase.updates:
                    optimizers[name].zero_grad(set_to_none=True)
                with torch.autocast("cpu", torch.bfloat16):
                    losses = phase.losses(networks, micro)
                sum(losses.values()).backward()
                for name in phase.updates:
                    optimizers[name].step()
                del losses
            del micro, clip
        return count.most / 2**30, count.products / 2 / 1e12


def costs(name: str = "swgan") -> list[Cost]:
    """Of every whole level of a preset, in bf16, computed."""
    options = preset("progressive", name, RECIPES)
    again = replace(options, model=replace(options.model, recompute=4))
    found = []
    for level, (frames, size) in enumerate(options.model.levels):
        batch = options.recipe.growth.batch(size, options.model.size, options.batch)
        stages = [level - 0.5, float(level)][level == 0 :]
        kept, recomputed = ([step_cost(one, stage) for stage in stages] for one in (options, again))
        memory, less = (max(held for held, _ in costs) for costs in (kept, recomputed))
        found.append(Cost(size, frames, batch, memory, less, kept[-1][1] / batch))
    return found


def pace(level: int, seconds: float) -> tuple[int, float]:
    """(batch, clips a second) of `cpu-swgan` at a whole level on this machine, steps of some seconds, drawing clips
    included; the first step does not count."""
    options = preset("progressive", "cpu-swgan", RECIPES)
    growth = options.recipe.growth
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(replace(options, run=folder, data_options=("bank=64",), threads=torch.get_num_threads()))
        moment = Moment(growth.batch(options.sizes[level], options.model.size, options.batch), float(level))
        trainer.options = Still(trainer.options, moment)
        trainer.train_step()
        start, steps = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            trainer.train_step()
            steps += 1
        took = time.perf_counter() - start
        trainer.close()
    return moment.batch, moment.batch * steps / took


class Still:
    """Options of a run whose every step is at one moment."""

    def __init__(self, options: TrainOptions, moment: Moment):
        self._options, self._moment = options, moment

    def __getattr__(self, name: str):
        return getattr(self._options, name)

    def moment(self, step: int, world: int = 1) -> Moment:
        return self._moment


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--time", type=float, default=0, metavar="SECONDS", help="also run cpu-swgan, each stage so long"
    )
    options = parser.parse_args()
    computed = [asdict(cost) | {"clips_per_second": cost.clips_per_second} for cost in costs()]
    found = {"computed": computed, "measured": []}
    small = preset("progressive", "cpu-swgan", RECIPES).model
    for level, (frames, size) in enumerate(small.levels if options.time else ()):
        batch, clips = pace(level, options.time)
        found["measured"].append({"size": size, "frames": frames, "batch": batch, "clips_per_second": clips})
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print("swgan, 256 pixels, bf16, computed:")
    line = "  {size:4d} pixels, {frames:2d} frames, batch {batch:2d}: "
    memory = "{gibibytes:6.2f} GiB, {recomputed:6.2f} with recompute, {teraflop:.4f} TFLOP a clip: "
    memory += f"{{clips_per_second:.0f}} clips a second at {THROUGHPUT:.0f} TFLOP a second"
    for row in found["computed"]:
        print((line + memory).format(**row))
    for row in found["measured"]:
        print((line + "{clips_per_second:.1f} clips a second of cpu-swgan, measured").format(**row))


if __name__ == "__main__":
    main()
