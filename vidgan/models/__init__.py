"""The architectures, by name."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from ..errors import VidganError, unknown
from . import g3an, imaginator, mocogan, mvtgan, progressive, tgan, vgan
from .base import Generator, ReleaseInfo

__all__ = ["ARCHITECTURES", "Architecture", "Generator", "ReleaseInfo", "build", "make_config"]


@dataclass(frozen=True)
class Architecture:
    """One paper's networks. discriminators(config) gives them by name."""

    name: str
    title: str
    config: type
    generator: Callable[[Any], Generator]
    discriminators: Callable[[Any], dict[str, nn.Module]]


ARCHITECTURES = {
    "g3an": Architecture(
        "g3an",
        "G3AN: Disentangling Appearance and Motion for Video Generation (CVPR 2020)",
        g3an.G3ANConfig,
        g3an.G3AN,
        g3an.discriminators,
    ),
    "imaginator": Architecture(
        "imaginator",
        "ImaGINator: Conditional Spatio-Temporal GAN for Video Generation (WACV 2020)",
        imaginator.ImaGINatorConfig,
        imaginator.ImaGINator,
        imaginator.discriminators,
    ),
    "mvtgan": Architecture(
        "mvtgan",
        "MVT-GAN: Multi-Variate Temporal GAN for Large Scale Video Generation (2020)",
        mvtgan.MVTGANConfig,
        mvtgan.MVTGAN,
        mvtgan.discriminators,
    ),
    "progressive": Architecture(
        "progressive",
        "Progressive Video GAN: Progressive Growing of Sliced Wasserstein GANs (2018)",
        progressive.ProgressiveConfig,
        progressive.Progressive,
        progressive.discriminators,
    ),
    "vgan": Architecture(
        "vgan",
        "VGAN: Generating Videos with Scene Dynamics (NIPS 2016)",
        vgan.VGANConfig,
        vgan.VGAN,
        vgan.discriminators,
    ),
    "tgan": Architecture(
        "tgan",
        "TGAN: Temporal Generative Adversarial Nets with Singular Value Clipping (ICCV 2017)",
        tgan.TGANConfig,
        tgan.TGAN,
        tgan.discriminators,
    ),
    "mocogan": Architecture(
        "mocogan",
        "MoCoGAN: Decomposing Motion and Content for Video Generation (CVPR 2018)",
        mocogan.MoCoGANConfig,
        mocogan.MoCoGAN,
        mocogan.discriminators,
    ),
}


def make_config(architecture: str, **options):
    """The configuration of an architecture; VidganError for an unknown architecture or option."""
    if architecture not in ARCHITECTURES:
        raise unknown("architecture", architecture, ARCHITECTURES)
    kind = ARCHITECTURES[architecture].config
    names = {field.name for field in dataclasses.fields(kind)}
    for name in options:
        if name not in names:
            raise unknown(f"{architecture} option", name, names)
    try:
        return kind(**options)
    except TypeError as error:
        raise VidganError(f"{architecture} cannot be built from {options}: {error}.") from error


def build(architecture: str, **options) -> Generator:
    """A generator with fresh weights: `build("g3an", width=16, classes=6)`."""
    config = make_config(architecture, **options)
    return ARCHITECTURES[architecture].generator(config)
