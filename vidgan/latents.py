"""Subspaces, latent spaces and points in them. Knows nothing of networks.

A video GAN of this package takes its input as named blocks: *who* (appearance) and *how it moves* (motion), and what
else a paper asks for. `LatentSpace` says which blocks there are; `Latents` is one batch of points.
"""

import base64
import hashlib
import json
import math
import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from .errors import VidganError, unknown

MAX_SEED = 2**64 - 1
MAX_STEPS = 64  #: the most motion steps a point may have; a guard for links and files, not a limit of any model

T = TypeVar("T")


@dataclass(frozen=True)
class Subspace:
    """A named block of latent dimensions.

    name: key in `Latents`; dim: number of dimensions; std: standard deviation of its prior N(0, std^2); role: what a
    paper uses it for; sequence: True where a model takes one vector for each of several time steps, so that values
    are [B, steps, dim] instead of [B, dim].
    """

    name: str
    dim: int
    std: float = 1.0
    role: str = "noise"
    sequence: bool = False

    def __post_init__(self):
        if self.dim < 1 or not self.std > 0:
            raise VidganError(f"Subspace {self.name!r} needs dim >= 1 and std > 0, not {self.dim} and {self.std}.")
        if self.role not in ("appearance", "motion", "content", "noise"):
            raise unknown("role", self.role, ("appearance", "motion", "content", "noise"))


class Latents(Mapping):
    """One batch of latent points: subspace name -> [B, dim] or [B, steps, dim], float32. Immutable.

    Every operation returns a new object; the tensors inside are private copies and are not to be written to.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Tensor]):
        values = {name: torch.as_tensor(value).detach().to(torch.float32, copy=True) for name, value in values.items()}
        if not values:
            raise VidganError("Latents need at least one subspace.")
        batches = {name: value.shape[0] if value.dim() else 0 for name, value in values.items()}
        if any(value.dim() not in (2, 3) for value in values.values()) or len(set(batches.values())) != 1:
            shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in values.items())
            raise VidganError(f"Latents are [batch, dim] or [batch, steps, dim] with one batch size, not {shapes}.")
        self._values = values

    # --- a mapping -------------------------------------------------------------------------------------------------
    def __getitem__(self, name: str) -> Tensor:
        if name not in self._values:
            raise unknown("subspace", name, self._values)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return "Latents(" + ", ".join(f"{name}: {list(value.shape)}" for name, value in self.items()) + ")"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._values)

    @property
    def batch(self) -> int:
        """Number of points."""
        return next(iter(self._values.values())).shape[0]

    @property
    def steps(self) -> int:
        """Time steps of the sequence subspaces; 1 where there are none."""
        return max((value.shape[1] for value in self._values.values() if value.dim() == 3), default=1)

    def equal(self, other: "Latents") -> bool:
        """True where both hold the same subspaces with bit-equal values."""
        return self.names == other.names and all(torch.equal(self[name], other[name]) for name in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Latents) and self.equal(other)

    __hash__ = None

    # --- rows ------------------------------------------------------------------------------------------------------
    def row(self, index: int) -> "Latents":
        """Point `index` as a batch of one; negative indices count from the end."""
        if not -self.batch <= index < self.batch:
            raise VidganError(f"There is no point {index} in a batch of {self.batch}.")
        index %= self.batch
        return self.slice(index, index + 1)

    def slice(self, start: int | None = None, stop: int | None = None) -> "Latents":
        """Points start..stop as in a Python slice."""
        return Latents({name: value[start:stop] for name, value in self.items()})

    def repeat(self, times: int) -> "Latents":
        """The whole batch, `times` times over."""
        return Latents({name: value.repeat(times, *[1] * (value.dim() - 1)) for name, value in self.items()})

    @staticmethod
    def stack(points: Iterable["Latents"]) -> "Latents":
        """Several batches joined into one; they must have the same subspaces and shapes."""
        points = list(points)
        if not points or any(point.names != points[0].names for point in points):
            raise VidganError("Only latents of the same subspaces can be stacked.")
        try:
            return Latents({name: torch.cat([point[name] for point in points]) for name in points[0]})
        except RuntimeError as error:
            raise VidganError("Only latents of the same dimensions and number of steps can be stacked.") from error

    # --- new values ------------------------------------------------------------------------------------------------
    def replace(self, values: Mapping[str, Tensor] | None = None, **named: Tensor) -> "Latents":
        """These points with some subspaces exchanged: `point.replace(motion=other["motion"])`."""
        values = {**(values or {}), **named}
        for name in values:
            if name not in self:
                raise unknown("subspace", name, self)
        return Latents({**self._values, **values})

    def add(self, name: str, direction: Tensor, amount: float = 1.0) -> "Latents":
        """Move along `direction` (broadcast to the subspace's shape) by `amount`."""
        return self.replace({name: self[name] + amount * torch.as_tensor(direction, device=self[name].device)})

    def clip(self, limit: float, space: "LatentSpace") -> "Latents":
        """Every value limited to +-`limit` standard deviations of its subspace in `space`."""
        bounds = {name: limit * space[name].std for name in self}
        return Latents({name: value.clamp(-bounds[name], bounds[name]) for name, value in self.items()})

    def to(self, device: str | torch.device) -> "Latents":
        return Latents({name: value.to(device) for name, value in self.items()})

    def lerp(self, other: "Latents", t: float, names: Iterable[str] | None = None) -> "Latents":
        """Straight line from self (t = 0) to other (t = 1) in the named subspaces (default: all)."""
        return self._blend(other, t, names, lambda a, b, t: a + (b - a) * t)

    def slerp(self, other: "Latents", t: float, names: Iterable[str] | None = None) -> "Latents":
        """Great-circle path from self (t = 0) to other (t = 1), angle and length both moving evenly.

        Each vector (each time step on its own) turns in the plane of its two ends, so that points half way keep a
        norm that the prior gives; where the two are parallel it is the straight line (Shoemake 1985).
        """
        return self._blend(other, t, names, slerp)

    def _blend(self, other, t, names, blend) -> "Latents":
        if self.names != other.names:
            raise VidganError(f"Cannot interpolate between latents of {self.names} and {other.names}.")
        names = self.names if names is None else tuple(names)
        moved = {}
        for name in names:
            if self[name].shape != other[name].shape:
                raise VidganError(
                    f"Subspace {name!r} has shape {list(self[name].shape)} at one end and "
                    f"{list(other[name].shape)} at the other."
                )
            moved[name] = blend(self[name], other[name], t)
        return self.replace(moved)

    # --- text ------------------------------------------------------------------------------------------------------
    def to_json(self) -> str:
        """Exact: every float32 is written with enough digits to come back the same."""
        return json.dumps({name: value.cpu().tolist() for name, value in self.items()})

    @staticmethod
    def from_json(text: str) -> "Latents":
        try:
            data = json.loads(text)
            return Latents({str(name): torch.tensor(value, dtype=torch.float32) for name, value in data.items()})
        except (ValueError, TypeError, AttributeError, RuntimeError) as error:
            if isinstance(error, VidganError):
                raise
            raise VidganError("That is not a latent point in JSON.") from error

    def pack(self) -> str:
        """Compact URL-safe text: base64 of float16, with the number of points and steps in front.

        Float16 keeps 11 bits, so a packed point comes back within 0.1% of itself: use `quantise` first where the
        exact same frames are wanted on both sides of a link. VidganError for values beyond float16's 65504.
        """
        if any(not (value.abs() < 65504).all() for value in self.values()):
            raise VidganError("Latents with values beyond 65504, or that are no numbers, cannot be packed.")
        header = np.array([self.batch, self.steps], dtype="<u2").tobytes()
        body = b"".join(value.cpu().numpy().astype("<f2").tobytes() for value in self.values())
        return base64.urlsafe_b64encode(header + body).decode().rstrip("=")

    def quantise(self) -> "Latents":
        """Values rounded to float16, so that `pack` loses nothing."""
        return Latents({name: value.to(torch.float16).to(torch.float32) for name, value in self.items()})


def whole(name: str, value: object) -> int:
    """`value` as a Python integer; VidganError, with `name`, for anything that is none."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise VidganError(f"{name} must be a whole number, not {value!r}.") from error


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Spherical interpolation along the last axis of `a` and `b` (same shapes); see `Latents.slerp`."""
    norm_a, norm_b = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    cosine = ((a * b).sum(-1, keepdim=True) / (norm_a * norm_b).clamp_min(1e-12)).clamp(-1, 1)
    angle = torch.arccos(cosine)
    sine = torch.sin(angle)
    straight = sine.abs() < 1e-4
    safe = torch.where(straight, torch.ones_like(sine), sine)
    unit_a, unit_b = a / norm_a.clamp_min(1e-12), b / norm_b.clamp_min(1e-12)
    turned = (torch.sin((1 - t) * angle) * unit_a + torch.sin(t * angle) * unit_b) / safe
    return torch.where(straight, a + (b - a) * t, turned * (norm_a + (norm_b - norm_a) * t))


class LatentSpace:
    """An ordered set of subspaces: what a generator takes. Samples, checks, packs and unpacks `Latents`."""

    def __init__(self, subspaces: Iterable[Subspace]):
        self.subspaces = tuple(subspaces)
        self._by_name = {subspace.name: subspace for subspace in self.subspaces}
        if not self.subspaces or len(self._by_name) != len(self.subspaces):
            raise VidganError("A latent space needs at least one subspace, and no name twice.")

    def __getitem__(self, name: str) -> Subspace:
        if name not in self._by_name:
            raise unknown("subspace", name, self._by_name)
        return self._by_name[name]

    def __iter__(self) -> Iterator[Subspace]:
        return iter(self.subspaces)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LatentSpace) and self.subspaces == other.subspaces

    def __hash__(self) -> int:
        return hash(self.subspaces)

    def __repr__(self) -> str:
        return f"LatentSpace({', '.join(f'{s.name} {s.dim}' for s in self.subspaces)})"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def total(self) -> int:
        """Dimensions of all subspaces together (of one time step)."""
        return sum(subspace.dim for subspace in self.subspaces)

    def by_role(self, role: str) -> tuple[Subspace, ...]:
        """The subspaces of one role, in order."""
        return tuple(subspace for subspace in self.subspaces if subspace.role == role)

    def named(self, name: str) -> tuple[Subspace, ...]:
        """The subspace of that name, or else all of that role; VidganError where there is neither."""
        found = (self._by_name[name],) if name in self._by_name else self.by_role(name)
        if not found:
            raise unknown("subspace", name, self._by_name)
        return found

    def each(self, values: Mapping[str, T]) -> dict[str, T]:
        """Values by subspace, given by subspace or by role; what names a subspace goes before its role."""
        roles = sorted(values, key=lambda name: name in self._by_name)
        return {subspace.name: values[name] for name in roles for subspace in self.named(name)}

    def sample(
        self,
        n: int,
        seed: int,
        *,
        steps: int = 1,
        truncation: float | Mapping[str, float] = 1.0,
        seeds: Mapping[str, int] | None = None,
    ) -> Latents:
        """`n` points of the prior, float32.

        Point i of a seed is the same whatever `n` is, in every process and on every machine; each subspace has a
        stream of its own, so that `seeds={"motion": 5}` draws other motions for the same appearances. Each time step
        is drawn from a stream of its own too: longer videos begin as the shorter ones do. `truncation` multiplies
        the normal draw (1 is the prior; 0 its mean), one number or one for each subspace.
        Raises VidganError for seeds beyond 64 bits, n < 1 or steps outside 1..64.
        """
        n, steps = whole("n", n), whole("steps", steps)
        if n < 1 or not 1 <= steps <= MAX_STEPS:
            raise VidganError(
                f"Cannot draw {n} points of {steps} steps: there must be at least 1, of 1 to {MAX_STEPS}."
            )
        seeds = self.each(seeds or {})
        if isinstance(truncation, Mapping):
            truncation = self.each(truncation)
        values = {}
        for subspace in self.subspaces:
            own = seeds.get(subspace.name, seed)
            scale = truncation.get(subspace.name, 1.0) if isinstance(truncation, Mapping) else truncation
            if not isinstance(scale, int | float | np.number) or not math.isfinite(scale):
                raise VidganError(f"Truncation must be a finite number, not {scale}.")
            draws = [
                [
                    _normal(own, subspace.name, i, step, subspace.dim)
                    for step in range(steps if subspace.sequence else 1)
                ]
                for i in range(n)
            ]
            value = torch.from_numpy(np.array(draws)) * (subspace.std * scale)
            values[subspace.name] = value if subspace.sequence else value[:, 0]
        return Latents(values)

    def draw(self, n: int, generator: torch.Generator, steps: int = 1) -> Latents:
        """`n` points of the prior from a torch generator, for training: quick, and only as repeatable as it is."""
        return Latents(
            {
                s.name: s.std * torch.randn(n, *([steps] if s.sequence else []), s.dim, generator=generator)
                for s in self.subspaces
            }
        )

    def validate(self, latents: Latents) -> Latents:
        """`latents` itself, if it is a batch of points of this space; VidganError with the reason if not."""
        if not isinstance(latents, Latents):
            raise VidganError(f"Latents(...) are needed, not {type(latents).__name__}.")
        for name in latents:
            self[name]
        for subspace in self.subspaces:
            if subspace.name not in latents:
                raise VidganError(f"Subspace {subspace.name!r} is missing; needed are {', '.join(self.names)}.")
            value = latents[subspace.name]
            wanted = "[batch, steps, {}]" if subspace.sequence else "[batch, {}]"
            if value.dim() != (3 if subspace.sequence else 2) or value.shape[-1] != subspace.dim:
                raise VidganError(
                    f"Subspace {subspace.name!r} must be {wanted.format(subspace.dim)}, not {list(value.shape)}."
                )
            if not torch.isfinite(value).all():
                raise VidganError(f"Subspace {subspace.name!r} holds NaN or infinite values.")
        if latents.steps > MAX_STEPS or not latents.batch:
            raise VidganError(f"A point has 1 to {MAX_STEPS} steps and a batch at least one point.")
        return latents

    def unpack(self, text: str) -> Latents:
        """The points that `Latents.pack` wrote, checked against this space; VidganError for anything else."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            batch, steps = (int(x) for x in np.frombuffer(raw[:4], dtype="<u2"))
            numbers = torch.from_numpy(np.frombuffer(raw[4:], dtype="<f2").astype(np.float32))
        except (ValueError, TypeError, AttributeError) as error:
            raise VidganError("That is not a packed latent point: the text is damaged or cut short.") from error
        sizes = [batch * subspace.dim * (steps if subspace.sequence else 1) for subspace in self.subspaces]
        if not batch or not 1 <= steps <= MAX_STEPS or sum(sizes) != len(numbers):
            raise VidganError(f"That packed point does not fit the latent space ({', '.join(self.names)}).")
        values = {}
        for subspace, chunk in zip(self.subspaces, numbers.split(sizes), strict=True):
            values[subspace.name] = chunk.reshape(batch, *([steps] if subspace.sequence else []), subspace.dim)
        return self.validate(Latents(values))

    def to_json(self) -> list[dict]:
        """A list of plain dicts, one for each subspace."""
        return [asdict(subspace) for subspace in self.subspaces]

    @staticmethod
    def from_json(data: Iterable[Mapping]) -> "LatentSpace":
        try:
            return LatentSpace(Subspace(**item) for item in data)
        except TypeError as error:
            raise VidganError("That is not a latent space in JSON.") from error


def _normal(seed: int, name: str, index: int, step: int, dim: int) -> np.ndarray:
    """`dim` standard normal float32 numbers that belong to (seed, subspace, row, time step) alone."""
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= (seed := operator.index(seed)) <= MAX_SEED:
        raise VidganError(f"A seed is a whole number from 0 to 2^64 - 1, not {seed!r}.")
    digest = hashlib.sha256(f"{seed}/{name}/{index}/{step}".encode()).digest()
    key = np.frombuffer(digest[:16], dtype="<u8")
    return np.random.Generator(np.random.Philox(key=key)).standard_normal(dim, dtype=np.float32)
