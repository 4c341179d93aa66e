"""What a data set holds, in numbers and in one picture: `vidgan data inspect NAME`."""

from pathlib import Path

from .. import video
from ..errors import VidganError
from . import open_source


def inspect(
    name: str,
    out: str | Path | None = None,
    *,
    rows: int = 4,
    columns: int = 8,
    frames: int = 16,
    size: int = 64,
    seed: int = 0,
    root: str | None = None,
    **options,
) -> dict:
    """Open the data set `name` and tell what is in it; JSON-able.

    Returns {"name", "labels", "size", "frames", "splits": {"train": ..., "test": ...}, "skipped": {name: reason},
    "sheet": path or None}. Of each split: "clips" (distinct ones; None where they are drawn and never end), "lengths"
    ({"min", "median", "max"} in frames; None where clips have no end), "labels" ({label: clips}; None where they are
    drawn as they are needed), "identities" (subjects or characters, where the data set knows them). A split that is
    empty has 0 clips.

    out: a contact sheet, `rows` x `columns` clips of the training split: moving as mp4, webp or gif; as png the
    filmstrips of `rows` clips below one another. Raises VidganError as `open_source` does, or when `out` cannot be
    written.
    """
    if name == "expressions":
        options.setdefault("bank", 0)  # to look at a few faces, no need to draw thousands
    shared = {"frames": frames, "size": size, "seed": seed, "root": root, **options}
    train = open_source(name, split="train", **shared)
    splits = {"train": _split(train)}
    try:
        splits["test"] = _split(open_source(name, split="test", **shared))
    except VidganError:  # one clip cannot be divided
        splits["test"] = {"clips": 0, "lengths": None, "labels": {}}
    report = getattr(train, "report", None)
    found = {
        "name": name,
        "labels": list(train.labels),
        "size": size,
        "frames": frames,
        "splits": splits,
        "skipped": dict(report.skipped) if report else {},
        "sheet": None,
    }
    if out is not None:
        found["sheet"] = str(contact_sheet(train, out, rows, columns))
    return found


def contact_sheet(source, out: str | Path, rows: int = 4, columns: int = 8) -> Path:
    """Clips of step 0 of a clip source as one file: a moving grid (mp4, webp, gif), or filmstrips (png)."""
    still = Path(out).suffix.lower() == ".png"
    frames = video.to_uint8(source.batch(rows if still else rows * columns, 0).clip)
    if still:
        sheet = video.grid([[strip[None] for strip in clip] for clip in frames])
    else:
        sheet = video.grid([list(frames[row * columns : (row + 1) * columns]) for row in range(rows)])
    return video.save(out, sheet, scale=1)


def text(found: dict) -> str:
    """What `inspect` returned, for people to read."""
    lines = [f"{found['name']}: clips of {found['frames']} frames, {found['size']}x{found['size']}"]
    for split, facts in found["splits"].items():
        parts = ["drawn without end" if facts["clips"] is None else f"{facts['clips']} clips"]
        if facts.get("identities"):
            parts.append(f"{facts['identities']} identities")
        if facts["lengths"]:
            low, median, high = (facts["lengths"][key] for key in ("min", "median", "max"))
            parts.append(f"{low} frames each" if low == high else f"{low} to {high} frames, median {median:g}")
        lines.append(f"  {split:6}{', '.join(parts)}")
        if facts["labels"]:
            lines.append("        " + ", ".join(f"{label} {count}" for label, count in facts["labels"].items()))
    if found["labels"] and not any(facts["labels"] for facts in found["splits"].values()):
        lines.append(f"  classes: {', '.join(found['labels'])}")
    if found["skipped"]:
        lines.append(f"  {len(found['skipped'])} skipped:")
        lines += [f"    {name}: {reason}" for name, reason in found["skipped"].items()]
    if found["sheet"]:
        lines.append(f"  contact sheet: {found['sheet']}")
    return "\n".join(lines)


def _split(source) -> dict:
    """The facts of one split, as far as the source knows them."""
    clips = len(source) if hasattr(source, "__len__") else None
    lengths = getattr(source, "lengths", None)
    facts: dict = {"clips": clips, "lengths": None, "labels": None}
    if lengths is not None:
        median = lengths.double().quantile(0.5).item()
        facts["lengths"] = {"min": int(lengths.min()), "median": median, "max": int(lengths.max())}
    if hasattr(source, "label_counts"):
        facts["labels"] = source.label_counts()
    if getattr(source, "identities", None):
        facts["identities"] = source.identities
    return facts
