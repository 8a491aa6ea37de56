"""Curves of measured rows as PNG: recall against speed, and speed at recall .95 against build time and against size.

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
LEAST_RECALL = 0.8
SHOWN = 12  # Curves of the fastest, ours and the peers' apiece; the table has them all.


def short(row):
    more = [str(row["config"][key]) for key in ("sq_type", "refine_type", "data") if key in row["config"]]
    more += [f"{key}={row['config'][key]}" for key in ("M", "R", "nlist", "leaves") if key in row["config"]]
    return " ".join([row["index"], *more, row["config"].get("spec", "").split(",R")[0]]).strip()


def curves(axes, groups):
    for number, mine in enumerate(groups):
        ours, points = mine[0]["ours"], [point for point in report.curve(mine) if point[0] >= LEAST_RECALL]
        if points:
            axes.plot(*zip(*points), label=short(mine[0]), color=COLOURS[number % len(COLOURS)], markersize=4,
                      linewidth=2.2 if ours else 1.2, linestyle="-" if ours else "--", marker="o" if ours else "x")
    axes.set(xlabel="recall@10", ylabel="queries per CPU second, one thread", yscale="log", title="speed at recall")
    axes.grid(True, which="both", alpha=0.25)
    axes.legend(fontsize=7, ncol=2, loc="upper left", bbox_to_anchor=(0, -0.08))


def costs(axes, groups, key, name):
    for mine in groups:
        speed, cost, ours = report.at(mine, 0.95), mine[0][key], mine[0]["ours"]
        if not speed or not cost:
            continue
        colour, marker = ("tab:blue", "o") if ours else ("tab:orange", "X")
        axes.scatter(cost, speed, s=40, alpha=0.8, color=colour, marker=marker)
        axes.annotate(short(mine[0]), (cost, speed), fontsize=6, xytext=(5, 3), textcoords="offset points")
    axes.set(xlabel=name, ylabel="queries per CPU second at recall .95", xscale="log", yscale="log",
             title=f"{name}; blue: ours")
    axes.grid(True, which="both", alpha=0.25)


def main():
    with open(sys.argv[1]) as source:
        result = json.load(source)
    name = os.path.splitext(os.path.basename(sys.argv[1]))[0]
    for about in result["sets"]:
        data, rows = about["name"], [row for row in result["rows"] if row["data"] == about["name"]]
        groups = [mine for _, mine in report.by_speed(rows)]
        fastest = [[mine for mine in groups if mine[0]["ours"] == ours][:SHOWN] for ours in (True, False)]
        figure, axes = plt.subplots(1, 3, figsize=(21, 8), gridspec_kw={"width_ratios": [3, 2, 2]})
        curves(axes[0], fastest[0] + fastest[1])
        costs(axes[1], groups, "build_cpu_s", "CPU seconds to build")
        costs(axes[2], groups, "bytes_per_vector", "bytes a vector")
        figure.suptitle(f"{data}: {about['about']}")
        figure.tight_layout()
        figure.savefig(os.path.join(sys.argv[2], f"{name}-{data}.png"), dpi=80)
        plt.close(figure)


main()
