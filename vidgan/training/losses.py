"""Adversarial losses on logits, and what keeps them in check."""

import torch
import torch.nn.functional as F
from torch import Tensor


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))), the mean over the batch (Goodfellow et al. 2014; G3AN Eq. 3 and 4)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def logistic_generator(fake: Tensor) -> Tensor:
    """The non-saturating form, -log D(G(z)): what every released implementation minimises."""
    return F.softplus(-fake).mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))) (Lim and Ye 2017)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def hinge_generator(fake: Tensor) -> Tensor:
    return -fake.mean()


#: name -> (discriminator's loss, generator's loss)
ADVERSARIAL = {
    "logistic": (logistic_discriminator, logistic_generator),
    "hinge": (hinge_discriminator, hinge_generator),
}


def gradient_of(value: Tensor, x: Tensor) -> Tensor:
    """The gradient of the sum of `value` with respect to x [B, ...], flattened to float32 [B, n]; differentiable, so
    that it can be penalised."""
    (gradient,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    return gradient.float().flatten(1)


def r1_penalty(logits: Tensor, real: Tensor) -> Tensor:
    """0.5 * E ||grad_x D(x)||^2 on real data (Mescheder et al. 2018); `real` must require a gradient."""
    return 0.5 * gradient_of(logits, real).square().sum(1).mean()


def l1(clip: Tensor, wanted: Tensor, reduction: str = "mean") -> Tensor:
    """||x - y||_1 of clips [B, ...], "sum" or "mean" over the values of each, averaged over B (ImaGINator Eq. 6)."""
    distance = (clip - wanted).abs().flatten(1)
    return (distance.sum(1) if reduction == "sum" else distance.mean(1)).mean()
