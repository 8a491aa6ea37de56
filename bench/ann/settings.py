"""What is measured: each index of elanus and of the peers, its build, and the search settings that make its curve."""

EF = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]
PROBES = [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192]


def ef():
    return [{"ef": value} for value in EF]


def refined(factor):
    """As ef(), with candidates scored anew: more of them where codes are coarse."""
    return [{"ef": value, "refine_k": factor} for value in EF if value >= 10 * factor]


def lists(rows):
    """The power of two next to 4 sqrt(rows): what faiss and ScaNN advise."""
    return 1 << max(4, round(4 * rows ** 0.5).bit_length() - 1)


class Entry:
    """One line of the table. `worker` is elanus or the peer's adapter; `group` is what it is compared within."""

    def __init__(self, index, worker, config, sweep, venv="bench_ann", group="graph"):
        self.index, self.worker, self.config, self.sweep, self.venv, self.group = index, worker, config, sweep, venv, group

    @property
    def name(self):
        return self.index + "".join(f" {key}={value}" for key, value in self.config.items() if key != "spec")

    @property
    def ours(self):
        return self.worker == "elanus"


def entries(rows, dim):
    nlist = lists(rows)
    probes = [{"nprobe": value} for value in PROBES if value <= nlist // 2]
    graph = {"M": 16, "efConstruction": 200}
    ours = [
        Entry("FLAT", "elanus", {}, [{}], group="flat"),
        Entry("HNSW", "elanus", graph, ef()),
        Entry("IVF_FLAT", "elanus", {"nlist": nlist}, probes, group="ivf"),
        *(Entry("HNSW_SQ", "elanus", {**graph, "sq_type": kind, "refine": "true", "refine_type": "fp32"}, refined(factor))
          for kind, factor in (("SQ8", 1.5), ("SQ6", 2), ("SQ4U", 3), ("FP16", 1), ("BF16", 1))),
    ]
    peers = [
        Entry("faiss-Flat", "faiss", {"spec": "Flat"}, [{}], group="flat"),
        Entry("hnswlib", "hnswlib", graph, ef()),
        Entry("faiss-HNSW", "faiss", {"spec": "HNSW16", "efConstruction": 200}, ef()),
        Entry("faiss-IVF_FLAT", "faiss", {"spec": f"IVF{nlist},Flat"}, probes, group="ivf"),
    ]
    return ours + peers


ENGINE = r"^(FLAT|HNSW|IVF_FLAT|faiss-Flat|hnswlib|faiss-HNSW|faiss-IVF_FLAT)$"
