"""What several commands do."""

import json

from ..errors import VidganError, unknown


def print_json(data: object, indent: int | None = 2) -> None:
    """To standard output."""
    print(json.dumps(data, indent=indent))


def condition_of(generator, label: str | None):
    """The condition for one clip from `--label`; without one, or for an empty one, the even blend; None where the
    release has no labels."""
    from ..conditions import Condition

    labels = generator.labels
    if label:
        return Condition.parse(label, labels)
    return Condition.of_label([1.0] * len(labels), labels) if labels else None


def data_options(name: str, given: list[str]) -> dict:
    """`--set OPTION=VALUE`, as often as it is given, as options of the data set `name`; values are JSON where they can
    be. VidganError for an option that it does not take."""
    from ..data import options_of

    taken, options = options_of(name), {}
    for item in given:
        option, equals, value = item.partition("=")
        if not equals or not option.isidentifier():
            raise VidganError(f"--set takes OPTION=VALUE, not {item!r}.")
        if option not in taken:
            raise unknown(f"option of {name}", option, taken)
        try:
            options[option] = json.loads(value)
        except ValueError:
            options[option] = value
    return options
