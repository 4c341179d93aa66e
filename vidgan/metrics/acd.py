"""Is it one person throughout? ACD-C of clips of any origin, as MoCoGAN measures it (Tulyakov et al. 2018).

A clip that stands still has 0, so that a lower number is not a better one: it should be that of real clips, which
stands beside it, as does that of frames of different people.
"""

import torch
from torch import Tensor

from ..data.base import ClipSource
from ..errors import VidganError
from ..models import Generator
from ..video import to_uint8
from .content import acd_c
from .distance import distinct, facts, generated
from .fidelity import protocol
from .identity import Embedder, load_identity
from .recorded import Recorded
from .scores import interval


def consistency(
    generator: Generator | Recorded,
    source: ClipSource,
    clips: int = 256,
    seed: int = 0,
    *,
    batch_size: int = 16,
    embedder: Embedder | None = None,
    progress: bool = False,
) -> dict:
    """ACD-C of `clips` clips, as JSON: latents of `seed`, labels as often as among the real ones, frames as shown.

    Key `acd_c_EMBEDDER_256x16f64`, the mean over clips; `intervals`: 95%, bootstrap over clips. `real`: the same of the
    first distinct real clips for the seed; `strangers`: of clips whose frames are of different real clips each.
    `counts`: frames in which the embedder found nobody, and clips without a number for it. VidganError where generator
    and source do not fit, and for fewer than 2 clips on a side.
    """
    embedder = embedder or load_identity()
    if clips < 2:
        raise VidganError(f"A mean with an interval needs at least 2 clips; {clips} was asked for.")
    parts = [(_vectors(frames, embedder), label) for frames, label, _ in distinct(source, clips, seed, set(), False)]
    seen = torch.cat([vectors for vectors, _ in parts])
    if len(seen) < 2:
        raise VidganError(f"{source.name} ({source.split}) gives only {len(seen)} clip; at least 2 are needed.")
    label = None if parts[0][1] is None else torch.cat([label for _, label in parts])
    drawn = generated(generator, source, label, clips, seed, batch_size, progress)
    made = torch.cat([_vectors(torch.from_numpy(to_uint8(clip)), embedder) for clip, _ in drawn])
    name = f"acd_c_{embedder.name}_{clips}x{protocol(source.frames, source.size, source.size)}"
    about = facts(source, len(seen), clips, seed)
    return {
        **_told(made, name, seed),
        "real": _told(seen, name, seed),
        "strangers": _told(_mixed(seen), name, seed),
        **about,
        "embedder": embedder.name,
        "generator": generator.info.name if generator.info else generator.architecture,
    }


def table(result: dict) -> list[str]:
    """What `consistency` found as a Markdown table."""
    (name,) = [key for key in result if key.startswith("acd_c_")]
    lines = [f"| clips | {name} |", "|---|---|"]
    rows = {"this release": result, "real clips": result["real"], "frames of different clips": result["strangers"]}
    for who, row in rows.items():
        if row[name] is None:
            lines.append(f"| {who} | nobody found |")
            continue
        low, high = row["intervals"].get(name) or (None, None)
        lines.append(f"| {who} | {row[name]:.3f}" + (f" ({low:.3f} to {high:.3f}) |" if low is not None else " |"))
    return lines + ([result["note"]] if "note" in result else [])


def _vectors(frames: Tensor, embedder: Embedder) -> Tensor:
    """Frames uint8 [B, T, H, W, 3] -> [B, T, d]."""
    return embedder.embed(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])


def _mixed(vectors: Tensor) -> Tensor:
    """Vectors [B, T, d] -> the same, frame t of clip b being that of clip b + t, so that no clip has two frames of one
    (where there are as many clips as frames)."""
    count, steps = vectors.shape[:2]
    turn = (torch.arange(count)[:, None] + torch.arange(steps)) % count
    return vectors[turn, torch.arange(steps)]


def _told(vectors: Tensor, name: str, seed: int) -> dict:
    values = torch.tensor([acd_c(rows) for rows in vectors], dtype=torch.float64)
    known = values[~values.isnan()]
    return {
        name: known.mean().item() if len(known) else None,
        "intervals": {name: interval(known, seed % 2**63)} if len(known) > 1 else {},
        "counts": {
            "undetected_frames": int(vectors.isnan().any(2).sum()),
            "clips_without_acd_c": len(values) - len(known),
        },
    }
