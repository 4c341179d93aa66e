"""What a run writes down: JSON lines, and TensorBoard where it is installed."""

import json
from pathlib import Path

import numpy as np

from ..video import write_atomic


class RunLog:
    """`RUN/log.jsonl`, one object a line with `kind` ("train" or "metrics") and `step`; TensorBoard events beside it.

    A run that was killed has logged steps that it has to do again: on opening, lines past `step` are dropped.
    """

    def __init__(self, run: Path, step: int):
        run.mkdir(parents=True, exist_ok=True)
        path = run / "log.jsonl"
        kept = [line for line in _lines(path) if line["step"] <= step]
        write_atomic(path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        self._file = path.open("a", buffering=1)
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._board = None
        else:
            self._board = SummaryWriter(run / "tensorboard", purge_step=step + 1)

    def write(self, step: int, kind: str = "train", **values: object) -> None:
        self._file.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")
        for name, value in values.items():
            if self._board and isinstance(value, int | float):
                self._board.add_scalar(f"{kind}/{name}", value, step)

    def sheet(self, step: int, frames: np.ndarray) -> None:
        """The middle frame of a sample sheet, uint8 [T, H, W, 3], for TensorBoard."""
        if self._board:
            self._board.add_image("sheet", frames[len(frames) // 2], step, dataformats="HWC")

    def close(self) -> None:
        self._file.close()
        if self._board:
            self._board.close()


def read_log(run: Path, kind: str = "train") -> list[dict]:
    """The lines of one kind, oldest first; lines that a full disk or a kill has spoilt are left out."""
    return [line for line in _lines(Path(run) / "log.jsonl") if line.get("kind") == kind]


def _lines(path: Path) -> list[dict]:
    lines = []
    for text in path.read_text("utf-8", "replace").splitlines() if path.exists() else []:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("step"), int):
            lines.append(line)
    return lines
