"""Measuring in rounds: which settings count, who takes turns, and what a run that ended half way has kept."""
import json
import os
import statistics
import sys
import time

import report
from devlib import Failed, say
from process import Kept, Worker, busy, read_json, write_json

ENOUGH = 0.9985  # The end of a curve: what follows is only slower.
DULL = 0.8  # A setting is left out when another finds as much in less than this share of its time.
LEAST_RECALL = 0.7  # What finds less is not measured in rounds.
ENOUGH_S = 0.15  # A short call is repeated to about this much of CPU time, and the median counts.
CALLS_MAX = 9
CACHED_BYTES = 128 << 20  # What may lie in a cache; fewer bytes say nothing of the memory.
FEW = 50  # Queries of the mode of that name in worker.cc.
BATCHES = 5  # A turn: pairs of a batch on one core and on all.
SPARE_BYTES = 3 << 30  # Memory that stays free for the page cache and the machine.


def repeated(call):
    """The answer of several calls whose CPU time is in the middle; of one where one takes long enough."""
    answers = [call()]
    while len(answers) < CALLS_MAX and sum(answer["cpu_s"] for answer in answers) < ENOUGH_S:
        answers.append(call())
    return sorted(answers, key=lambda answer: answer["cpu_s"])[len(answers) // 2]


def survey(worker, truth):
    """Every setting once: what it finds and about what it costs. Kept, for recall does not change between runs."""
    found, over = [], {}
    for setting in worker.entry.sweep:
        # In a grid a curve ends for each value of the second parameter alone.
        row = tuple(sorted(setting.items()))[1:] if len(setting) > 1 and "ef" not in setting else ()
        if over.get(row):
            continue
        cost = repeated(lambda: worker.search("batch", setting))
        found.append({"setting": setting, "recall": worker.recall(truth), "cpu_s": cost["cpu_s"]})
        over[row] = found[-1]["recall"] > ENOUGH
    write_json(worker.kept.survey, {"points": found, "memory": worker.resident()})
    return found


def front(points):
    """Of a survey what nothing beats in both recall and time, the fastest first."""
    least, kept = float("inf"), []
    for point in sorted(points, key=lambda p: (-p["recall"], p["cpu_s"])):
        if point["cpu_s"] < least:
            least = point["cpu_s"]
            kept.append(point)
    return kept[::-1]


def settings_that_count(points):
    """(the settings next to a target recall, the rest of the curve): without what another setting beats clearly."""
    best, near = front(points), []
    close = [p for p in points if not any(
        other["recall"] >= p["recall"] and other["cpu_s"] < DULL * p["cpu_s"] for other in points)]
    for target in report.TARGETS:
        below = [p for p in best if p["recall"] < target][-2:]
        above = [p for p in best if p["recall"] >= target][:2]
        low, high = below[-1]["recall"] if below else target, above[0]["recall"] if above else target
        near += below + above + [p for p in close if low <= p["recall"] <= high]
    rest = [p for p in best if p not in near and p["recall"] >= LEAST_RECALL]
    return [p["setting"] for p in points if p in near], [p["setting"] for p in rest]


def memory_free():
    with open("/proc/meminfo") as source:
        return next(int(line.split()[1]) * 1024 for line in source if line.startswith("MemAvailable"))


class Bench:
    """One data set, its truth and its workers; those that fit in memory together stay open between turns."""

    def __init__(self, folder, meta, truth, args):
        self.folder, self.meta, self.truth, self.args = folder, meta, truth, args
        self.open, self.left_out = {}, {}

    def worker(self, entry, need=0):
        if entry.name not in self.open:
            while self.open and memory_free() < need + SPARE_BYTES:
                # The one used last: with turns in one order the others come before it.
                self.open.popitem()[1].close()
            self.open[entry.name] = Worker(entry, self.folder, self.meta, self.args)
        return self.open[entry.name]

    def own_cpu(self):
        """CPU seconds of this program and its workers, those that have ended too."""
        return sum(os.times()[:4]) + sum(worker.cpu() for worker in self.open.values())

    def close(self):
        while self.open:
            self.open.popitem()[1].close()

    def prepare(self, entry, rebuild):
        """Builds and surveys where that is not done. An index that does not open any more is built again."""
        kept = Kept(entry, self.meta)
        if rebuild:
            kept.remove()
        if kept.whole() and os.path.exists(kept.survey) and not self.args.survey:
            return
        if self.args.kept and not kept.whole():
            self.left_out[entry.name] = "not built"
            return
        say(f"{self.meta['name']}: {entry.name}")
        had = kept.whole()
        try:
            try:
                worker = self.worker(entry)
            except Failed:
                if not had or not entry.ours:
                    raise
                kept.remove()
                worker = self.worker(entry)
            survey(worker, self.truth)
        except Failed as failure:
            if entry.ours and not self.args.prepare:
                raise
            self.left_out[entry.name] = str(failure).strip().splitlines()[-1][:200]
            print(f"left out: {failure}", file=sys.stderr)
        self.close()

    def turn(self, entry, number, state):
        """One index's turn in a round: in the first its whole curve, then what lies next to the targets."""
        points = read_json(Kept(entry, self.meta).survey)
        near, rest = settings_that_count(points["points"])
        first = number == 0
        done = state.setdefault("sets", {}).setdefault(self.meta["name"], {}).setdefault(entry.name, {})
        if done.get("rounds", 0) > number or not near:
            return
        worker = self.worker(entry, points["memory"])
        done["about"] = worker.about
        worker.search(self.args.mode, near[0])  # What a process meets for the first time is not timed.
        for setting in near + (rest if first else []):
            cost = repeated(lambda: worker.search(self.args.mode, setting))
            point = done.setdefault("points", {}).setdefault(json.dumps(setting), {"cpu_s": []})
            point["cpu_s"].append(cost["cpu_s"])
            if "blocks_read" in cost and entry.group == "disk":
                point["blocks"] = cost["blocks_read"]
            if "recall" not in point:
                point["recall"] = worker.recall(self.truth)
        if entry.group == "disk":
            self.cold(worker, near, done)
        if entry.group == "flat" and entry.ours and 4 * self.meta["n"] * self.meta["dim"] > CACHED_BYTES:
            done.setdefault("scan_s", []).append(worker.search("few", {})["cpu_s"] / min(FEW, len(self.truth)))
            done.setdefault("stream_s", []).append(worker.search("stream", {})["cpu_s"])
        if entry.group != "disk" and self.args.threads > 1 and not done.get("alone"):
            self.both(worker, near, done)
        done["rounds"] = number + 1

    def both(self, worker, near, done):
        """The batch on all cores beside the same on one, by the clock, at the setting next to recall .95."""
        found = done["points"]
        setting = min(near, key=lambda s: abs(found[json.dumps(s)]["recall"] - 0.95))
        recall = found[json.dumps(setting)]["recall"]
        pair = done.setdefault("both", {"setting": setting, "recall": recall, "one_s": [], "all_s": []})
        try:
            for _ in range(BATCHES):
                one, every = (worker.search(mode, pair["setting"])["wall_s"] for mode in ("batch", "parallel"))
                pair["one_s"].append(one)
                pair["all_s"].append(every)
        except Failed:
            # A peer without such a call has ended with it.
            del done["both"]
            done["alone"] = True
            self.open.pop(worker.entry.name).close()

    def cold(self, worker, near, done):
        """With nothing of the file in the page cache: by the clock, and what was read from the disk."""
        for setting in near:
            cost = worker.search("cold", setting)
            point = done["points"][json.dumps(setting)]
            point.setdefault("cold_s", []).append(cost["wall_s"])
            point.setdefault("cold_read", []).append(cost["read_bytes"])

    def rows(self, entry, done):
        """The entry's lines of the raw figures."""
        about, nq = done["about"], len(self.truth)
        common = {"data": self.meta["name"], "index": entry.index, "ours": entry.ours, "group": entry.group,
                  "config": entry.config}
        # A flat index of ours keeps nothing beside the vectors themselves.
        memory = about["memory_bytes"] / about["rows"] if entry.group != "flat" else 4 * self.meta["dim"]
        cost = {"build_s": round(about["build_s"], 2), "build_cpu_s": round(about["build_cpu_s"], 2),
                "build_others_cpu_s": round(about.get("others_cpu_s", 0), 2), "bytes_per_vector": round(memory, 1),
                "file_bytes_per_vector": round(about["file_bytes"] / about["rows"], 1)}
        found = []
        for text, point in done["points"].items():
            row = {**common, "search": json.loads(text), "recall": round(point["recall"], 4),
                   "qps": round(nq / statistics.median(point["cpu_s"]), 1),
                   "qps_rounds": [round(nq / each, 1) for each in point["cpu_s"]], **cost}
            if "scan_s" in done:
                row["scan_qps"] = round(1 / statistics.median(done["scan_s"]), 1)
                row["stream_qps"] = round(1 / statistics.median(done["stream_s"]), 1)
            if "blocks" in point:
                row["blocks_per_query"] = round(point["blocks"] / nq, 1)
            if "cold_s" in point:
                row["cold_qps"] = round(nq / statistics.median(point["cold_s"]), 1)
                row["cold_read_per_query"] = round(statistics.median(point["cold_read"]) / nq)
            found.append(row)
        return found


def measure(bench, entries, args, state, keep):
    """All rounds over the entries; `keep` is called after each turn. Returns the raw lines and the batch lines."""
    entries = [entry for entry in entries if os.path.exists(Kept(entry, bench.meta).survey)]
    try:
        for number in range(args.rounds):
            say(f"{bench.meta['name']}: round {number + 1} of {args.rounds}")
            begin, before, own = time.time(), busy(), bench.own_cpu()
            for entry in entries:
                try:
                    bench.turn(entry, number, state)
                except Failed as failure:
                    if entry.ours:
                        raise
                    bench.left_out[entry.name] = str(failure).strip().splitlines()[-1][:200]
                    bench.open.pop(entry.name, None)
                keep()
            # Company on the machine; a round that is taken up again counts for what is left of it.
            spent = state.setdefault("spent", {}).setdefault(bench.meta["name"], {"seconds": 0, "others_cpu_s": 0})
            spent["seconds"] += time.time() - begin
            spent["others_cpu_s"] += max(0, busy() - before - bench.own_cpu() + own)
    finally:
        bench.close()
    done = state.get("sets", {}).get(bench.meta["name"], {})
    rows, batch = [], []
    for entry in entries:
        if "points" not in done.get(entry.name, {}):
            continue
        rows += bench.rows(entry, done[entry.name])
        if "both" in done[entry.name]:
            pair = done[entry.name]["both"]
            batch.append({"data": bench.meta["name"], "index": entry.index, "ours": entry.ours, "config": entry.config,
                          "search": pair["setting"], "recall": round(pair["recall"], 4),
                          "one_qps": round(len(bench.truth) / statistics.median(pair["one_s"]), 1),
                          "all_qps": round(len(bench.truth) / statistics.median(pair["all_s"]), 1)})
    return rows, batch
