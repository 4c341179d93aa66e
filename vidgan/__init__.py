"""vidgan: a browser demo and latent explorer for video GANs, and the package behind it.

>>> import vidgan
>>> generator = vidgan.load("g3an-expressions")
>>> latents = generator.latent_space.sample(4, seed=7)
>>> clip = generator.generate(latents, vidgan.Condition.of_label("happiness", generator.labels, batch=4))
>>> vidgan.save("smile.mp4", clip[0])
"""

from .conditions import Condition
from .errors import VidganError
from .latents import Latents, LatentSpace, Subspace

__version__ = "0.1.0"
__all__ = ["Condition", "LatentSpace", "Latents", "Subspace", "VidganError", "load", "releases", "save"]

_LATER = {"load": ("hub", "load"), "releases": ("hub", "releases"), "save": ("video", "save")}


def __getattr__(name: str):
    """What needs more than torch and numpy is imported when it is first asked for."""
    if name in _LATER:
        from importlib import import_module

        module, attribute = _LATER[name]
        return getattr(import_module(f".{module}", __name__), attribute)
    raise AttributeError(f"module 'vidgan' has no attribute {name!r}")
