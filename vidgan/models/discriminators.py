"""Discriminators, and their parts, that several papers share."""

import itertools

from torch import Tensor, nn

from .layers import dcgan_init, maybe_spectral, with_batch_spread


class ImageDiscriminator(nn.Module):
    """D_I of G3AN and ImaGINator: frames [N, 3, 64, 64] -> logits [N].

    DCGAN's with spectral norm, leaky ReLU 0.2 and no batch norm; 2,764,737 parameters at width 64.
    minibatch_std: one more channel before the last convolution tells how much the batch differs.
    """

    def __init__(self, width: int = 64, spectral_norm: bool = True, minibatch_std: bool = False):
        super().__init__()
        widths = [3, *(width * multiple for multiple in (1, 2, 4, 8))]
        layers = []
        for inputs, outputs in itertools.pairwise(widths):
            layers += [
                started(nn.Conv2d(inputs, outputs, 4, 2, 1), spectral_norm),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        self.spread = minibatch_std
        self.score = started(nn.Conv2d(widths[-1] + int(self.spread), 1, 4), spectral_norm)

    def forward(self, frames: Tensor) -> Tensor:
        x = self.layers(frames)
        return self.score(with_batch_spread(x) if self.spread else x).flatten()


def started(conv: nn.Conv2d | nn.Conv3d, norm: bool) -> nn.Module:
    """A discriminator's convolution: DCGAN's initialisation and spectral norm, or He's and none."""
    if norm:
        dcgan_init(conv)
    else:
        nn.init.kaiming_normal_(conv.weight, 0.2, nonlinearity="leaky_relu")
        nn.init.zeros_(conv.bias)
    return maybe_spectral(conv, norm)


def down(inputs: int, outputs: int, norm: bool, kernel, stride=(1, 1, 1), padding=(0, 0, 0)) -> nn.Module:
    """A convolution in space and time, and leaky ReLU 0.2."""
    conv = nn.Conv3d(inputs, outputs, kernel, stride, padding)
    return nn.Sequential(started(conv, norm), nn.LeakyReLU(0.2, inplace=True))


def label_planes(label: Tensor, x: Tensor) -> Tensor:
    """Label weights [B, classes] as constant planes [B, classes, T, H, W] over the places of x [B, C, T, H, W]."""
    return label.to(x.dtype)[:, :, None, None, None].expand(-1, -1, *x.shape[2:])
