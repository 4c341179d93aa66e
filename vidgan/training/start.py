"""Weights that a training begins with instead of random ones: those of another run, or of a release."""

import json
from dataclasses import asdict

from torch import Tensor, nn

from .. import hub
from ..errors import VidganError
from ..models import Generator
from ..models.layers import plain_weights
from .ema import EMA
from .state import load_state

#: options of a model that change what its layers draw and not their shapes
LAYOUT = ("schedule",)


def start_from(name: str, networks: dict[str, nn.Module], ema: EMA) -> None:
    """Fill the networks and the average from `name`; optimisers, clock and step begin anew.

    name: a run (a folder, or its name in runs/), which gives every network; or whatever else `vidgan.load` takes, which
    gives the generator alone, so that discriminators begin untaught. Statistics that it does not have (those of codes
    that were not normalised) begin as new. Raises VidganError, which names the options that differ, where the
    architecture, the shape of a network or the schedule of growth is another.
    """
    folder = hub.find(name)
    generator: Generator = networks["generator"]
    if hub.is_run(folder):
        found = load_state(folder)
        if found is None:
            raise VidganError(f"{folder} holds no training state yet.")
        tensors, facts = found
        architecture, model = facts["options"]["architecture"], facts["options"]["model"]
    else:
        released = hub.load(name)
        architecture, model = released.architecture, _plain(released)
    if architecture != generator.architecture:
        raise VidganError(f"--init {name} does not fit: it is {architecture}, not {generator.architecture}.")
    wanted = _plain(generator)
    pairs = {key: (model.get(key, value), value) for key, value in wanted.items() if key != "classes"}
    differing = {key: (had, value) for key, (had, value) in pairs.items() if had != value}
    if differing.keys() & set(LAYOUT):
        raise _unfit(name, differing)
    try:
        if hub.is_run(folder):
            _from_run(tensors, networks, ema)
        else:
            _from_release(released, generator, ema)
    except (RuntimeError, KeyError) as error:
        raise _unfit(name, differing) from error


def _plain(generator: Generator) -> dict:
    """Options of its model as a run keeps them."""
    return json.loads(json.dumps(asdict(generator.config)))


def _unfit(name: str, differing: dict[str, tuple]) -> VidganError:
    """differing: option of --model -> what it is there, and here."""
    said = [
        f"--model.{key.replace('_', '-')} is {had} there and {wanted} here" for key, (had, wanted) in differing.items()
    ]
    told = ", ".join(said) or "it has another number of labels"
    return VidganError(f"--init {name} does not fit: {told}; train with its options, or begin without it.")


def _from_run(tensors: dict[str, Tensor], networks: dict[str, nn.Module], ema: EMA) -> None:
    for key, network in {
        **{f"network.{name}.": part for name, part in networks.items()},
        "ema.": ema.generator,
    }.items():
        _fill(network, {name[len(key) :]: value for name, value in tensors.items() if name.startswith(key)})


def _from_release(released: Generator, generator: Generator, ema: EMA) -> None:
    if plain_weights(generator).keys() != generator.state_dict().keys():
        raise VidganError(
            "A release has its spectral norms folded in; begin from its run, or with --model.no-spectral-norm."
        )
    for network in (generator, ema.generator):
        _fill(network, released.state_dict())


def _fill(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """All weights; statistics of batch norms that were not there begin as new. KeyError for anything else."""
    missing, unknown = network.load_state_dict(tensors, strict=False)
    if unknown or not set(missing) <= {name for name, _ in network.named_buffers()}:
        raise KeyError(*missing, *unknown)
