"""3D ResNeXt-101 (Hara, Kataoka, Satoh; CVPR 2018), the features of G3AN's and ImaGINator's video FID.

    layer      out                       blocks
    conv1      64 x 16 x 56 x 56         7x7x7, stride 1 in time, 2 in space
    max pool   64 x  8 x 28 x 28         3x3x3, stride 2
    layer1     256 x 8 x 28 x 28         3 of (1x1x1, 3x3x3 in 32 groups, 1x1x1), 128 channels inside
    layer2     512 x 4 x 14 x 14         4, 256
    layer3     1024 x 2 x 7 x 7          23, 512
    layer4     2048 x 1 x 4 x 4          3, 1024
    mean       2048

Names of parameters are those of the published weights, without their last linear layer.
"""

import torch
from torch import Tensor, nn

GROUPS = 32
STAGES = ((128, 3), (256, 4), (512, 23), (1024, 3))  #: channels inside, and blocks


class Block(nn.Module):
    """Bottleneck with 32 groups: [B, inputs, ...] -> [B, 2 inner, ...]."""

    def __init__(self, inputs: int, inner: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv3d(inputs, inner, 1, bias=False), nn.BatchNorm3d(inner)
        self.conv2 = nn.Conv3d(inner, inner, 3, stride, 1, groups=GROUPS, bias=False)
        self.bn2 = nn.BatchNorm3d(inner)
        self.conv3, self.bn3 = nn.Conv3d(inner, 2 * inner, 1, bias=False), nn.BatchNorm3d(2 * inner)
        self.downsample = None
        if stride != 1 or inputs != 2 * inner:
            conv = nn.Conv3d(inputs, 2 * inner, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm3d(2 * inner))

    def forward(self, x: Tensor) -> Tensor:
        branch = torch.relu(self.bn1(self.conv1(x)))
        branch = torch.relu(self.bn2(self.conv2(branch)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(shortcut + self.bn3(self.conv3(branch)))


class ResNeXt3D(nn.Module):
    """Clips [B, 3, 16, 112, 112], levels 0 to 255 less their mean -> features [B, 2048]."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv3d(3, 64, 7, (1, 2, 2), 3, bias=False), nn.BatchNorm3d(64)
        self.pool = nn.MaxPool3d(3, 2, 1)
        inputs = 64
        for number, (inner, blocks) in enumerate(STAGES, start=1):
            layers = []
            for index in range(blocks):
                layers.append(Block(inputs, inner, 2 if number > 1 and index == 0 else 1))
                inputs = 2 * inner
            setattr(self, f"layer{number}", nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        for number in range(1, 1 + len(STAGES)):
            x = getattr(self, f"layer{number}")(x)
        return x.mean((2, 3, 4))
