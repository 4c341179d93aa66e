"""vidgan: a browser demo and latent explorer for video GANs, and the package behind it.

>>> import vidgan
>>> from vidgan import video
>>> generator = vidgan.load("g3an-expressions")
>>> latents = generator.sample(4, seed=7)
>>> clip = generator.generate(latents, vidgan.Condition.of_label("happiness", generator.labels, batch=4))
>>> vidgan.save("smile.mp4", video.to_uint8(clip)[0])
"""

from typing import TYPE_CHECKING

from .errors import VidganError

if TYPE_CHECKING:
    from .conditions import Condition
    from .hub import load, releases
    from .latents import Latents, LatentSpace, Subspace
    from .video import save

__version__ = "0.1.0"
__all__ = ["Condition", "LatentSpace", "Latents", "Subspace", "VidganError", "load", "releases", "save"]

#: where each name lives; it is imported when it is first asked for, so that `import vidgan` costs nothing
_LATER = {
    "Condition": "conditions",
    "LatentSpace": "latents",
    "Latents": "latents",
    "Subspace": "latents",
    "load": "hub",
    "releases": "hub",
    "save": "video",
}


def __getattr__(name: str):
    if name in _LATER:
        from importlib import import_module

        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module 'vidgan' has no attribute {name!r}")
