"""Pieces that several papers share."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrizations, parametrize


def maybe_spectral(layer: nn.Module, on: bool) -> nn.Module:
    """`layer` with spectral normalisation of its weight (Miyato et al. 2018, one power iteration a step) where `on`.

    Initialise the layer first: writing through `.weight` afterwards has no effect.
    """
    return parametrizations.spectral_norm(layer) if on else layer


def step_spectral_norms(*modules: nn.Module) -> None:
    """One power-iteration step for every spectral norm inside, to be called once for each training step.

    Between two calls all forward passes see the same normalised weight, so that a step's gradients do not depend on
    how many passes it takes: not on gradient accumulation, nor on the number of processes. `Module.train()` undoes
    this; the trainer calls it before every step.
    """
    with torch.no_grad():
        for module in modules:
            for part in module.modules():
                if isinstance(part, parametrize.ParametrizationList):
                    part.train()
                    part()
                    part.eval()


def channels_last(module: nn.Module) -> nn.Module:
    """`module` with convolution weights laid out channels-last in place, two- and three-dimensional ones alike."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in module.parameters():
        if parameter.dim() in formats:
            parameter.data = parameter.data.contiguous(memory_format=formats[parameter.dim()])
    return module


def plain_weights(module: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer as sampling uses it: spectral norms folded into the weights they normalise.

    The names are those of the same network built without spectral norm; tensors are detached, and shared with the
    module where nothing had to be folded. Takes no power-iteration step.
    """
    norms = [part for part in module.modules() if isinstance(part, parametrize.ParametrizationList)]
    modes = [part.training for part in norms]
    for part in norms:
        part.eval()
    inner = {id(child) for part in norms for child in part.modules()}
    state = {}
    with torch.no_grad():
        for path, part in module.named_modules():
            if id(part) in inner:
                continue
            prefix = f"{path}." if path else ""
            if parametrize.is_parametrized(part):
                for name in part.parametrizations:
                    state[prefix + name] = getattr(part, name).detach()
            for name, value in [*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)]:
                state[prefix + name] = value.detach()
    for part, mode in zip(norms, modes, strict=True):
        part.train(mode)
    return state


class FactorisedSelfAttention(nn.Module):
    """F-SA of G3AN, Section 3.1 and Figure 4: temporal self-attention, then spatial, each with a residual gate.

    [B, C, T, H, W] -> the same. Queries and keys have C/8 channels, values C; scores are not scaled, softmax is over
    the keys; each half adds `gamma * attention` to its input, gamma starting at 0 (SAGAN's form). The released code
    reshapes the result in an order that mixes channels with positions; this is the attention of the paper, so that
    weights trained by that code do not carry over.
    """

    def __init__(self, channels: int, spectral_norm: bool = True):
        super().__init__()
        self.temporal = _AxisAttention(channels, spectral_norm)
        self.spatial = _AxisAttention(channels, spectral_norm)

    def forward(self, x: Tensor) -> Tensor:
        b, c, t, h, w = x.shape
        rows = x.permute(0, 3, 4, 2, 1).reshape(b * h * w, t, c)  # one sequence of T for every position
        x = self.temporal(rows).view(b, h, w, t, c).permute(0, 3, 1, 2, 4)  # B, T, H, W, C
        x = self.spatial(x.reshape(b * t, h * w, c)).view(b, t, h, w, c)  # one sequence of HW for every frame
        return x.permute(0, 4, 1, 2, 3)


class _AxisAttention(nn.Module):
    """Self-attention over the middle axis of [N, length, C]; 1x1x1 convolutions are linear maps of channels."""

    def __init__(self, channels: int, spectral_norm: bool):
        super().__init__()
        inner = max(1, channels // 8)
        self.query, self.key, self.value = (
            maybe_spectral(_normal_linear(channels, size), spectral_norm) for size in (inner, inner, channels)
        )
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.query(x), self.key(x), self.value(x)
        return x + self.gamma.to(x.dtype) * attend(query, key, value)


#: scores that may be held at once, in numbers; beyond it the fused kernels save the memory
MAX_SCORES = 2**26
#: cuDNN's kernel is left out: its backward pass failed on the many short sequences of F-SA
KERNELS = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax over keys of query . key, unscaled, times value: [N, L, d], [N, M, d], [N, M, C] -> [N, L, C].

    The three plain operations are fast while their scores fit. The fused kernels want one width for all three: zeros
    change no score.
    """
    if query.shape[0] * query.shape[1] * key.shape[1] <= MAX_SCORES:
        return torch.softmax(query @ key.transpose(1, 2), dim=-1) @ value
    missing = value.shape[-1] - query.shape[-1]
    query, key = F.pad(query, (0, missing)), F.pad(key, (0, missing))
    with sdpa_kernel(KERNELS):
        parts = (part.unsqueeze(1) for part in (query, key, value))
        return F.scaled_dot_product_attention(*parts, scale=1.0).squeeze(1)


def _normal_linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, 0.0, 0.02)
    return layer


def with_batch_spread(x: Tensor, group: int = 4) -> Tensor:
    """[N, C, ...] -> [N, C + 1, ...]: the last channel holds how much the neighbours in the batch differ.

    Minibatch standard deviation (Karras et al. 2018, Section 3): over groups of `group` consecutive items (the largest
    number up to it that divides N), averaged over channels and places. Real and generated items must not share a group:
    stack them one after the other, each a multiple of `group` long.
    """
    group = next(size for size in range(min(group, len(x)), 0, -1) if len(x) % size == 0)
    groups = x.float().unflatten(0, (-1, group))
    spread = (groups.var(dim=1, unbiased=False) + 1e-8).sqrt().flatten(1).mean(dim=1)
    plane = spread.repeat_interleave(group).to(x.dtype).view(-1, *[1] * (x.dim() - 1))
    return torch.cat([x, plane.expand(-1, 1, *x.shape[2:])], dim=1)


def with_label_spread(x: Tensor, label: Tensor | None) -> Tensor:
    """[N, C, ...], label weights [N, classes] -> [N, C + 1, ...]: the last channel holds how much the items of the same
    label differ, averaged over channels and places.

    Minibatch standard deviation within labels: across them, neighbours always differ, so that `with_batch_spread` does
    not see a generator that draws one clip for each label. Without labels, all items count as alike. Real and generated
    items must not share a call.
    """
    with torch.autocast(x.device.type, enabled=False):
        flat = x.float().flatten(1)
        alike = torch.ones(len(x), 1, device=x.device) if label is None else label.float()
        alike = F.normalize(alike @ alike.T, p=1, dim=1)
        variance = alike @ (flat - alike @ flat).square()
        spread = (variance + 1e-8).sqrt().mean(dim=1)
    plane = spread.to(x.dtype).view(-1, *[1] * (x.dim() - 1))
    return torch.cat([x, plane.expand(-1, 1, *x.shape[2:])], dim=1)


def dcgan_init(module: nn.Module) -> None:
    """DCGAN's initialisation: convolutions N(0, 0.02), batch norms N(1, 0.02) with zero bias. Apply before any
    spectral norm is put on."""
    if isinstance(module, nn.Conv2d | nn.Conv3d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
