"""elanus's indexes beside the peers' on the same vectors in one run: rounds A-B-A-B, medians, one table of ratios.

  run.py [--engine] [--data FOLDER ...] [--only REGEX] [--rounds 5] [--threads 2] [--rebuild] [--json FILE] [--out FOLDER]
Queries per CPU second on one thread, so that what else the machine does counts little. Each index is its own process;
builds are kept under build/bench and not timed again unless --rebuild says so.
"""
import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from devlib import BUILD, Failed, run, say, venv  # noqa: E402
import report  # noqa: E402
import settings  # noqa: E402

WORK = os.path.join(BUILD, "bench")
WORKER = os.path.join(BUILD, "release", "elanus_ann")
REAL = os.path.join(os.path.dirname(ROOT), "shared", "perf", "data", "unpack.py")
TOP = 10


def default_data(everything):
    """The real vectors where they are, else generated ones; with `everything` both."""
    python, folders = venv("bench_ann"), []
    if os.path.exists(REAL):
        folders.append(os.path.join(WORK, "debtext384"))
        if not os.path.exists(os.path.join(folders[-1], "meta.json")):
            run(python, REAL, folders[-1])
    kinds = [("clustered", 100000, 128), ("uniform", 100000, 96)] if everything else [("clustered", 100000, 128)]
    for kind, rows, dim in kinds if everything or not folders else []:
        folders.append(os.path.join(WORK, f"{kind}{dim}-{rows // 1000}k"))
        if not os.path.exists(os.path.join(folders[-1], "meta.json")):
            run(python, os.path.join(HERE, "data.py"), "generate", kind, str(rows), str(dim), folders[-1])
    return folders


class Worker:
    """One index in its own process."""

    def __init__(self, entry, folder, meta, args):
        self.entry = entry
        self.out = os.path.join(WORK, "found", f"{os.getpid()}-{re.sub(r'[^A-Za-z0-9]+', '_', entry.name)}")
        os.makedirs(os.path.dirname(self.out), exist_ok=True)
        keep = os.path.join(WORK, "index", meta["name"])
        os.makedirs(keep, exist_ok=True)
        file = os.path.join(keep, re.sub(r"[^A-Za-z0-9]+", "_", f"{entry.name} {entry.worker}"))
        figures = file + ".build.json"
        if (args.rebuild or not os.path.exists(figures)) and os.path.exists(file):
            shutil.rmtree(file) if os.path.isdir(file) else os.remove(file)
        if entry.ours:
            words = [WORKER, folder, file, entry.index, str(args.threads),
                     *(f"{key}={value}" for key, value in entry.config.items())]
        else:
            words = [venv(entry.venv), os.path.join(HERE, "peers.py"), entry.worker, folder, file, str(args.threads),
                     json.dumps(entry.config)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=open(file + ".log", "w"),
                                        env={**os.environ, "ELANUS_METRIC": meta["metric"]})
        try:
            self.about = self.answer()
        except Failed as failure:
            raise Failed(f"{failure}\n{open(file + '.log').read()[-800:]}")
        if self.about["build_s"]:
            with open(figures, "w") as out:
                json.dump(self.about, out)
        else:
            with open(figures) as kept:
                self.about = {**self.about, **{key: value for key, value in json.load(kept).items() if "build" in key}}

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.entry.name} ended with {self.process.wait()}")
        return json.loads(line)

    def search(self, mode, setting):
        words = [f"{key}={value}" for key, value in setting.items()]
        self.process.stdin.write(" ".join([mode, self.out, *words]) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def recall(self, truth):
        """Of the last search: of the ten nearest rows, the share that was found."""
        import struct
        with open(self.out, "rb") as found:
            raw = found.read()
        rows = struct.unpack(f"{len(raw) // 4}I", raw)
        hits = sum(len(truth[q].intersection(rows[q * TOP:(q + 1) * TOP])) for q in range(len(truth)))
        return hits / (TOP * len(truth))

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        if os.path.exists(self.out):
            os.remove(self.out)


def load_truth(folder):
    code = "import sys, json, numpy as np; print(json.dumps(np.load(sys.argv[1])[:, :10].tolist()))"
    text = subprocess.run([venv("bench_ann"), "-c", code, os.path.join(folder, "gt.npy")], capture_output=True,
                          text=True, check=True).stdout
    return [set(row) for row in json.loads(text)]


def measure(folder, entries, meta, args):
    truth, workers, rows = load_truth(folder), [], []
    for entry in entries:
        say(f"{meta['name']}: {entry.name}")
        try:
            workers.append(Worker(entry, folder, meta, args))
        except Failed as failure:
            if entry.ours:
                raise
            print(f"left out: {failure}", file=sys.stderr)
    times, recalls = {}, {}
    try:
        for turn in range(args.rounds):
            say(f"{meta['name']}: round {turn + 1} of {args.rounds}")
            for worker in workers:
                for number, setting in enumerate(worker.entry.sweep):
                    key = (worker, number)
                    if recalls.get((worker, number - 1), 0) > 0.9985:
                        break  # The curve's end: what follows is only slower.
                    times.setdefault(key, []).append(worker.search(args.mode, setting)["cpu_s"])
                    if turn == 0:
                        recalls[key] = worker.recall(truth)
    finally:
        for worker in workers:
            worker.close()
    for (worker, number), seconds in times.items():
        about = worker.about
        size = 4 * meta["dim"] if worker.entry.group == "flat" else max(about["file_bytes"], about["heap_bytes"]) / about["rows"]
        rows.append({"data": meta["name"], "index": worker.entry.index, "ours": worker.entry.ours, "group": worker.entry.group,
                     "config": {key: value for key, value in worker.entry.config.items()},
                     "search": worker.entry.sweep[number], "recall": round(recalls[worker, number], 4),
                     "qps": round(len(truth) / statistics.median(seconds), 1),
                     "qps_rounds": [round(len(truth) / each, 1) for each in seconds],
                     "build_s": round(about["build_s"], 2), "build_cpu_s": round(about["build_cpu_s"], 2),
                     "bytes_per_vector": round(size, 1)})
    return rows


def machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} CPUs, Linux {platform.release().split('-')[0]}"


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--engine", action="store_true", help="HNSW, IVF_FLAT and FLAT beside hnswlib and faiss only")
    p.add_argument("--data", action="append", default=[], help="a folder with base.fbin, query.fbin, gt.npy, meta.json")
    p.add_argument("--only", default="", help="a regular expression on the names of indexes and peers")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--threads", type=int, default=2, help="for builds")
    p.add_argument("--mode", choices=["batch", "single"], default="batch", help="one call for all queries, or one each")
    p.add_argument("--rebuild", action="store_true", help="time the builds again")
    p.add_argument("--json", default="", help="where the figures go")
    p.add_argument("--out", default="", help="folder of the page and the plots; docs/benchmarks publishes them")
    return p.parse_args()


def main():
    args = arguments()
    run("ninja", "-C", os.path.join(BUILD, "release"), "elanus_ann", stdout=subprocess.DEVNULL)
    rows, pattern = [], re.compile(args.only or (settings.ENGINE if args.engine else "."), re.IGNORECASE)
    begin = time.time()
    for folder in args.data or default_data(not args.engine):
        with open(os.path.join(folder, "meta.json")) as source:
            meta = json.load(source)
        meta.setdefault("name", os.path.basename(os.path.abspath(folder)))
        entries = [entry for entry in settings.entries(meta["n"], meta["dim"]) if pattern.search(entry.index)]
        if not entries:
            raise Failed(f"nothing is called {args.only}")
        rows += measure(folder, entries, meta, args)
    name = "engine" if args.engine else "ann"
    out = args.out or os.path.join(WORK, name)
    os.makedirs(out, exist_ok=True)
    result = {"machine": machine(), "rounds": args.rounds, "mode": args.mode, "build_threads": args.threads,
              "seconds": round(time.time() - begin), "rows": rows}
    with open(args.json or os.path.join(out, f"{name}.json"), "w") as target:
        json.dump(result, target, indent=1)
    page = report.page(name, result)
    with open(os.path.join(out, f"{name}.md"), "w") as target:
        target.write(page)
    run(venv("bench_ann"), os.path.join(HERE, "plot.py"), args.json or os.path.join(out, f"{name}.json"), out)
    print(page)


try:
    main()
except Failed as failure:
    sys.exit(f"failed: {failure}")
