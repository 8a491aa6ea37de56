"""From measured rows to one table of ratios: queries per CPU second at equal recall."""

import settings

TARGETS = (0.90, 0.95, 0.99)
TITLES = {"engine": "Engine: HNSW, IVF_FLAT and FLAT beside hnswlib and faiss",
          "ann": "Every vector index beside its peers"}

ABSENT = ("SVS without LVQ and LeanVec, which its package refuses to run on other processors than Intel's. pyglass is "
          "the portable build, on AVX2: upstream's own has no wheel for this Python. diskannpy holds no node in "
          "memory, for elanus's DISKANN holds none here either.")


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
    An index whose worst setting is better than asked counts with that one. Of settings measured in every round."""
    full = max(len(row["qps_rounds"]) for row in rows)
    points = curve([row for row in rows if len(row["qps_rounds"]) == full])
    if not points or points[-1][0] < recall:
        return None
    if points[0][0] >= recall:
        return points[0][1]
    for (low, fast), (high, slow) in zip(points, points[1:]):
        if low < recall <= high:
            share = (recall - low) / (high - low)
            return fast ** (1 - share) * slow ** share
    return None


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def group_by(rows, key):
    groups = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def label(row):
    """The name with what tells it from others of that name."""
    more = " ".join(f"{key}={value}" for key, value in row["config"].items() if key not in ("refine", "code"))
    return row["index"] + (f" ({more})" if more else "")


def shown(name, row):
    return f"**{name}**" if row["ours"] else name


def by_speed(rows):
    """[(label, rows)], ours first, the fastest at .95 first."""
    return sorted(group_by(rows, label).items(), key=lambda item: (not item[1][0]["ours"], -(at(item[1], 0.95) or 0)))


def table(rows):
    """One data set."""
    lines = ["| index | QPS at .90 | .95 | .99 | build s | build CPU s | bytes a vector |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for name, mine in by_speed(rows):
        first = mine[0]
        speeds = " | ".join(number(at(mine, target)) for target in TARGETS)
        # On two threads; what others took of the machine meanwhile makes the clock's figure worth less.
        busy = "*" if first["build_others_cpu_s"] > 0.1 * first["build_cpu_s"] + 0.2 else ""
        lines.append(f"| {shown(name, first)} | {speeds} | {first['build_s']:.1f}{busy} | {first['build_cpu_s']:.1f} | "
                     f"{number(first['bytes_per_vector'] or None)} |")
    return "\n".join(lines)


def best(rows, ours, target):
    """(queries per CPU second, name) of the fastest; None where none reaches the recall."""
    groups = group_by([row for row in rows if row["ours"] == ours], label)
    found = [(at(group, target), name) for name, group in groups.items()]
    return max((pair for pair in found if pair[0]), default=None)


def best_cells(rows):
    cells = []
    for target in TARGETS:
        ours, peer = best(rows, True, target), best(rows, False, target)
        names = " ÷ ".join(pair[1].split(" ")[0] for pair in (ours, peer) if pair)
        cells.append(f"{ours[0] / peer[0]:.2f} ({names})" if ours and peer else "–")
    return " | ".join(cells)


PAIRS = (("HNSW", "hnswlib"), ("HNSW", "faiss-HNSW"), ("HNSW", "usearch"), ("HNSW_SQ", "hnswlib"),
         ("HNSW_SQ", "glass-SQ4U"), ("HNSW_SQ", "glass-SQ8U"), ("HNSW_SQ", "faiss-HNSW_SQ8"), ("HNSW_SQ", "SVS"),
         ("HNSW_SQ", "vsag"), ("IVF_FLAT", "faiss-IVF_FLAT"), ("FLAT", "faiss-Flat"), ("IVF_SQ8", "faiss-IVF_SQ8"),
         ("SCANN", "scann"), ("SCANN", "faiss-fastscan"), ("IVF_RABITQ", "faiss-RaBitQ"), ("DISKANN", "diskannpy"))


def same_graph(rows):
    """Of a name's builds those with the degree that every set and peer has."""
    return [row for row in rows if row["config"].get("M", 16) == 16]


def ratios(rows):
    """Each name with its fastest build at each recall; what building and memory cost is of the fastest at .95."""
    lines = ["| compared | .90 | .95 | .99 | build CPU | bytes |", "|---|---:|---:|---:|---:|---:|"]
    named = group_by(same_graph(rows), lambda row: row["index"])

    def fastest(name, target):
        return max(at(group, target) or 0 for group in group_by(named[name], label).values())

    def cost(name, key):
        return max(group_by(named[name], label).values(), key=lambda group: at(group, 0.95) or 0)[0][key]

    for mine, theirs in PAIRS:
        if mine in named and theirs in named:
            pairs = [(fastest(mine, target), fastest(theirs, target)) for target in TARGETS]
            pairs += [(cost(mine, key), cost(theirs, key)) for key in ("build_cpu_s", "bytes_per_vector")]
            cells = " | ".join(f"{a / b:.2f}" if a and b else "–" for a, b in pairs)
            lines.append(f"| {mine} ÷ {theirs} | {cells} |")
    lines.append(f"| the best ÷ the best peer | {best_cells(rows)} | | |")
    return "\n".join(lines)


def batches(lines):
    out = ["| index | recall | one core, QPS | all cores, QPS | ratio |", "|---|---:|---:|---:|---:|"]
    for line in sorted(lines, key=lambda line: (not line["ours"], -line["one_qps"])):
        name, ratio = shown(label(line), line), line["all_qps"] / line["one_qps"]
        speeds = f"{number(line['one_qps'])} | {number(line['all_qps'])}"
        out.append(f"| {name} | {line['recall']:.3f} | {speeds} | {ratio:.2f} |")
    return "\n".join(out)


def from_disk(rows, vector_bytes):
    """The indexes on disk, setting by setting."""
    out = ["| index | recall | QPS, CPU | QPS, clock, cold | blocks a query | KiB a query, cold | memory ÷ vectors |",
           "|---|---:|---:|---:|---:|---:|---:|"]
    for row in sorted(rows, key=lambda row: (not row["ours"], row["recall"])):
        if "cold_qps" in row:
            name, share = shown(label(row), row), row["bytes_per_vector"] / vector_bytes
            read = f"{number(row.get('blocks_per_query'), 1)} | {row['cold_read_per_query'] / 1024:.0f}"
            out.append(f"| {name} | {row['recall']:.4f} | {number(row['qps'])} | {number(row['cold_qps'])} | {read} | "
                       f"{share:.1%} |")
    return "\n".join(out)


def one_set(name, about, result):
    """The part of the page on one data set."""
    data = about["name"]
    rows = [row for row in result["rows"] if row["data"] == data]
    how = (f"{about['about']}. The median of {about['rounds']} rounds; other work on the machine took "
           f"{about['others_cpu_s']:,} CPU seconds of the {result['cpus'] * about['seconds']:,} that they lasted. "
           f"{about['machine']}.")
    picture = f"![recall against speed, build time and size against speed]({name}-{data}.png)"
    parts = [f"## {data}", how, picture, ratios(rows), table(rows)]
    on_disk = [row for row in rows if row["group"] == "disk"]
    if on_disk:
        parts += ["On disk. Cold: nothing of the file in the page cache when the batch begins.",
                  from_disk(on_disk, 4 * about["dim"])]
    for row in rows:
        if "scan_qps" in row:
            scan, stream = row["scan_qps"], row["stream_qps"]
            parts.append(f"FLAT, a query a call: {scan:,.1f} QPS, {scan / stream:.2f} of the {stream:,.1f} times a "
                         "second that one core reads all vectors.")
    together = [line for line in result["batch"] if line["data"] == data]
    if together:
        parts += ["The batch of all queries, by the clock, at the setting next to recall .95:", batches(together)]
    return parts + [f"Left out: {left}: {why}" for left, why in about["left_out"].items()]


def sparse(result):
    """Sparse search beside a plain scan of posting lists."""
    plain = next(row for row in result["methods"] if row["method"] == "plain scan")
    head = (f"{result['rows']:,} generated rows of {result['row_values']:.0f} non-zeros, {result['query_values']:.0f} a "
            f"query, {result['query_postings']:,.0f} postings a query, top 10, IP. Drop: drop_ratio_search. "
            f"{result['machine']}.")
    out = ["| method | drop | QPS, CPU | ÷ plain scan | ÷ its exact search | recall |", "|---|---:|---:|---:|---:|---:|"]
    for row in result["methods"]:
        exact = next(other for other in result["methods"] if other["method"] == row["method"] and other["drop"] == 0)
        out.append(f"| {row['method']} | {row['drop']} | {number(row['qps'])} | {row['qps'] / plain['qps']:.2f} | "
                   f"{row['qps'] / exact['qps']:.2f} | {row['recall']:.4f} |")
    return ["## Sparse", head, "\n".join(out)]


MARK = "<!-- measured: written by ./dev bench ann --out docs/benchmarks -->"


def for_users(text, result):
    """The page on which index to take with its figures renewed: ours on the first data set, the fastest first."""
    about = result["sets"][0]
    rows = [row for row in result["rows"] if row["data"] == about["name"] and row["ours"]]
    lines = [f"On {about['name']} ({about['about']}), queries a CPU second on one thread:", "",
             "| index | at recall .90 | .95 | .99 | CPU seconds to build | bytes a vector in memory |",
             "|---|---:|---:|---:|---:|---:|"]
    for name, mine in by_speed(rows):
        speeds = " | ".join(number(at(mine, target)) for target in TARGETS)
        costs = f"{number(mine[0]['build_cpu_s'])} | {number(mine[0]['bytes_per_vector'])}"
        lines.append(f"| {name} | {speeds} | {costs} |")
    before, _, after = text.split(MARK)
    return before + MARK + "\n" + "\n".join(lines) + "\n" + MARK + after


def page(name, result):
    head = ["| the best of ours ÷ the best peer | .90 | .95 | .99 |", "|---|---:|---:|---:|"]
    for about in result["sets"]:
        rows = [row for row in result["rows"] if row["data"] == about["name"]]
        head.append(f"| {about['name']}: {about['about']} | {best_cells(rows)} |")
    parts = [
        f"# {TITLES[name]}",
        f"Queries per CPU second on one thread at recall@10 .90, .95 and .99 ({result['mode']} calls): medians of "
        f"rounds in which the indexes took turns. Builds on {result['build_threads']} threads (*: with company on the "
        "machine; CPU seconds then say more). Machines differ in what they compute with, so each set names its own.",
        f"Again: `./dev bench {name}`. A speed lies between the two settings next to the recall, on a logarithmic "
        "scale. Bytes a vector: what must be in memory; vectors that are read only to refine stay in the segment's "
        "file. Raw figures: the JSON file beside this page.",
        f"Sets of more than {settings.SMALL // 1000000} million numbers do without {', '.join(settings.SLOW)} unless "
        "`--everything` is given: they take long to build and came first nowhere. `--data FOLDER` measures other "
        "vectors, `--prepare` only builds, `--resume` goes on with a run that ended half way; `--help` has the rest.",
        f"Peers, from PyPI: {', '.join(result['peers'])}. {ABSENT}", "\n".join(head)]
    for about in result["sets"]:
        parts += one_set(name, about, result)
    if "sparse" in result:
        parts += sparse(result["sparse"])
    return "\n\n".join(parts) + "\n"
