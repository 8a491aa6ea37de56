"""What is measured: each index of elanus and of the peers, its build, and the search settings that make its curve."""

EF = [10, 12, 14, 17, 20, 24, 28, 34, 40, 56, 80, 112, 160, 224, 320, 448, 640]
PROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
AGAIN = [15, 30, 60, 120, 240]  # Rows scored again with whole vectors.
SMALL = 60_000_000  # Numbers in the vectors up to which dearer builds are tried as well.
SLOW = ("HNSW_PQ", "HNSW_PRQ", "faiss-HNSW", "usearch", "vsag")  # Never the fastest; above SMALL only on demand.
OPENS = ("code",)  # Of a peer's configuration: what opening takes and building does not.


def ef():
    return [{"ef": value} for value in EF]


def refined(factor):
    """As ef(), with candidates scored anew: more of them where codes are coarse."""
    few = [{"ef": value, "refine_k": min(factor, value / 10)} for value in EF if value < 10 * factor]
    return few + [{"ef": value, "refine_k": factor} for value in EF if value >= 10 * factor]


def lists(rows):
    """The power of two at or below 4 sqrt(rows): what faiss and ScaNN advise."""
    return 1 << max(4, round(4 * rows ** 0.5).bit_length() - 1)


def parts(dim, at_most):
    """The largest number of equal parts up to that."""
    return next(count for count in range(max(1, at_most), 0, -1) if dim % count == 0)


class Entry:
    """One line of the table. `worker` is elanus or the peer's adapter; `group` is what it is compared within."""

    def __init__(self, index, worker, config, sweep, venv="bench_ann", group="graph"):
        self.index, self.worker, self.config, self.sweep = index, worker, config, sweep
        self.venv, self.group = venv, group

    @property
    def name(self):
        return self.index + "".join(f" {key}={value}" for key, value in self.config.items())

    @property
    def kept(self):
        """Names the built index; entries that differ only in how it is opened share it."""
        built = "".join(f" {key}={value}" for key, value in self.config.items() if key not in OPENS)
        return (self.index if self.ours else self.worker) + built + f" {self.worker}"

    @property
    def ours(self):
        return self.worker == "elanus"


def grid(name, values, other, others):
    return [{name: value, other: each} for each in others for value in values]


def glass(graph):
    """One graph, searched on codes of two kinds."""
    return [Entry(f"glass-{code}", "glass", {**graph, "code": code}, ef(), venv="bench_glass")
            for code in ("SQ4U", "SQ8U")]


def graphs(dim, small):
    graph = {"M": 16, "efConstruction": 200}
    refine = {"refine": "true", "refine_type": "fp32"}
    codes = (("SQ8", 1.5), ("SQ4U", 3)) + ((("SQ6", 2), ("FP16", 1), ("BF16", 1)) if small else ())
    found = [
        Entry("HNSW", "elanus", graph, ef()),
        *(Entry("HNSW_SQ", "elanus", {**graph, "sq_type": kind, **refine}, refined(factor)) for kind, factor in codes),
        Entry("HNSW_PQ", "elanus", {**graph, "m": parts(dim, dim // 4), "nbits": 8, **refine}, refined(3)),
        Entry("HNSW_PRQ", "elanus", {**graph, "m": parts(dim, dim // 8), "nrq": 2, "nbits": 8, **refine}, refined(3)),
        Entry("hnswlib", "hnswlib", graph, ef()),
        Entry("faiss-HNSW", "faiss", {"spec": "HNSW16", "efConstruction": 200}, ef()),
        Entry("faiss-HNSW_SQ8", "faiss", {"spec": "HNSW16_SQ8", "efConstruction": 200}, ef()),
        Entry("usearch", "usearch", graph, ef()),
        Entry("SVS", "svs", {"R": 32, "L": 200, "data": "float16"}, ef()),
        Entry("vsag", "vsag", {**graph, "type": "sq8_uniform"}, ef()),
        *glass(graph),
    ]
    if small:
        graph = {"M": 32, "efConstruction": 300}
        found += [
            Entry("HNSW_SQ", "elanus", {**graph, "sq_type": "SQ8", **refine}, refined(1.5)),
            Entry("hnswlib", "hnswlib", graph, ef()),
            Entry("SVS", "svs", {"R": 32, "L": 200, "data": "float32"}, ef()),
            Entry("SVS", "svs", {"R": 64, "L": 200, "data": "float16"}, ef()),
            *glass(graph),
        ]
    return found


def ivf(dim, nlist):
    """The inverted lists, all with the same number of lists."""
    steps = [value for value in PROBES if value <= nlist // 2]
    probes = [{"nprobe": value} for value in steps]
    refine = {"refine": "true", "refine_type": "fp32"}
    again = grid("nprobe", steps, "refine_k", [count / 10 for count in AGAIN])
    peers_again = grid("nprobe", steps, "refine", [count / 10 for count in AGAIN])
    lists_of = {"nlist": nlist}
    half, quarter = parts(dim, dim // 2), parts(dim, dim // 4)
    ours = [
        Entry("IVF_FLAT", "elanus", lists_of, probes),
        Entry("IVF_SQ8", "elanus", {**lists_of, **refine}, grid("nprobe", steps, "refine_k", (1.5,))),
        Entry("IVF_PQ", "elanus", {**lists_of, "m": quarter, "nbits": 8, **refine}, again),
        Entry("IVF_RABITQ", "elanus", {**lists_of, **refine}, again),
        Entry("IVF_RABITQ", "elanus", {**lists_of, "refine": "true", "refine_type": "sq8"}, again),
        Entry("SCANN", "elanus", {**lists_of, "sub_dim": 2}, grid("nprobe", steps, "reorder_k", AGAIN)),
    ]
    peers = [
        Entry("faiss-IVF_FLAT", "faiss", {"spec": f"IVF{nlist},Flat"}, probes),
        Entry("faiss-IVF_SQ8", "faiss", {"spec": f"IVF{nlist},SQ8"}, probes),
        *(Entry("faiss-fastscan", "faiss", {"spec": f"IVF{nlist},PQ{count}x4fs,RFlat"}, peers_again)
          for count in (half, quarter)),
        Entry("faiss-RaBitQ", "faiss", {"spec": f"IVF{nlist},RaBitQ,RFlat"}, peers_again),
        Entry("scann", "scann", {"leaves": nlist}, grid("leaves", steps, "reorder", AGAIN)),
    ]
    for entry in ours + peers:
        entry.group = "ivf"
    return ours + peers


def disk(rows, dim):
    """15 % of the vectors' bytes in memory, nothing kept of the graph but what the codes leave. diskannpy trains a byte of its codes
    for 12 s of CPU, whatever the dimension: above 512 dimensions its codes have a byte for four of them, and it takes less memory."""
    bytes_max = 0.15 * 4 * dim if dim <= 512 else dim // 4 + 1
    budget = round(bytes_max * rows / 2 ** 30, 4)
    return [
        Entry("DISKANN", "elanus", {"search_cache_budget_gb_ratio": 0}, [{"search_list": value} for value in EF],
              group="disk"),
        Entry("diskannpy", "diskann", {"R": 56, "L": 100, "memory_gb": budget}, ef(), "bench_diskann", "disk"),
    ]


def entries(rows, dim, everything=False):
    """What is measured on so many vectors. Large sets do without what takes long to build and has not come first on any
    small one, unless `everything` is asked for."""
    small = rows * dim <= SMALL
    found = [Entry("FLAT", "elanus", {}, [{}], group="flat"),
             Entry("faiss-Flat", "faiss", {"spec": "Flat"}, [{}], group="flat")]
    # Above half a million rows also fewer lists: both we and the peers gain by them on some data.
    for nlist in (lists(rows), lists(rows) // 2) if rows > 500000 else (lists(rows),):
        found += ivf(dim, nlist)
    found += graphs(dim, small) + disk(rows, dim)
    if not small and not everything:
        found = [entry for entry in found if entry.index not in SLOW]
    return sorted(found, key=lambda entry: not entry.ours)


ENGINE = "FLAT|HNSW|IVF_FLAT|faiss-Flat|hnswlib|faiss-HNSW|faiss-IVF_FLAT"
