"""Curves of measured rows as PNG: recall against speed, and speed against build time and size at recall .95.

  plot.py FILE.json FOLDER
"""
import json
import os
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

import report  # noqa: E402

COLOURS = plt.get_cmap("tab20").colors


def styled(number, ours):
    return {"color": COLOURS[number % len(COLOURS)], "linewidth": 2.2 if ours else 1.2,
            "linestyle": "-" if ours else "--", "marker": "o" if ours else "x", "markersize": 4}


def short(row):
    more = [str(row["config"][key]) for key in ("sq_type", "refine_type") if key in row["config"]]
    if row["index"].startswith("HNSW") and row["config"].get("M", 16) != 16:
        more.insert(0, f"M={row['config']['M']}")
    return " ".join([row["index"], *more])


def main():
    with open(sys.argv[1]) as source:
        result = json.load(source)
    name = os.path.splitext(os.path.basename(sys.argv[1]))[0]
    for data, rows in report.group_by(result["rows"], lambda row: row["data"]).items():
        figure, (curves, costs) = plt.subplots(1, 2, figsize=(16, 7), gridspec_kw={"width_ratios": [3, 2]})
        groups = sorted(report.group_by(rows, report.label).values(), key=lambda mine: -(report.at(mine, 0.95) or 0))
        for number, mine in enumerate(groups):
            points = [point for point in report.curve(mine) if point[0] >= 0.8]
            ours = mine[0]["ours"]
            if len(points) > 1:
                curves.plot(*zip(*points), label=short(mine[0]), **styled(number, ours))
            speed = report.at(mine, 0.95)
            if speed and mine[0]["bytes_per_vector"]:
                costs.scatter(mine[0]["bytes_per_vector"], speed, s=30 + 6 * mine[0]["build_s"],
                              color=COLOURS[number % len(COLOURS)], marker="o" if ours else "X", alpha=0.8)
                costs.annotate(short(mine[0]), (mine[0]["bytes_per_vector"], speed), fontsize=7,
                               xytext=(5, 3), textcoords="offset points")
        curves.set(xlabel="recall@10", ylabel="queries per CPU second, one thread", yscale="log", title=f"{data}: speed at recall")
        curves.grid(True, which="both", alpha=0.25)
        curves.legend(fontsize=7, ncol=2, loc="upper left", bbox_to_anchor=(0, -0.08))
        costs.set(xlabel="bytes a vector", ylabel="queries per CPU second at recall .95", xscale="log", yscale="log",
                  title="at recall .95; larger: longer to build")
        costs.grid(True, which="both", alpha=0.25)
        figure.tight_layout()
        figure.savefig(os.path.join(sys.argv[2], f"{name}-{data}.png"), dpi=90)
        plt.close(figure)


main()
