"""Networks laid out without weights of their own: to be filled from a file, or only counted."""

import dataclasses

import torch
from torch.overrides import TorchFunctionMode

from ..errors import unknown
from . import ARCHITECTURES


class no_draws(TorchFunctionMode):
    """Networks built inside get no initial weights: they are about to be replaced, and the global random state is
    not ours to move. (On the meta device, drawing would also import half of the compiler, which takes seconds.)"""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if getattr(function, "__name__", "").endswith(("normal_", "uniform_")):
            return args[0] if args else kwargs["tensor"]
        return function(*args, **(kwargs or {}))


def plain_options(config: type) -> dict[str, bool]:
    """The options, of a configuration class, that build a generator for weights with spectral norms folded in."""
    return {field.name: False for field in dataclasses.fields(config) if field.name == "spectral_norm"}


def describe(architecture: str) -> dict:
    """An architecture at its default options, JSON-able: name, title, parameters of each network, latent space.

    Raises VidganError for an unknown architecture.
    """
    if architecture not in ARCHITECTURES:
        raise unknown("architecture", architecture, ARCHITECTURES)
    entry = ARCHITECTURES[architecture]
    with no_draws():
        networks = {f"{name}_discriminator": net for name, net in entry.discriminators(entry.config()).items()}
        with torch.device("meta"):
            generator = entry.generator(entry.config(**plain_options(entry.config)))
    return {
        "name": entry.name,
        "title": entry.title,
        "parameters": {
            name: sum(parameter.numel() for parameter in network.parameters())
            for name, network in {"generator": generator, **networks}.items()
        },
        "latent_space": generator.latent_space.to_json(),
        "frames": generator.frames,
        "size": generator.size,
    }
