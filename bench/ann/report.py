"""From measured rows to one table of ratios: queries per CPU second at equal recall."""

TARGETS = (0.90, 0.95, 0.99)
TITLES = {"engine": "Engine: HNSW, IVF_FLAT and FLAT beside hnswlib and faiss", "ann": "Every vector index beside its peers"}


def curve(rows):
    """The settings that nothing beats in both recall and speed, by recall."""
    best, kept = 0.0, []
    for row in sorted(rows, key=lambda row: (-row["recall"], -row["qps"])):
        if row["qps"] > best:
            best = row["qps"]
            kept.append((row["recall"], row["qps"]))
    return kept[::-1]


def at(rows, recall):
    """Queries per CPU second at that recall, between the two settings next to it; None where none reaches it.
    An index whose worst setting is better than asked counts with that one."""
    points = curve(rows)
    if not points or points[-1][0] < recall:
        return None
    if points[0][0] >= recall:
        return points[0][1]
    for (low, fast), (high, slow) in zip(points, points[1:]):
        if low < recall <= high:
            share = (recall - low) / (high - low)
            return fast ** (1 - share) * slow ** share
    return None


def number(value):
    return "–" if value is None else f"{value:,.0f}"


def group_by(rows, key):
    groups = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def label(row):
    more = " ".join(f"{key}={value}" for key, value in row["config"].items())
    return row["index"] + (f" ({more})" if more else "")


def table(rows):
    """One data set."""
    lines = ["| index | QPS at .90 | .95 | .99 | build s | build CPU s | bytes a vector |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    named = group_by(rows, label)
    order = sorted(named.items(), key=lambda item: (not item[1][0]["ours"], -(at(item[1], 0.95) or 0)))
    for name, mine in order:
        first = mine[0]
        speeds = " | ".join(number(at(mine, target)) for target in TARGETS)
        shown = f"**{name}**" if first["ours"] else name
        lines.append(f"| {shown} | {speeds} | {first['build_s']:.1f} | {first['build_cpu_s']:.1f} | "
                     f"{number(first['bytes_per_vector'] or None)} |")
    return "\n".join(lines)


def best(rows, ours, target):
    """(queries per CPU second, name) of the fastest; None where none reaches the recall."""
    found = [(at(group, target), name) for name, group in group_by([row for row in rows if row["ours"] == ours], label).items()]
    return max((pair for pair in found if pair[0]), default=None)


def ratios(rows):
    lines = ["| compared | .90 | .95 | .99 | build, wall |", "|---|---:|---:|---:|---:|"]

    def line(title, mine, theirs):
        cells = []
        for target in TARGETS:
            a, b = at(mine, target), at(theirs, target)
            cells.append(f"{a / b:.2f}" if a and b else "–")
        build = f"{mine[0]['build_s'] / theirs[0]['build_s']:.2f}" if theirs[0]["build_s"] else "–"
        lines.append(f"| {title} | {' | '.join(cells)} | {build} |")

    named = group_by(rows, lambda row: row["index"])
    for mine, theirs in (("HNSW", "hnswlib"), ("HNSW", "faiss-HNSW"), ("IVF_FLAT", "faiss-IVF_FLAT"), ("FLAT", "faiss-Flat"),
                         ("IVF_SQ8", "faiss-IVF_SQ8"), ("HNSW_SQ", "glass-SQ4U"), ("HNSW_SQ", "faiss-HNSW_SQ8"), ("SCANN", "scann"),
                         ("SCANN", "faiss-fastscan"), ("IVF_RABITQ", "faiss-RaBitQ")):
        if mine in named and theirs in named:
            line(f"{mine} ÷ {theirs}", named[mine], named[theirs])
    cells = []
    for target in TARGETS:
        ours, peer = best(rows, True, target), best(rows, False, target)
        cells.append(f"{ours[0] / peer[0]:.2f} ({ours[1].split(' ')[0]} ÷ {peer[1].split(' ')[0]})" if ours and peer else "–")
    lines.append(f"| the best ÷ the best peer | {' | '.join(cells)} | |")
    return "\n".join(lines)


def page(name, result):
    parts = [f"# {TITLES[name]}", "",
             f"Queries per CPU second on one thread at recall@10 .90, .95 and .99 ({result['mode']} calls), the median of "
             f"{result['rounds']} rounds in which the indexes took turns; builds on {result['build_threads']} threads. "
             f"{result['machine']}.", "",
             f"Again: `./dev bench {name}`. A speed lies between the two settings next to the recall, on a logarithmic "
             "scale. Raw figures: the JSON file beside this page.", ""]
    for data, rows in group_by(result["rows"], lambda row: row["data"]).items():
        parts += [f"## {data}", "", f"![recall against speed]({name}-{data}.png)", "", ratios(rows), "", table(rows), ""]
    return "\n".join(parts)
