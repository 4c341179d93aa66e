"""How several releases came to be, as plotly figures: their metrics, or their losses, over the steps of training."""

import json
from collections.abc import Mapping, Sequence

from ..errors import unknown
from ..models import ReleaseInfo
from .measured import METRICS, form, number, start

FILE = "curve.json"
MAX_BYTES = 8 << 20
LOSSES = "losses"
#: split -> in words, its lines, its dots
SPLITS = {"test": ("held-out clips", "solid", "circle"), "train": ("training clips", "dot", "circle-open")}
HEIGHT, GAP = 210, 74  #: pixels of a panel, and between two
MOST = 6  #: panels in one figure


def read(info: ReleaseInfo) -> dict[str, list[dict]]:
    """{"train": lines, "metrics": lines} of a release, each line with its `step`; both empty where there is no file, or
    none that can be read."""
    try:
        path = info.path / FILE
        told = json.loads(path.read_text("utf-8")) if path.stat().st_size <= MAX_BYTES else {}
    except (OSError, ValueError, RecursionError):
        told = {}
    lines = {name: told.get(name) if isinstance(told, dict) else None for name in ("train", "metrics")}
    return {
        name: [line for line in value if isinstance(line, dict) and number(line.get("step")) is not None]
        if isinstance(value, list)
        else []
        for name, value in lines.items()
    }


def quantities(curves: Sequence[Mapping[str, list[dict]]]) -> dict[str, str]:
    """What there are curves of: name -> in words; metrics first, in the order of METRICS, and losses last."""
    there = {start(key) for curve in curves for line in curve["metrics"] for _, key in _keys(line)}
    found = {name: METRICS[name][0] for name in METRICS if name in there}
    return found | ({LOSSES: "Losses"} if any(_losses(curve["train"]) for curve in curves) else {})


def figure(infos: Sequence[ReleaseInfo], curves: Sequence[Mapping[str, list[dict]]], quantity: str) -> dict:
    """A plotly figure, {data, layout}, of one of `quantities`; VidganError for any other.

    A panel for each protocol: numbers of different ones have no axis in common, nor those of releases that draw people
    of their own and of others, which are given real pictures to begin with. Of losses, a panel for each release:
    what one system minimises cannot be compared with another's. `meta` tells lines apart: the release's index, or the
    loss's.
    """
    known = quantities(curves)
    if quantity not in known:
        raise unknown("curve", str(quantity)[:60], known)
    if quantity == LOSSES:
        return _laid_out(list(_loss_panels(infos, curves).items())[:MOST])
    panels = _metric_panels(infos, curves, quantity)
    titles = [(form(key) or key) + (",<br>beginning with pictures" if given else "") for key, given in panels]
    return _laid_out(list(zip(titles, panels.values(), strict=True))[:MOST])


def _keys(line: Mapping) -> list[tuple[str, str]]:
    """(split, metric's key) of what a line has measured."""
    pairs = [key.split("_", 1) for key in line if key.startswith(tuple(f"{split}_" for split in SPLITS))]
    return [(split, key) for split, key in pairs if number(line[f"{split}_{key}"]) is not None]


def _losses(lines: Sequence[Mapping]) -> list[str]:
    """The losses of the generator and of the discriminators."""
    return sorted(
        {key for line in lines for key in line if key.startswith(("g_", "d_")) and number(line[key]) is not None}
    )


def _metric_panels(infos, curves, quantity: str) -> dict[tuple[str, bool], list[dict]]:
    panels: dict[tuple[str, bool], list[dict]] = {}  # by the metric's key, and whether pictures were given
    for index, (info, curve) in enumerate(zip(infos, curves, strict=True)):
        there = {pair: None for line in curve["metrics"] for pair in _keys(line) if start(pair[1]) == quantity}
        for split, key in sorted(there):
            words, dash, symbol = SPLITS[split]
            trace = _line(curve["metrics"], f"{split}_{key}", f"{info.name}, {words}", index, key)
            trace |= {"line": {"dash": dash}, "marker": {"symbol": symbol}}
            panels.setdefault((key, info.takes_image), []).append(trace)
    return panels


def _loss_panels(infos, curves) -> dict[str, list[dict]]:
    panels: dict[str, list[dict]] = {}
    for info, curve in zip(infos, curves, strict=True):
        for index, key in enumerate(_losses(curve["train"])):
            trace = {**_line(curve["train"], key, key, index, key), "legendgroup": key}
            trace["showlegend"] = all(key != other["name"] for panel in panels.values() for other in panel)
            panels.setdefault(info.name, []).append({**trace, "mode": "lines"})
    return panels


def _line(lines: Sequence[Mapping], key: str, name: str, meta: int, told: str) -> dict:
    points = [(line["step"], number(line.get(key))) for line in lines if number(line.get(key)) is not None]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "meta": meta,
        "x": [step for step, _ in points],
        "y": [float(f"{value:.5g}") for _, value in points],
        "hovertemplate": f"{name}<br>step %{{x:,}}: %{{y:.4g}}<br>{told}<extra></extra>",
    }


def _laid_out(panels: Sequence[tuple[str, list[dict]]]) -> dict:
    """The panels one below the other, titled, with one axis of steps each."""
    count = len(panels)
    height = count * HEIGHT + (count - 1) * GAP
    data, layout = [], {"annotations": [], "showlegend": True}
    for row, (title, traces) in enumerate(panels):
        top = 1 - row * (HEIGHT + GAP) / height
        suffix = "" if row == 0 else str(row + 1)
        layout[f"xaxis{suffix}"] = {"anchor": f"y{suffix}", "rangemode": "tozero", "tickformat": ",d"}
        layout[f"yaxis{suffix}"] = {"domain": [max(0, top - HEIGHT / height), top], "anchor": f"x{suffix}"}
        if row == count - 1:
            layout[f"xaxis{suffix}"]["title"] = {"text": "training step"}
        place = {"x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom"}
        layout["annotations"].append({"text": title, "showarrow": False, **place})
        data += [{**trace, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}"} for trace in traces]
    return {"data": data, "layout": {**layout, "height": height}}
