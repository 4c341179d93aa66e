"""What became of the videos that faces were looked for in."""

from collections import Counter
from dataclasses import asdict, dataclass, field

#: (least, most) frames of a clip: the columns of Table 7.2, whose last one ends at 423
LENGTHS = ((30, 33), (34, 39), (40, 47), (48, 57), (58, 69), (70, 423))


@dataclass
class Record:
    """What became of one video, `video` as it was named: how much was found in it, the clips that were written (file ->
    frames), how many tracks were dropped for which reason; note: what else to know; skipped: why it could not be used
    at all."""

    video: str
    key: str = ""
    frames: int = 0
    fps: float = 0.0
    shots: int = 0
    with_faces: int = 0
    clips: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    note: str | None = None
    skipped: str | None = None


@dataclass
class Report:
    """What became of all videos whose clips are in a folder, and of those of the last call that could not be used."""

    records: list[Record] = field(default_factory=list)

    @property
    def clips(self) -> dict[str, int]:
        """File -> frames."""
        return {file: frames for record in self.records for file, frames in record.clips.items()}

    @property
    def dropped(self) -> dict[str, int]:
        """Reason -> tracks, the most frequent first."""
        total = sum((Counter(record.dropped) for record in self.records), Counter())
        return dict(total.most_common())

    @property
    def lengths(self) -> dict[str, int]:
        """Clips by length, in the columns of Table 7.2; shorter and longer ones where there are any."""
        bounds = [(0, LENGTHS[0][0] - 1), *LENGTHS, (LENGTHS[-1][1] + 1, 10**9)]
        names = [f"below {LENGTHS[0][0]}", *(f"{low}-{high}" for low, high in LENGTHS), f"over {LENGTHS[-1][1]}"]
        found = list(self.clips.values())
        counts = {
            name: sum(low <= frames <= high for frames in found)
            for name, (low, high) in zip(names, bounds, strict=True)
        }
        return {name: count for name, count in counts.items() if count or name in names[1:-1]}

    def as_json(self) -> dict:
        return {
            "videos": len(self.records),
            "clips": len(self.clips),
            "lengths": self.lengths,
            "dropped": self.dropped,
            "records": [asdict(record) for record in self.records],
        }

    def text(self) -> str:
        """For people to read."""
        lines = [
            f"{_of(len(self.clips), 'clip')} from {_of(len(self.records), 'video')}: "
            f"{_of(sum(r.frames for r in self.records), 'frame')}, "
            f"{sum(r.with_faces for r in self.records)} with faces, "
            f"in {_of(sum(r.shots for r in self.records), 'shot')}"
        ]
        lines += ["  clips by frames: " + ", ".join(f"{name}: {count}" for name, count in self.lengths.items())]
        lines += [f"  dropped {_of(count, 'track')}: {reason}" for reason, count in self.dropped.items()]
        for record in self.records:
            if record.skipped or record.note:
                lines.append(f"  {record.skipped or f'{record.video}: {record.note}'}")
        return "\n".join(lines)


def _of(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
