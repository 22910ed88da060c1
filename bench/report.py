# SPDX-License-Identifier: MIT
"""The figures as a table for a terminal, as Markdown, and as a picture."""

from xml.sax.saxutils import escape

from figures import number


def result(figure):
    low, high = min(figure.values), max(figure.values)
    text = number(figure.median)
    if len(figure.values) > 1:
        text += f" [{number(low)}-{number(high)}]"
    return text + (" " + figure.unit if figure.unit else "")


def goal(figure):
    if figure.goal is None:
        return "-"
    sign = ">=" if figure.at_least else "<="
    return f"{sign} {figure.goal:,g}"


def text_table(figures):
    rows = [("figure", "goal", "result", "made of", "")]
    rows += [(f.title, goal(f), result(f), f.parts, f.verdict) for f in figures]
    widths = [max(len(r[i]) for r in rows) for i in range(5)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * w for w in widths[:4]))
    return "\n".join(lines)


def markdown(figures, machine):
    lines = [f"Measured {machine['date']} on {machine['cpus']} x {machine['cpu']}, "
             f"Linux {machine['kernel']}, {machine['compiler']}, {machine['openssl']}. "
             "Results are the median [least-most] of the rounds.", "",
             "| figure | goal | result | made of | |", "|---|---|---|---|---|"]
    for f in figures:
        verdict = "**missed**" if f.verdict == "MISSED" else f.verdict
        lines.append(f"| {f.title} | {goal(f)} | {result(f)} | {f.parts} | {verdict} |")
    return "\n".join(lines)


STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.small { font-size: 12px; fill: #57606a; }
.head { font-size: 15px; font-weight: 600; }
.goal { stroke: #24292f; stroke-width: 1.5; stroke-dasharray: 4 3; }
.range { stroke: #24292f; stroke-width: 1.5; }
.ok { fill: #2a9d8f; } .missed { fill: #d1642c; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .small { fill: #9aa4af; }
  .goal, .range { stroke: #e6edf3; }
  .ok { fill: #3fb8a9; } .missed { fill: #e9854f; }
}
"""
LEFT, WIDTH, RIGHT, ROW, TOP = 480, 340, 150, 24, 64
SHOWN = 1.6  # shares of the goal that fit the picture


def svg(figures):
    """A bar for each figure that has a goal, as a share of what the goal
    allows: left of the dashed line is good."""
    judged = [f for f in figures if f.goal is not None]
    height = TOP + ROW * len(judged) + 30
    scale = WIDTH / SHOWN
    total = LEFT + WIDTH + RIGHT
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height}" '
           f'width="{total}" height="{height}" role="img" '
           'aria-label="Each result as a share of what its goal allows">',
           f"<style>{STYLE}</style>",
           '<text class="head" x="12" y="24">Results against their goals</text>',
           '<text class="small" x="12" y="44">bar: median as a share of what the goal allows; '
           "line: least and most; left of the dashed line is good</text>"]
    for i, f in enumerate(judged):
        y = TOP + ROW * i
        shares = sorted(f.strain(v) for v in f.values)
        bar = min(f.strain(f.median), SHOWN) * scale
        low, high = (min(s, SHOWN) * scale for s in (shares[0], shares[-1]))
        kind = "ok" if f.verdict == "ok" else "missed"
        out.append(f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(f.title)}</text>')
        out.append(f'<rect class="{kind}" x="{LEFT}" y="{y + 5}" width="{bar:.1f}" height="14" rx="2"/>')
        if high - low > 1:
            out.append(f'<line class="range" x1="{LEFT + low:.1f}" x2="{LEFT + high:.1f}" '
                       f'y1="{y + 12}" y2="{y + 12}"/>')
        label = f"{number(f.median)}{' ' + f.unit if f.unit else ''} ({goal(f)})"
        out.append(f'<text class="small" x="{LEFT + WIDTH + 10}" y="{y + 16}">{escape(label)}</text>')
    x = LEFT + scale
    out.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{height - 24}"/>')
    out.append(f'<text class="small" x="{x:.1f}" y="{height - 8}" text-anchor="middle">goal</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
