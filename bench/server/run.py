"""elanus beside Milvus 2.3.5 and milvus-lite 3.2 in one run: A-B-A-B rounds, medians, one table of ratios.

  run.py [--rows 123000] [--rounds 3] [--seconds 3] [--skip milvus|lite] [--out docs/benchmarks]
Only ratios of one run mean something: the machine is the same for all, whatever else it does.
Servers that are not measured stand still (SIGSTOP) while elanus or Milvus is timed. They run during set-up and in
milvus-lite's turns, which are long: a Milvus stopped for half a minute loses its etcd lease and ends. Milvus needs a network namespace (root); all run in it, on loopback.
"""
import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from devlib import BINARY, BUILD, Failed, run, venv  # noqa: E402

WORK = os.path.join(BUILD, "bench")
PERF = os.path.join(os.path.dirname(ROOT), "shared", "perf")
DATA = os.path.join(WORK, "debtext384")
LOADGEN = os.path.join(WORK, "loadgen")
RECALL = 0.95
TRUTH = """
import sys, numpy as np
data, rows, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def load(name):
    rows_dim = np.fromfile(f"{data}/{name}.fbin", np.int32, 2)
    return np.memmap(f"{data}/{name}.fbin", np.float32, "r", 8, tuple(rows_dim))
base, queries = np.array(load("base")[:rows]), np.array(load("query"))
np.save(out, np.argsort(-(queries @ base.T), axis=1)[:, :10].astype(np.int32))
"""


def prepare(rows):
    """Data, truth and the load generator under build/bench; says what is missing."""
    if not os.path.isdir(PERF):
        raise Failed(f"the server benchmark needs the data and load generator of {os.path.relpath(PERF, ROOT)}, which is not here")
    os.makedirs(WORK, exist_ok=True)
    python = venv("bench_lite")
    if not os.path.exists(os.path.join(DATA, "meta.json")):
        run(python, os.path.join(PERF, "data", "unpack.py"), DATA)
    if not os.path.exists(LOADGEN):
        go = shutil.which("go")
        if not go:
            raise Failed("the load generator is written in Go, and go is not installed")
        source = os.path.join(WORK, "loadgen-src")
        shutil.rmtree(source, ignore_errors=True)
        shutil.copytree(os.path.join(PERF, "loadgen"), source)
        run("chmod", "-R", "u+w", source)
        run(go, "build", "-o", LOADGEN, ".", cwd=source)
    truth = os.path.join(WORK, f"truth-{rows}.npy")
    if not os.path.exists(truth):
        run(python, "-c", TRUTH, DATA, str(rows), truth)
    return truth


class Peer:
    """A running server: its process id, port and the environment of its client."""

    def __init__(self, name, python, port, pid, process):
        self.name, self.python, self.port, self.pid, self.process = name, python, port, pid, process
        time.sleep(1)
        with open(f"/proc/{pid}/statm") as statm:
            self.idle_mb = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2 ** 20
        self.ef, self.results = 0, {}

    def signal(self, number):
        if self.process.poll() is None:
            os.kill(self.pid, number)

    def stop(self):
        self.signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


def wait_for(condition, seconds, what):
    end = time.time() + seconds
    while time.time() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise Failed(f"{what} was not ready after {seconds} s")


def read(path):
    try:
        with open(path) as text:
            return text.read()
    except OSError:
        return ""


class Arena:
    """The namespace in which all servers of a run live, and the servers."""

    def __init__(self, folder, skip):
        self.folder, self.peers, self.holder = folder, [], ""
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        try:
            if "milvus" not in skip:
                self._milvus()
            self._elanus()
            if "lite" not in skip:
                self._lite()
        except BaseException:
            self.stop()
            raise

    def inside(self, *command):
        return [*(["nsenter", "-t", self.holder, "-n"] if self.holder else []), *command]

    def _spawn(self, name, command):
        with open(os.path.join(self.folder, name + ".log"), "wb") as log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def _milvus(self):
        base, python = os.path.join(self.folder, "milvus"), venv("bench_milvus23")
        process = self._spawn("milvus", [os.path.join(PERF, "start_milvus23.sh"), python, base, "19730"])
        wait_for(lambda: "ready" in read(os.path.join(self.folder, "milvus.log")) or process.poll() is not None, 120, "Milvus 2.3.5")
        self.holder = read(os.path.join(base, "holder.pid"))
        if process.poll() is not None or not self.holder:
            raise Failed("Milvus 2.3.5 did not start: " + read(os.path.join(self.folder, "milvus.log"))[-500:])
        self.peers.append(Peer("milvus-2.3.5", python, 19730, int(read(os.path.join(base, "server.pid"))), process))

    def _elanus(self):
        process = self._spawn("elanus", self.inside(BINARY, "serve", "--data", os.path.join(self.folder, "elanus"),
                                                    "--port", "19830", "--management-port", "19831"))
        wait_for(lambda: "elanus ready" in read(os.path.join(self.folder, "elanus.log")), 30, "elanus")
        self.peers.insert(0, Peer("elanus", venv("bench_lite"), 19830, process.pid, process))

    def _lite(self):
        python = venv("bench_lite")
        process = self._spawn("lite", self.inside(os.path.join(os.path.dirname(python), "milvus-lite"), "server", "--host", "127.0.0.1",
                                                  "--port", "19930", "--data-dir", os.path.join(self.folder, "lite")))
        probe = "import socket; socket.create_connection(('127.0.0.1', 19930), 1)"
        wait_for(lambda: subprocess.run(self.inside(python, "-c", probe), stderr=subprocess.DEVNULL).returncode == 0, 60, "milvus-lite")
        self.peers.append(Peer("milvus-lite-3.2", python, 19930, process.pid, process))

    def stop(self):
        for peer in reversed(self.peers):
            peer.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def measure(self, peer, what, args, truth, **more):
        """Runs measure.py against one peer; for the short measurements the others stand still."""
        alone = what != "setup" and "lite" not in peer.name
        for other in self.peers:
            other.signal(signal.SIGSTOP if alone and other is not peer else signal.SIGCONT)
        words = [f"--{key}={value}" for key, value in {
            "port": peer.port, "pid": peer.pid, "loadgen": LOADGEN, "data": DATA, "truth": truth, "rows": args.rows,
            "seconds": args.seconds, **more}.items()]
        done = subprocess.run(self.inside(peer.python, "-W", "ignore", os.path.join(ROOT, "bench", "server", "measure.py"), what, *words),
                              capture_output=True, text=True, timeout=1200)
        for other in self.peers:
            other.signal(signal.SIGCONT)
        time.sleep(1)  # Long enough for a stopped Milvus to renew its lease.
        lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
        if done.returncode or not lines:
            print(f"{peer.name} {what} failed: {done.stderr[-400:]}", flush=True)
            return {}
        result = json.loads(lines[-1][7:])
        print(f"{peer.name:<16} {what:<7} " + " ".join(f"{k}={v:.4g}" for k, v in {**more, **result}.items()), flush=True)
        for key, value in result.items():
            peer.results.setdefault(key, []).append(value)
        return result


def choose_ef(arena, peer, args, truth):
    """The smallest even ef that reaches the recall all are compared at, by halving; for milvus-lite, whose search takes
    minutes, the first of a few."""
    if "lite" in peer.name:
        for peer.ef in (arena.peers[0].ef, 64, 128):
            if arena.measure(peer, "search", args, truth, ef=peer.ef).get("recall", 1) >= RECALL:
                return  # Its one measured round.
            peer.results = {key: value for key, value in peer.results.items() if key == "build_s"}
    low, high = 5, 128
    while low < high:
        middle = (low + high) // 2
        found = arena.measure(peer, "search", argparse.Namespace(rows=args.rows, seconds=0.3), truth, ef=2 * middle)
        if not found:
            break
        low, high = (low, middle) if found["recall"] >= RECALL else (middle + 1, high)
    peer.ef = 2 * high
    for key in [k for k in peer.results if k.startswith(("qps", "cpu", "p99", "wall", "recall"))]:
        del peer.results[key]


def engine_us(ef, rounds):
    """CPU of one search in the engine alone, without a server: same rows, parameters and ef. Microseconds."""
    run("ninja", "-C", os.path.join(BUILD, "release"), "elanus_ann", stdout=subprocess.DEVNULL)
    found, index = os.path.join(WORK, "engine-found"), os.path.join(WORK, "engine-hnsw")
    words = [os.path.join(BUILD, "release", "elanus_ann"), DATA, index, "HNSW", "2", "M=16", "efConstruction=200"]
    done = subprocess.run(words, input=f"single {found} ef={ef}\n" * (rounds + 1), capture_output=True, text=True, check=True,
                          env={**os.environ, "ELANUS_METRIC": "IP"})
    queries = os.path.getsize(found) // 40
    os.remove(found)
    os.remove(index)
    return statistics.median(json.loads(line)["cpu_s"] for line in done.stdout.splitlines()[2:]) / queries * 1e6


ROWS = [("rows_per_s", "insert, rows/s", False), ("qps_1", "search QPS, 1 client", False), ("qps_4", "search QPS, 4 clients", False),
        ("cpu_us_1", "server CPU per search, 1 client, us", True), ("cpu_us_4", "server CPU per search, 4 clients, us", True), ("p99_ms_4", "p99 at 4 clients, ms", True),
        ("fresh_ms", "insert to visible, Strong, ms", True), ("build_s", "index build, s", True), ("idle_mb", "idle memory, MB", True),
        ("engine_us", "CPU of the engine alone per search, us", None), ("recall", "recall@10", None), ("ef", "ef", None)]


def table(peers):
    """Markdown: medians, and in brackets how many times better (above 1) elanus is than the peer."""
    medians = {p.name: {**{k: statistics.median(v) for k, v in p.results.items()}, "idle_mb": p.idle_mb, "ef": p.ef} for p in peers}
    lines = ["| | " + " | ".join(medians) + " |", "| --- |" + " --- |" * len(medians)]
    ours = medians[peers[0].name]
    for key, title, less_is_better in ROWS:
        cells = []
        for name, values in medians.items():
            value = values.get(key)
            cell = "-" if value is None else f"{value:.4g}"
            if value and ours.get(key) and name != peers[0].name and less_is_better is not None:
                cell += f" ({value / ours[key] if less_is_better else ours[key] / value:.2f}x)"
            cells.append(cell)
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines), medians


def machine():
    model = next((line.split(":")[1].strip() for line in read("/proc/cpuinfo").splitlines() if line.startswith("model name")), "")
    return f"{os.cpu_count()} cores of {model}, {platform.system()} {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=122000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--skip", action="append", default=[], choices=["milvus", "lite"])
    parser.add_argument("--out", default=os.path.join(ROOT, "docs", "benchmarks"))
    args = parser.parse_args()
    truth = prepare(args.rows)
    arena = Arena(os.path.join(WORK, "arena"), args.skip)
    try:
        for peer in arena.peers:
            arena.measure(peer, "setup", args, truth)
            choose_ef(arena, peer, args, truth)
        for turn in range(args.rounds):
            for what in ("insert", "search", "fresh"):
                for peer in arena.peers:
                    if "lite" in peer.name and (turn > 0 or what == "search"):
                        continue
                    arena.measure(peer, what, args, truth, **({"ef": peer.ef} if what == "search" else {}))
        for other in arena.peers:
            other.signal(signal.SIGSTOP if "milvus-2" not in other.name else signal.SIGCONT)
        arena.peers[0].results["engine_us"] = [engine_us(arena.peers[0].ef, args.rounds)]
        text, medians = table(arena.peers)
    finally:
        arena.stop()
    head = (f"# Server benchmark\n\n{machine()}; {args.rows} x 384 real embeddings, IP, HNSW M 16, efConstruction 200, top 10; "
            f"{args.rounds} rounds, medians; (n x): elanus is n times better. Written by `./dev bench server`.\n\n")
    print("\n" + text)
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "server.md"), "w") as out:
        out.write(head + text + "\n")
    with open(os.path.join(args.out, "server.json"), "w") as out:
        json.dump({"machine": machine(), "rows": args.rows, "rounds": args.rounds, "medians": medians,
                   "samples": {p.name: p.results for p in arena.peers}}, out, indent=1)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"failed: {failure}")
