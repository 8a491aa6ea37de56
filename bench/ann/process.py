"""One index in its own process: a peer's adapter or elanus's worker, built once and kept under build/bench/index."""
import json
import os
import re
import shutil
import struct
import subprocess
import threading

from devlib import BUILD, Failed, venv

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = os.path.join(BUILD, "bench")
PROGRAM = os.path.join(BUILD, "release", "elanus_ann")
TOP = 10
TICKS = os.sysconf("SC_CLK_TCK")


def plain(name):
    return re.sub(r"[^A-Za-z0-9.]+", "_", name)


def busy():
    """CPU seconds that the machine has spent on anything so far."""
    with open("/proc/stat") as source:
        user, nice, system, _, _, irq, soft, steal = map(int, source.readline().split()[1:9])
    return (user + nice + system + irq + soft + steal) / TICKS


class Kept:
    """Where one entry's index and what is known of it lie."""

    def __init__(self, entry, meta):
        folder = os.path.join(WORK, "index", meta["name"])
        os.makedirs(folder, exist_ok=True)
        self.index = os.path.join(folder, plain(entry.kept))
        self.build = self.index + ".build.json"
        self.log = os.path.join(folder, plain(entry.name) + ".log")
        self.survey = os.path.join(folder, plain(entry.name) + ".survey.json")

    def remove(self):
        for path in (self.index, self.build, self.survey):
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.remove(path)

    def whole(self):
        return os.path.exists(self.index) and os.path.exists(self.build)


def read_json(path):
    if not os.path.exists(path):
        return None
    with open(path) as source:
        return json.load(source)


def write_json(path, value):
    """Whole or not at all, so that a run that ends half way leaves what it had."""
    with open(path + ".new", "w") as target:
        json.dump(value, target, indent=1)
    os.replace(path + ".new", path)


class Worker:
    """Starts the process, which builds the index where none is kept, within args.limit seconds."""

    def __init__(self, entry, folder, meta, args):
        self.entry, self.kept = entry, Kept(entry, meta)
        self.found = os.path.join(WORK, "found", f"{os.getpid()}-{plain(entry.name)}")
        os.makedirs(os.path.dirname(self.found), exist_ok=True)
        if not self.kept.whole():
            self.kept.remove()
        before = busy()
        with open(self.kept.log, "w") as log:
            more = {"ELANUS_METRIC": meta["metric"], "ELANUS_SCRATCH": os.path.dirname(self.kept.index)}
            self.process = subprocess.Popen(self.words(folder, args), text=True, env={**os.environ, **more},
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        guard = threading.Timer(args.limit, self.process.kill)
        guard.start()
        try:
            self.about = self.answer()
        except Failed as failure:
            self.close()
            with open(self.kept.log) as log:
                raise Failed(f"{failure}\n{log.read()[-800:]}")
        finally:
            guard.cancel()
        if self.about["build_s"]:
            self.about["others_cpu_s"] = max(0.0, busy() - before - self.about["build_cpu_s"])
            write_json(self.kept.build, self.about)
        else:
            # What opening takes may have changed since; how the build went has not.
            built = read_json(self.kept.build)
            self.about.update({key: built[key] for key in ("build_s", "build_cpu_s", "others_cpu_s") if key in built})

    def words(self, folder, args):
        if self.entry.ours:
            return [args.program, folder, self.kept.index, self.entry.index, str(args.threads),
                    *(f"{key}={value}" for key, value in self.entry.config.items())]
        return [venv(self.entry.venv), os.path.join(HERE, "peers.py"), self.entry.worker, folder, self.kept.index,
                str(args.threads), json.dumps(self.entry.config)]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.entry.name} ended with {self.process.wait()}")
        return json.loads(line)

    def search(self, mode, setting):
        words = [f"{key}={value}" for key, value in setting.items()]
        self.process.stdin.write(" ".join([mode, self.found, *words]) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def recall(self, truth):
        """Of the last search: of the ten nearest rows, the share that was found."""
        with open(self.found, "rb") as found:
            raw = found.read()
        rows = struct.unpack(f"{len(raw) // 4}I", raw)
        hits = sum(len(truth[q].intersection(rows[q * TOP:(q + 1) * TOP])) for q in range(len(truth)))
        return hits / (TOP * len(truth))

    def cpu(self):
        """CPU seconds so far."""
        with open(f"/proc/{self.process.pid}/stat") as source:
            user, system = source.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / TICKS

    def resident(self):
        """Bytes of memory that are this process's alone."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        if os.path.exists(self.found):
            os.remove(self.found)
