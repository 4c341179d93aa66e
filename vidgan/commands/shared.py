"""What several commands do."""

import json


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
