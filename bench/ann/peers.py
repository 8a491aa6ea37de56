"""One peer's index over the vectors of a folder, spoken to as bench/ann/worker.cc is.

  peers.py PEER FOLDER FILE THREADS CONFIG     CONFIG: JSON; FILE: where the index is kept, built when absent
A peer is timed on one thread by CPU time, with one call for all queries where its interface has one.
What is built is saved and opened again before it is searched, so that a kept index does as well as a fresh one.
"""
import json
import os
import shutil
import sys
import tempfile
import time

import numpy as np

TOP = 10


def vectors(path):
    """Mapped: workers share the pages, and a peer that keeps its own copy gives these back."""
    rows, dim = np.fromfile(path, np.int32, 2)
    return np.memmap(path, np.float32, "c", 8, (int(rows), int(dim)))


def size(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(path) for name in names)


class Peer:
    """What every adapter has."""
    extra_bytes = 0  # A vector: what searching takes in memory beside what is saved.

    def memory_bytes(self, path, rows):
        return size(path) + int(rows * self.extra_bytes)


class Hnswlib(Peer):
    def __init__(self, metric, dim, config):
        import hnswlib
        self.index, self.config = hnswlib.Index(space="l2" if metric == "L2" else "ip", dim=dim), config

    def build(self, base, threads):
        self.index.init_index(len(base), ef_construction=self.config["efConstruction"], M=self.config["M"])
        self.index.add_items(base, np.arange(len(base)), num_threads=threads)

    def save(self, path):
        self.index.save_index(path)

    def load(self, path, base):
        self.index.load_index(path)

    def search(self, queries, threads, ef):
        self.index.set_ef(max(ef, TOP))
        return self.index.knn_query(queries, k=TOP, num_threads=threads)[0]


class Faiss(Peer):
    def __init__(self, metric, dim, config):
        import faiss
        self.faiss, self.config = faiss, config
        self.metric = faiss.METRIC_L2 if metric == "L2" else faiss.METRIC_INNER_PRODUCT
        self.dim = dim

    def build(self, base, threads):
        self.faiss.omp_set_num_threads(threads)
        self.index = self.faiss.index_factory(self.dim, self.config["spec"], self.metric)
        if "efConstruction" in self.config:
            inner = self.index.base_index if hasattr(self.index, "base_index") else self.index
            self.faiss.downcast_index(inner).hnsw.efConstruction = self.config["efConstruction"]
        if not self.index.is_trained:
            some = np.random.default_rng(0).choice(len(base), min(len(base), 131072), replace=False)
            self.index.train(base[some])
        self.index.add(base)

    def save(self, path):
        self.faiss.write_index(self.index, path)

    def load(self, path, base):
        self.index = self.faiss.read_index(path)

    def search(self, queries, threads, ef=None, nprobe=None, refine=None):
        faiss, params = self.faiss, None
        faiss.omp_set_num_threads(threads)
        if ef is not None:
            params = faiss.SearchParametersHNSW(efSearch=ef)
        elif nprobe is not None:
            inner = faiss.downcast_index(self.index.base_index if hasattr(self.index, "base_index") else self.index)
            if isinstance(inner, faiss.IndexIVFRaBitQ):
                params = faiss.IVFRaBitQSearchParameters(nprobe=nprobe, qb=4, centered=False)
            else:
                kind = faiss.IVFPQSearchParameters if isinstance(inner, faiss.IndexIVFPQ) else faiss.SearchParametersIVF
                params = kind(nprobe=nprobe)
        if refine is not None:
            params = faiss.IndexRefineSearchParameters(k_factor=float(refine), base_index_params=params)
        return self.index.search(queries, TOP, params=params)[1]


class Usearch(Peer):
    def __init__(self, metric, dim, config):
        from usearch.index import Index
        self.index = Index(ndim=dim, metric="l2sq" if metric == "L2" else "ip", dtype=config.get("dtype", "f32"),
                           connectivity=config["M"], expansion_add=config["efConstruction"])

    def build(self, base, threads):
        self.index.add(np.arange(len(base)), base, threads=threads)

    def save(self, path):
        self.index.save(path)

    def load(self, path, base):
        self.index.load(path)

    def search(self, queries, threads, ef):
        self.index.expansion_search = ef
        return self.index.search(queries, TOP, threads=threads).keys.astype(np.int64)


class Svs(Peer):
    def __init__(self, metric, dim, config):
        import svs
        self.svs, self.config, self.dim, self.l2 = svs, config, dim, metric == "L2"
        self.kind = svs.DistanceType.L2 if self.l2 else svs.DistanceType.MIP

    def build(self, base, threads):
        params = self.svs.VamanaBuildParameters(graph_max_degree=self.config["R"], window_size=self.config["L"],
                                                alpha=1.2 if self.l2 else 0.95)
        self.index = self.svs.Vamana.build(params, base.astype(self.config["data"]), self.kind, num_threads=threads)

    def save(self, path):
        for part in "cgd":
            os.makedirs(os.path.join(path, part))
        self.index.save(*(os.path.join(path, part) for part in "cgd"))

    def load(self, path, base):
        kind = getattr(self.svs.DataType, self.config["data"])
        data = self.svs.VectorDataLoader(os.path.join(path, "d"), kind, dims=self.dim)
        graph = self.svs.GraphLoader(os.path.join(path, "g"))
        self.index = self.svs.Vamana(os.path.join(path, "c"), graph, data, self.kind, num_threads=1)

    def search(self, queries, threads, ef):
        self.index.search_window_size = max(ef, TOP)
        if self.index.num_threads != threads:
            self.index.num_threads = threads
        return self.index.search(queries, TOP)[0].astype(np.int64)


class Scann(Peer):
    def __init__(self, metric, dim, config):
        self.config, self.l2 = config, metric == "L2"

    def build(self, base, threads):
        import scann
        builder = scann.scann_ops_pybind.builder(base, TOP, "squared_l2" if self.l2 else "dot_product")
        builder.set_n_training_threads(threads)
        tree = builder.tree(num_leaves=self.config["leaves"], num_leaves_to_search=20,
                            training_sample_size=min(len(base), 250000))
        self.index = tree.score_ah(2, anisotropic_quantization_threshold=float("nan") if self.l2 else 0.2) \
            .reorder(100).build()

    def save(self, path):
        os.makedirs(path, exist_ok=True)
        self.index.serialize(path)

    def load(self, path, base):
        import scann
        self.index = scann.scann_ops_pybind.load_searcher(path)

    def search(self, queries, threads, leaves, reorder):
        call = self.index.search_batched if threads == 1 else self.index.search_batched_parallel
        return call(queries, final_num_neighbors=TOP, leaves_to_search=leaves,
                    pre_reorder_num_neighbors=reorder)[0].astype(np.int64)


class Glass(Peer):
    def __init__(self, metric, dim, config):
        import glass
        self.glass, self.metric, self.config = glass, "L2" if metric == "L2" else "IP", config
        # The saved file is the graph alone; codes and the vectors for refining come on top.
        self.extra_bytes = dim * {"SQ4U": 0.5, "SQ8U": 1}[config["code"]] + 4 * dim

    def build(self, base, threads):
        self.glass.set_num_threads(threads)
        kind = self.glass.Index("HNSW", self.metric, R=2 * self.config["M"], L=self.config["efConstruction"])
        self.graph = kind.build(base)

    def save(self, path):
        self.graph.save(path)

    def load(self, path, base):
        self.graph = self.glass.Graph(path)
        self.index = self.glass.Searcher(self.graph, base, self.metric, self.config["code"], "FP32")

    def search(self, queries, threads, ef):
        self.index.set_ef(max(ef, TOP))
        found = self.index.batch_search(queries, TOP, threads)
        if isinstance(found, tuple):
            found = next(part for part in map(np.asarray, found) if np.issubdtype(part.dtype, np.integer))
        return np.asarray(found).reshape(len(queries), -1)[:, :TOP]


class Vsag(Peer):
    def __init__(self, metric, dim, config):
        self.metric, self.dim, self.config = "l2" if metric == "L2" else "ip", dim, config

    def _open(self, threads):
        import pyvsag
        param = {"base_quantization_type": self.config["type"], "max_degree": 2 * self.config["M"],
                 "ef_construction": self.config["efConstruction"], "build_thread_count": threads}
        if self.config["type"] != "fp32":
            param.update(use_reorder=True, precise_quantization_type="fp32")
        self.index = pyvsag.Index("hgraph", json.dumps({
            "dtype": "float32", "metric_type": self.metric, "dim": self.dim, "index_param": param}))

    def build(self, base, threads):
        self._open(threads)
        self.index.build(vectors=np.ascontiguousarray(base).reshape(-1), ids=np.arange(len(base), dtype=np.int64),
                         num_elements=len(base), dim=self.dim)

    def save(self, path):
        self.index.save(path)

    def load(self, path, base):
        self._open(1)
        self.index.load(path)

    def search(self, queries, threads, ef):
        if threads != 1:
            raise ValueError("this adapter searches on one thread")
        params = json.dumps({"hgraph": {"ef_search": max(ef, TOP)}})
        rows = []
        for query in queries:
            first, second = self.index.knn_search(vector=query, k=TOP, parameters=params)
            rows.append(first if np.issubdtype(np.asarray(first).dtype, np.integer) else second)
        return np.array(rows)


class Diskann(Peer):
    """The index on disk. Rows of length 1 are ordered the same by L2, which spares the lift that IP takes."""

    def __init__(self, metric, dim, config):
        import diskannpy
        self.library, self.l2, self.config, self.index = diskannpy, metric == "L2", config, None

    def build(self, base, threads):
        unit = np.allclose(np.linalg.norm(base[:1000], axis=1), 1, atol=1e-3)
        self.folder = tempfile.mkdtemp(dir=os.environ["ELANUS_SCRATCH"])
        self.library.build_disk_index(
            data=np.asarray(base), distance_metric="l2" if self.l2 or unit else "mips", index_directory=self.folder,
            complexity=self.config["L"], graph_degree=self.config["R"], search_memory_maximum=self.config["memory_gb"],
            build_memory_maximum=12.0, num_threads=threads, pq_disk_bytes=0)

    def save(self, path):
        shutil.move(self.folder, path)

    def load(self, path, base):
        # Opening takes two threads' contexts at once and waits without end where there is one.
        self.index = self.library.StaticDiskIndex(index_directory=path, num_threads=2, num_nodes_to_cache=0)

    def memory_bytes(self, path, rows):
        return sum(os.path.getsize(os.path.join(path, name)) for name in os.listdir(path) if "_pq_" in name)

    def search(self, queries, threads, ef):
        return self.index.batch_search(queries, k_neighbors=TOP, complexity=max(ef, TOP), num_threads=threads,
                                       beam_width=4)[0].astype(np.int64)


PEERS = {"hnswlib": Hnswlib, "faiss": Faiss, "usearch": Usearch, "svs": Svs, "scann": Scann, "glass": Glass,
         "vsag": Vsag, "diskann": Diskann}


def read_so_far():
    """Bytes this process has had read from the disk; what the page cache held does not count."""
    with open("/proc/self/io") as counters:
        return next(int(line.split()[1]) for line in counters if line.startswith("read_bytes"))


def main():
    name, folder, file, threads, config = sys.argv[1:6]
    # What a library prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    base, queries = vectors(os.path.join(folder, "base.fbin")), np.array(vectors(os.path.join(folder, "query.fbin")))
    peer = PEERS[name](os.environ.get("ELANUS_METRIC", "IP"), base.shape[1], json.loads(config))
    build_s, build_cpu_s = 0.0, 0.0
    if not os.path.exists(file):
        begin, cpu = time.perf_counter(), time.process_time()
        peer.build(base, int(threads))
        build_s, build_cpu_s = time.perf_counter() - begin, time.process_time() - cpu
        peer.save(file)
    peer.load(file, base)
    print(json.dumps({"build_s": build_s, "build_cpu_s": build_cpu_s, "file_bytes": size(file),
                      "memory_bytes": peer.memory_bytes(file, len(base)), "rows": len(base)}), file=answers, flush=True)
    for line in sys.stdin:
        mode, out, *words = line.split()
        given = (word.split("=") for word in words)
        params = {key: float(value) if "." in value else int(value) for key, value in given}
        begin, cpu, read = time.perf_counter(), time.process_time(), read_so_far()
        if mode == "single":
            found = np.concatenate([peer.search(queries[i:i + 1], 1, **params) for i in range(len(queries))])
        else:
            found = peer.search(queries, int(threads) if mode == "parallel" else 1, **params)
        cpu, wall, read = time.process_time() - cpu, time.perf_counter() - begin, read_so_far() - read
        np.asarray(found).astype(np.uint32).tofile(out)
        print(json.dumps({"cpu_s": cpu, "wall_s": wall, "read_bytes": read}), file=answers, flush=True)


main()
