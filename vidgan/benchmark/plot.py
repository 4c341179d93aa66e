"""A line chart as SVG, for pages that show no scripts."""

from collections.abc import Mapping, Sequence

COLOURS = ("#2f6fb5", "#c4572d", "#3d8a4e", "#8a5fb0", "#a07a1e", "#5f6b76")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 300, 52, 44, 16, 180
TICKS = [digit * 10**power for power in range(-3, 6) for digit in (1, 2, 2.5, 5)]

Points = Sequence[tuple[float, float]]


def line_chart(lines: Mapping[str, Points], axis: str, title: str, notes: Sequence[tuple[float, str]] = ()) -> str:
    """SVG text of one line for each name, which stands at its end with its last value.

    lines: name -> [(x, y), ...], y not negative, at most six; axis: what x is; title: what y is, shown on hovering;
    notes: (x, words) above the axis. ValueError where there is nothing to draw.
    """
    if not lines or not all(lines.values()) or len(lines) > len(COLOURS):
        raise ValueError(f"A chart has one to {len(COLOURS)} lines, of a point at least.")
    last = max(x for points in lines.values() for x, _ in points) or 1
    most = max(y for points in lines.values() for _, y in points) or 1
    tick = next((size for size in TICKS if most / size <= 7), most)
    count = -int(-most // tick)

    def across(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * x / last

    def up(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * y / (tick * count)

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for y in (tick * step for step in range(count + 1)):
        parts.append(f'<path d="M{LEFT} {up(y):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{up(y) + 4:.1f}" text-anchor="end">{y:g}</text>')
    for x, words in notes:
        parts.append(f'<text x="{across(x):.1f}" y="{HEIGHT - 24}" text-anchor="middle">{words}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{last:g} {axis}</text>')
    for points, colour in zip(lines.values(), COLOURS, strict=False):
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(points) == 1:
            parts.append(f'<circle cx="{across(points[0][0]):.1f}" cy="{up(points[0][1]):.1f}" r="3" fill="{colour}"/>')
    free = float("inf")  # names stand one above the other, the larger value higher
    ends = sorted(zip(lines.items(), COLOURS, strict=False), key=lambda pair: pair[0][1][-1][1])
    for (name, points), colour in ends:
        value = points[-1][1]
        free = min(free - 16, up(value) + 4)
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{free:.1f}" fill="{colour}">{_plain(name)} {value:.1f}</text>')
    parts.append(f"<title>{_plain(title)}</title>")
    style = 'font-family="sans-serif" font-size="12" fill="#555"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>{"".join(parts)}</svg>\n'


def _plain(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")
