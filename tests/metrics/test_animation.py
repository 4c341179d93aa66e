"""The paper's protocol for image-to-video: initial frames of every source, and generators whose numbers are known."""

import json
from dataclasses import dataclass

import pytest
import torch

from vidgan.data import open_source
from vidgan.data.expressions import draw
from vidgan.errors import VidganError
from vidgan.latents import LatentSpace, Subspace
from vidgan.metrics.animation import SPAN, animation, labels_of, table, windows_of
from vidgan.metrics.fidelity import CAP
from vidgan.metrics.identity import IdentityConfig, IdentityNetwork
from vidgan.models import Generator, ReleaseInfo, build


@dataclass(frozen=True)
class Shape:
    classes: int = 6
    frames: int = 16
    size: int = 64


class Shifts(Generator):
    """Moves its image to the right, a pixel a frame, times `speed`; and remembers what it was told."""

    architecture, takes_image = "shifts", True
    frames, size = 16, 64

    def __init__(self, speed: int = 1, classes: int = 6):
        super().__init__(Shape(classes), LatentSpace([Subspace("noise", 4, role="motion")]))
        self.speed, self.told = speed, []
        self.anchor = torch.nn.Parameter(torch.zeros(1))

    def forward(self, latents, condition=None):
        self.told.append((latents["noise"], condition))
        return torch.stack([condition.image.roll(self.speed * t, -1) for t in range(self.frames)], 2)


@pytest.fixture(scope="module")
def embedder():
    torch.manual_seed(0)
    return IdentityNetwork(IdentityConfig(width=2)).eval()


@pytest.fixture(scope="module")
def measured(faces, embedder, shipped):
    generator = Shifts()
    generator.info = ReleaseInfo("shifts", "shifts", labels=faces.labels[::-1])
    found = animation(generator, faces, videos=3, starts=2, seed=1, embedder=embedder, features=shipped)
    return generator, found


# ------------------------------------------------------------------------------------------------ initial frames


def test_windows_of_drawn_faces_are_windows_of_one_performance(faces):
    videos = list(windows_of(faces, 2, 3, seed=4))
    assert [number for *_, number in videos] == [0, 1]
    for clip, label, _ in videos:
        assert clip.shape == (3, 3, 16, 64, 64) and 0 <= label < 6
        half = SPAN // 2
        assert torch.equal(clip[0, :, half:], clip[1, :, : 16 - half])  # the same performance, `half` frames later
        assert torch.equal(clip[1, :, half:], clip[2, :, : 16 - half])
    again = list(windows_of(faces, 2, 3, seed=4))
    assert torch.equal(again[1][0], videos[1][0])
    assert not torch.equal(next(windows_of(faces, 1, 3, seed=5))[0], videos[0][0])


def test_a_performance_begins_neutral_and_is_of_the_test_split(faces, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "vidgan.metrics.animation.draw", lambda factors, *rest: drawn.append(factors) or draw(factors, *rest)
    )
    next(windows_of(faces, 5))
    assert drawn[0]["start_phase"].item() == 0 and drawn[0]["identity"].item() >= 1 << 20


def test_windows_of_filmed_clips_are_evenly_spaced_and_reach_the_end(skip_without):
    skip_without("weizmann64", "weizmann64.npz")
    source = open_source("weizmann", split="test", frames=32)
    videos = list(windows_of(source, 100, 10))
    assert [number for *_, number in videos] == list(range(12))
    clip, label, number = videos[5]
    whole = source.pixels[source.starts[number] : source.starts[number] + source.lengths[number]]
    whole = whole.movedim(0, 1).float() / 127.5 - 1
    assert clip.shape == (10, 3, 32, 64, 64) and label == source.label[number]
    assert torch.equal(clip[0], whole[:, :32]) and torch.equal(clip[-1], whole[:, -32:])
    apart = [next(i for i in range(whole.shape[1]) if torch.equal(whole[:, i], one[:, 0])) for one in clip]
    steps = torch.tensor(apart).diff()
    assert steps.min() >= 1 and steps.max() - steps.min() <= 1
    chosen = [number for *_, number in windows_of(source, 3, 1, seed=2)]
    assert len(set(chosen)) == 3 and chosen == sorted(chosen)
    every = open_source("weizmann", split="test", frames=16, stride=3)
    clip = next(windows_of(every, 12, 1))[0]
    assert torch.equal(clip[0, :, 1], every.pixels_of(torch.tensor([0]), torch.tensor([[3]]))[0, 0] / 127.5 - 1)


def test_a_clip_that_is_too_short_for_as_many_gives_fewer(skip_without):
    skip_without("weizmann64", "weizmann64.npz")
    source = open_source("weizmann", split="test", frames=50)
    counts = {len(clip): int(source.lengths[number]) for clip, _, number in windows_of(source, 12, 10)}
    assert min(counts) < 10 and all(count == min(10, length - 49) for count, length in counts.items())


def test_windows_of_sprites_begin_at_the_phases_of_a_motion(skip_without):
    skip_without("sprites64", "sprites_layers64.npz")
    source = open_source("sprites", split="test")
    videos = list(windows_of(source, 3, 10, seed=1))
    assert len(videos) == 3 and len({number for *_, number in videos}) == 3
    clip, label, number = videos[2]
    assert clip.shape == (8, 3, 16, 64, 64) and label == number % 9
    assert torch.equal(clip[3], clip[0].roll(-3, 1))
    first = source.render(source.characters[[number // 9]], torch.tensor([label]), torch.tensor([0]))
    assert torch.equal(clip[:1], first)


def test_windows_of_a_folder_have_its_labels(tmp_path):
    from PIL import Image

    for group in ("bow", "wave"):
        for clip in range(3):
            folder = tmp_path / group / f"clip{clip}"
            folder.mkdir(parents=True)
            for frame in range(11):
                Image.new("RGB", (16, 16), (clip * 40, frame * 10, 0)).save(folder / f"{frame:03}.png")
    source = open_source("folder", split="test", frames=8, size=16, root=str(tmp_path))
    videos = list(windows_of(source, 9, 10))
    assert {label for _, label, _ in videos} == {0, 1}
    for clip, label, number in videos:
        assert clip.shape == (4, 3, 8, 16, 16) and source.names[number].startswith(source.labels[label])
        assert ((clip[3, 1, 0] + 1) * 127.5).round().unique().tolist() == [30]  # the fourth frame's green


def test_other_sources_are_refused():
    class Other:
        name = "other"

    with pytest.raises(VidganError, match="other does not say"):
        windows_of(Other(), 1)


# ------------------------------------------------------------------------------------------------ the measurement


def test_the_result_names_its_protocol_and_repeats(measured, faces, embedder, shipped):
    generator, found = measured
    assert json.loads(json.dumps(found)) == found
    acd, shown = f"{embedder.name}_16f64", f"vidgan-{shipped.hash}_6of3x16f64"
    names = {
        "ssim_16f64", "psnr_16f64", "l1_16f64", "ssim_moving16_16f64", "psnr_moving16_16f64", f"acd_c_{acd}",
        f"acd_i_{acd}",
    }  # fmt: skip
    assert names | {f"fvd_{shown}", f"kvd_{shown}", "rank_deficient"} < found.keys()
    assert found["intervals"].keys() == names == found["baselines"]["repeat"]["intervals"].keys()
    assert all(low <= found[name] <= high for name, (low, high) in found["intervals"].items())
    facts = {"generator": "shifts", "data": "expressions", "split": "test", "videos": 3, "starts": 2, "clips": 6,
             "frames": 16, "size": 64, "stride": 1, "seed": 1, "embedder": embedder.name,
             "features": shipped.hash}  # fmt: skip
    assert facts.items() <= found.items()
    again = animation(generator, faces, 3, 2, 1, batch_size=1, embedder=embedder, features=shipped)
    assert again["ssim_16f64"] == pytest.approx(found["ssim_16f64"], abs=1e-6)
    assert len(table(found)) == 2 + 9 and "repeats its input" in table(found)[0]


def test_the_generator_is_given_initial_frames_labels_by_name_and_noise_of_the_seed(measured, faces):
    generator, _ = measured
    told = generator.told[:3]
    for (noise, condition), (clip, label, _) in zip(told, windows_of(faces, 3, 2, seed=1)):
        assert (condition.image - clip[:, :, 0]).abs().max() <= 1 / 255 + 1e-6
        assert condition.label.argmax(1).tolist() == [5 - label] * 2  # its labels stand in the opposite order
        assert noise.shape == (2, 4)
    noise = torch.cat([noise for noise, _ in told])
    assert torch.equal(noise, generator.latent_space.sample(6, 1)["noise"])


def test_a_generator_that_repeats_its_input_is_exactly_the_baseline(faces, embedder, shipped):
    found = animation(Shifts(speed=0), faces, videos=2, starts=2, embedder=embedder, features=shipped)
    repeat = found["baselines"]["repeat"]
    for name, value in repeat.items():
        if name not in ("difference", "intervals", "counts", "rank_deficient"):
            assert value == found[name], name
    assert all(part["mean"] == 0 for part in repeat["difference"].values())
    acd = f"{embedder.name}_16f64"
    assert found[f"acd_c_{acd}"] == 0 and found[f"acd_i_{acd}"] < 1e-5 < found["baselines"]["real"][f"acd_i_{acd}"]
    assert found["counts"]["psnr_capped_frames"] >= 4  # the initial frames themselves
    assert found["psnr_16f64"] < CAP


def test_a_wrong_motion_is_worse_than_none(measured):
    _, found = measured
    repeat = found["baselines"]["repeat"]
    for name in ("ssim_16f64", "psnr_16f64", "ssim_moving16_16f64"):
        part = repeat["difference"][name]
        assert part["mean"] == pytest.approx(found[name] - repeat[name], abs=1e-9)
        assert part["interval"][1] < 0
    assert repeat["difference"]["l1_16f64"]["interval"][0] > 0


def test_imaginator_is_measured(faces, embedder, shipped):
    torch.manual_seed(0)
    generator = build("imaginator", width=4, classes=6, frames=16).eval()
    found = animation(generator, faces, videos=1, starts=2, embedder=embedder, features=shipped)
    assert found["generator"] == "imaginator" and 0 < found["ssim_16f64"] < 1
    assert found["intervals"] == {}  # one video says nothing of others


def test_what_does_not_fit_is_refused(faces):
    generator = Shifts()
    with pytest.raises(VidganError, match="opened at 20 of 64"):
        animation(generator, open_source("expressions", split="test", frames=20, bank=2))
    with pytest.raises(VidganError, match="At least 1 video"):
        animation(generator, faces, videos=0)
    with pytest.raises(VidganError, match="takes 4 labels"):
        animation(Shifts(classes=4), faces)
    generator.info = ReleaseInfo("shifts", "shifts", labels=(*faces.labels[:5], "pride"))
    with pytest.raises(VidganError, match=r"does not know .*'surprise'"):
        labels_of(generator, faces)
    assert labels_of(Shifts(classes=0), faces) is None
