"""What is measured: each index of elanus and of the peers, its build, and the search settings that make its curve."""

EF = [10, 12, 14, 17, 20, 24, 28, 34, 40, 56, 80, 112, 160, 224, 320, 448, 640]
PROBES = [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192]


def ef():
    return [{"ef": value} for value in EF]


def refined(factor):
    """As ef(), with candidates scored anew: more of them where codes are coarse."""
    few = [{"ef": value, "refine_k": min(factor, value / 10)} for value in EF if value < 10 * factor]
    return few + [{"ef": value, "refine_k": factor} for value in EF if value >= 10 * factor]


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


def grid(name, values, other, others, **more):
    return [{name: value, other: each, **more} for value in values for each in others]


def entries(rows, dim):
    nlist = lists(rows)
    steps = [value for value in PROBES if value <= nlist // 2]
    probes = [{"nprobe": value} for value in steps]
    graph = {"M": 16, "efConstruction": 200}
    refine = {"refine": "true", "refine_type": "fp32"}
    ours = [
        Entry("FLAT", "elanus", {}, [{}], group="flat"),
        Entry("HNSW", "elanus", graph, ef()),
        *(Entry("HNSW_SQ", "elanus", {**graph, "sq_type": kind, **refine}, refined(factor))
          for kind, factor in (("SQ8", 1.5), ("SQ6", 2), ("SQ4U", 3), ("FP16", 1), ("BF16", 1))),
        Entry("HNSW_SQ", "elanus", {"M": 32, "efConstruction": 300, "sq_type": "SQ8", **refine}, refined(1.5)),
        Entry("HNSW_PQ", "elanus", {**graph, "m": dim // 4, "nbits": 8, **refine}, refined(3)),
        Entry("HNSW_PRQ", "elanus", {**graph, "m": dim // 8, "nrq": 2, "nbits": 8, **refine}, refined(3)),
        Entry("IVF_FLAT", "elanus", {"nlist": nlist}, probes, group="ivf"),
        Entry("IVF_SQ8", "elanus", {"nlist": nlist, **refine}, grid("nprobe", steps, "refine_k", (1.5,)), group="ivf"),
        Entry("IVF_PQ", "elanus", {"nlist": nlist, "m": dim // 4, "nbits": 8, **refine}, grid("nprobe", steps, "refine_k", (4,)), group="ivf"),
        Entry("IVF_RABITQ", "elanus", {"nlist": nlist, **refine}, grid("nprobe", steps, "refine_k", (4, 10, 25)), group="ivf"),
        Entry("IVF_RABITQ", "elanus", {"nlist": nlist, "refine": "true", "refine_type": "sq8"},
              grid("nprobe", steps, "refine_k", (4, 10, 25)), group="ivf"),
        Entry("SCANN", "elanus", {"nlist": nlist, "sub_dim": 2}, grid("nprobe", steps, "reorder_k", (30, 60, 120)), group="ivf"),
        Entry("DISKANN", "elanus", {"search_cache_budget_gb_ratio": 0}, [{"search_list": value} for value in EF if value >= 14], group="disk"),
    ]
    leaves = [max(1, int(nlist * share)) for share in (0.004, 0.008, 0.015, 0.025, 0.04, 0.06, 0.1, 0.15)]
    fast = {"spec": f"IVF{nlist},PQ{dim // 4}x4fs,RFlat"}
    peers = [
        Entry("faiss-Flat", "faiss", {"spec": "Flat"}, [{}], group="flat"),
        Entry("hnswlib", "hnswlib", graph, ef()),
        Entry("faiss-HNSW", "faiss", {"spec": "HNSW16", "efConstruction": 200}, ef()),
        Entry("faiss-HNSW_SQ8", "faiss", {"spec": "HNSW16_SQ8", "efConstruction": 200}, ef()),
        Entry("usearch", "usearch", graph, ef()),
        Entry("SVS", "svs", {"R": 32, "L": 200}, ef()),
        Entry("vsag-SQ8", "vsag", {**graph, "code": "sq8"}, ef()),
        Entry("glass-SQ4U", "glass", {**graph, "code": "SQ4U"}, ef(), venv="bench_glass"),
        Entry("glass-SQ8U", "glass", {**graph, "code": "SQ8U"}, ef(), venv="bench_glass"),
        Entry("faiss-IVF_FLAT", "faiss", {"spec": f"IVF{nlist},Flat"}, probes, group="ivf"),
        Entry("faiss-IVF_SQ8", "faiss", {"spec": f"IVF{nlist},SQ8"}, probes, group="ivf"),
        Entry("faiss-fastscan", "faiss", fast, grid("nprobe", steps, "refine", (4, 10)), group="ivf"),
        Entry("faiss-RaBitQ", "faiss", {"spec": f"RR,IVF{nlist},RaBitQ"}, probes, group="ivf"),
        Entry("scann", "scann", {"leaves": nlist}, grid("leaves", leaves, "reorder", (30, 100, 200)), group="ivf"),
    ]
    return ours + peers


ENGINE = r"^(FLAT|HNSW|IVF_FLAT|faiss-Flat|hnswlib|faiss-HNSW|faiss-IVF_FLAT)$"
