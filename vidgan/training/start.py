"""Weights that a training begins with instead of random ones: those of another run, or of a release."""

from torch import Tensor, nn

from .. import hub
from ..errors import VidganError
from ..models import Generator
from ..models.layers import plain_weights
from .ema import EMA
from .state import load_state


def start_from(name: str, networks: dict[str, nn.Module], ema: EMA) -> None:
    """Fill the networks and the average from `name`; optimisers, clock and step begin anew.

    name: a run (a folder, or its name in runs/), which gives every network; or whatever else `vidgan.load` takes, which
    gives the generator alone, so that discriminators begin untaught. Statistics that it does not have (those of codes
    that were not normalised) begin as new. Raises VidganError where the architecture or the shape of a network is
    another.
    """
    folder = hub.find(name)
    generator: Generator = networks["generator"]
    try:
        if hub.is_run(folder):
            _from_run(folder, networks, ema)
        else:
            _from_release(hub.load(name), generator, ema)
    except (RuntimeError, KeyError) as error:
        raise VidganError(
            f"--init {name} does not fit: it is no {generator.architecture}, or one with other options of --model or "
            "another number of labels."
        ) from error


def _from_run(folder, networks: dict[str, nn.Module], ema: EMA) -> None:
    found = load_state(folder)
    if found is None:
        raise VidganError(f"{folder} holds no training state yet.")
    tensors, _ = found
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
