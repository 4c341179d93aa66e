"""Optical flow: what it finds in pictures that were moved by a known way, and that gradients come through."""

import pytest
import torch
import torch.nn.functional as F

from vidgan import VidganError
from vidgan.training.flow import clip_flow, lucas_kanade, open_flow, warp
from vidgan.vision import torchvision


def texture(seed: int = 0, size: int = 64) -> torch.Tensor:
    """Smooth, and the same everywhere on average: [2, 3, size, size]."""
    coarse = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, (size, size), mode="bicubic") * 2 - 1


@pytest.mark.parametrize("moved", [(0.0, 0.0), (1.0, 0.0), (0.0, -1.5), (2.5, 1.0), (-4.0, 3.0)])
def test_a_known_motion_is_found(moved):
    known = torch.tensor(moved).view(1, 2, 1, 1).expand(2, 2, 64, 64)
    first = texture()
    second = warp(first, -known)
    found = lucas_kanade(first, second)[:, :, 8:-8, 8:-8]
    error = (found - known[:, :, 8:-8, 8:-8]).norm(dim=1).median()
    assert error < 0.1, f"{error:.3f} pixels"


def test_nothing_moves_in_an_empty_picture():
    flat = torch.zeros(1, 3, 32, 32)
    assert lucas_kanade(flat, flat).abs().max() == 0


def test_flow_of_clips_pairs_neighbouring_frames():
    first = texture()
    step = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1).expand(2, 2, 64, 64)
    clip = torch.stack([warp(first, -step * t) for t in range(4)], dim=2)
    flow = clip_flow(lucas_kanade, clip)
    assert flow.shape == (2, 3, 2, 64, 64)
    assert (flow[:, :, 0, 8:-8, 8:-8].mean((0, 2, 3)) - 1).abs().max() < 0.1


def test_gradients_reach_both_frames():
    first, second = texture(0).requires_grad_(), texture(1).requires_grad_()
    lucas_kanade(first, second).square().mean().backward()
    for frame in (first, second):
        assert frame.grad.isfinite().all() and frame.grad.abs().max() > 0


@pytest.mark.parametrize("name", ["raft-small", "raft-large"])
def test_raft_takes_the_users_weights(name, tmp_path):
    optical_flow = torchvision("models.optical_flow")
    torch.manual_seed(0)
    network = getattr(optical_flow, name.replace("-", "_"))(weights=None)
    torch.save(network.state_dict(), tmp_path / "raft.pth")
    clip = texture().unsqueeze(2).repeat(1, 1, 2, 1, 1).requires_grad_()
    flow = clip_flow(open_flow(name, str(tmp_path / "raft.pth")), clip)
    assert flow.shape == (2, 1, 2, 64, 64)
    flow.sum().backward()
    assert clip.grad.isfinite().all()


def test_what_cannot_be_opened_is_told(tmp_path):
    (tmp_path / "foreign.pth").write_bytes(b"not weights")
    for name, weights, told in (
        ("farneback", "", "farneback"),
        ("raft-small", "", "flow-weights"),
        ("raft-small", str(tmp_path / "foreign.pth"), "foreign.pth"),
        ("raft-small", str(tmp_path / "missing.pth"), "missing.pth"),
    ):
        with pytest.raises(VidganError, match=told):
            open_flow(name, weights)
