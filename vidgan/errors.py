"""The one kind of error that a user is meant to read."""

import difflib
from collections.abc import Iterable


class VidganError(ValueError):
    """A mistake in what was asked for, told in one sentence: what was wrong, with the value, and what to do.

    The command line prints it and exits with status 2; the page shows it where the hand is. Any other exception is
    a defect of ours.
    """


def unknown(kind: str, value: object, choices: Iterable[str]) -> VidganError:
    """The error for a name that does not exist, with the nearest names that do.

    `kind` is the noun ("release", "label"), `value` what was asked for, `choices` all valid names.
    """
    choices = sorted(str(choice) for choice in choices)
    near = difflib.get_close_matches(str(value), choices, n=3, cutoff=0.5)
    if near:
        hint = f"did you mean {' or '.join(near)}?"
    elif choices:
        hint = f"there are {', '.join(choices)}."
    else:
        hint = "there are none."
    return VidganError(f"There is no {kind} {str(value)!r}; {hint}")
