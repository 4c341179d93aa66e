"""What the command line reads its options with: one sentence where a value cannot be."""

from collections.abc import Callable

from .errors import VidganError, unknown


def whole(name: str, low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number within bounds; `name` is the option, for the message."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise VidganError(f"{name} takes a whole number from {low} to {high}, not {text[:40]!r}.")
        return value

    return read


def real(name: str, low: float, high: float) -> Callable[[str], float]:
    """Reads a number within bounds; `name` is the option, for the message."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise VidganError(f"{name} takes a number from {low:g} to {high:g}, not {text[:40]!r}.")
        return value

    return read


def seed(text: str) -> int:
    """A seed of at most 64 bits."""
    from .explore.parse import parse_seed

    return parse_seed(text)


def seeds(text: str) -> dict[str, int]:
    """Seeds by subspace: `z_a=1,z_b=2`."""
    parts = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and given for name, given, _ in parts):
        raise VidganError(f"--seeds takes SUBSPACE=SEED,SUBSPACE=SEED, not {text[:60]!r}.")
    return {name.strip(): seed(value) for name, _, value in parts}


def format(text: str) -> str:
    """A file format that `video.save` writes."""
    from .video import FORMATS

    if text not in FORMATS:
        raise unknown("format", text, FORMATS)
    return text


def clips(text: str) -> int:
    """How many clips a release is measured with: 0 for none, or at least 2."""
    clips = whole("--clips", 0, 1_000_000)(text)
    if clips == 1:  # has no spread, so no distance
        raise VidganError("--clips takes 0, to measure nothing, or at least 2, not '1'.")
    return clips


def truncation(text: str) -> float | dict[str, float]:
    """One number for all subspaces, or `appearance=0.7,motion=0.3`."""
    if "=" in text:
        parts = (part.partition("=") for part in text.split(","))
        return {name.strip(): number(value) for name, _, value in parts}
    return number(text)


def number(text: str) -> float:
    """A factor from 0 to 10."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 10:
        raise VidganError(f"--truncation takes a number from 0 to 10, not {text[:40]!r}.")
    return value


def fusion(text: str) -> tuple[float, ...]:
    """Four factors from 0 to 1, coarse to fine: the strength of each appearance skip."""
    values = _numbers(text)
    if len(values) != 4 or not all(0 <= value <= 1 for value in values):
        raise VidganError(f"--fusion takes four numbers from 0 to 1, such as 1,1,0.5,0, not {text[:40]!r}.")
    return values


def box(text: str) -> tuple[float, float, float]:
    """Left, top and side of a square, in pixels."""
    values = _numbers(text)
    if len(values) != 3:
        raise VidganError(f"--crop takes three numbers, X,Y,SIDE in pixels, not {text[:40]!r}.")
    return values


def _numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between; nothing where one is none."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        return ()


def names(text: str) -> list[str]:
    """Names with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()]


def methods(text: str) -> str | dict[str, str]:
    """One way to interpolate for all subspaces, or `z_a=lerp,z_b=slerp`."""
    if "=" not in text:
        return text.strip()
    parts = (part.partition("=") for part in names(text))
    return {name.strip(): method.strip() for name, _, method in parts}


def seconds(text: str) -> float:
    """A number of seconds."""
    try:
        return float(text)
    except ValueError as error:
        raise VidganError(f"--length takes a number of seconds, not {text[:40]!r}.") from error
