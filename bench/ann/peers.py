"""One peer's index over the vectors of a folder, spoken to as bench/ann/worker.cc is.

  peers.py PEER FOLDER FILE THREADS CONFIG     CONFIG: JSON; FILE: where the index is kept, built when absent
A peer is timed on one thread by CPU time, with one call for all queries where its interface has one.
"""
import json
import os
import shutil
import sys
import time

import numpy as np

TOP = 10


def vectors(path):
    rows, dim = np.fromfile(path, np.int32, 2)
    return np.fromfile(path, np.float32, offset=8).reshape(rows, dim)


def size(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(path) for name in names)


class Hnswlib:
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


class Faiss:
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
            kind = faiss.IVFPQSearchParameters if isinstance(inner, faiss.IndexIVFPQ) else faiss.SearchParametersIVF
            params = kind(nprobe=nprobe)
        if refine is not None:
            params = faiss.IndexRefineSearchParameters(k_factor=float(refine), base_index_params=params)
        return self.index.search(queries, TOP, params=params)[1]


class Usearch:
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


class Svs:
    def __init__(self, metric, dim, config):
        import svs
        self.svs, self.config, self.l2 = svs, config, metric == "L2"
        self.kind = svs.DistanceType.L2 if self.l2 else svs.DistanceType.MIP

    def build(self, base, threads):
        params = self.svs.VamanaBuildParameters(graph_max_degree=self.config["R"], window_size=self.config["L"],
                                                alpha=1.2 if self.l2 else 0.95)
        self.index = self.svs.Vamana.build(params, base, self.kind, num_threads=threads)

    def save(self, path):
        for part in "cgd":
            os.makedirs(os.path.join(path, part))
        self.index.save(*(os.path.join(path, part) for part in "cgd"))

    def load(self, path, base):
        data = self.svs.VectorDataLoader(os.path.join(path, "d"), self.svs.DataType.float32, dims=base.shape[1])
        graph = self.svs.GraphLoader(os.path.join(path, "g"))
        self.index = self.svs.Vamana(os.path.join(path, "c"), graph, data, self.kind, num_threads=1)

    def search(self, queries, threads, ef):
        self.index.search_window_size = max(ef, TOP)
        self.index.num_threads = threads
        return self.index.search(queries, TOP)[0].astype(np.int64)


class Scann:
    keeps = False

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

    def search(self, queries, threads, leaves, reorder):
        call = self.index.search_batched if threads == 1 else self.index.search_batched_parallel
        return call(queries, final_num_neighbors=TOP, leaves_to_search=leaves,
                    pre_reorder_num_neighbors=reorder)[0].astype(np.int64)


class Glass:
    keeps = False  # A graph that was loaded again finds next to nothing.

    def __init__(self, metric, dim, config):
        import glass
        self.glass, self.metric, self.config = glass, "L2" if metric == "L2" else "IP", config

    def _searcher(self, base):
        code = self.config["code"]
        self.index = self.glass.Searcher(self.graph, base, self.metric, code, "FP32" if code != "FP32" else "")

    def build(self, base, threads):
        self.glass.set_num_threads(threads)
        kind = self.glass.Index("HNSW", self.metric, R=2 * self.config["M"], L=self.config["efConstruction"])
        self.graph = kind.build(base)
        self._searcher(base)

    def save(self, path):
        self.graph.save(path)

    def load(self, path, base):
        self.graph = self.glass.Graph(path)
        self._searcher(base)

    def search(self, queries, threads, ef):
        self.index.set_ef(max(ef, TOP))
        found = self.index.batch_search(queries, TOP, threads)
        if isinstance(found, tuple):
            found = next(part for part in map(np.asarray, found) if np.issubdtype(part.dtype, np.integer))
        return np.asarray(found).reshape(len(queries), -1)[:, :TOP]


class Vsag:
    def __init__(self, metric, dim, config):
        import pyvsag
        param = {"base_quantization_type": config["code"], "max_degree": 2 * config["M"],
                 "ef_construction": config["efConstruction"], "build_thread_count": 2}
        if config["code"] != "fp32":
            param.update(use_reorder=True, precise_quantization_type="fp32")
        self.index = pyvsag.Index("hgraph", json.dumps({
            "dtype": "float32", "metric_type": "l2" if metric == "L2" else "ip", "dim": dim, "index_param": param}))

    def build(self, base, threads):
        self.index.build(vectors=base.reshape(-1), ids=np.arange(len(base), dtype=np.int64), num_elements=len(base),
                         dim=base.shape[1])

    def save(self, path):
        self.index.save(path)

    def load(self, path, base):
        self.index.load(path)

    def search(self, queries, threads, ef):
        params = json.dumps({"hgraph": {"ef_search": max(ef, TOP)}})
        rows = []
        for query in queries:
            first, second = self.index.knn_search(vector=query, k=TOP, parameters=params)
            rows.append(first if np.issubdtype(np.asarray(first).dtype, np.integer) else second)
        return np.array(rows)


PEERS = {"hnswlib": Hnswlib, "faiss": Faiss, "usearch": Usearch, "svs": Svs, "scann": Scann, "glass": Glass,
         "vsag": Vsag}


def main():
    name, folder, file, threads, config = sys.argv[1:6]
    # What a library prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    base, queries = vectors(os.path.join(folder, "base.fbin")), vectors(os.path.join(folder, "query.fbin"))
    peer = PEERS[name](os.environ.get("ELANUS_METRIC", "IP"), base.shape[1], json.loads(config))
    keeps, build_s, build_cpu_s = getattr(peer, "keeps", True), 0.0, 0.0
    if keeps and os.path.exists(file):
        peer.load(file, base)
    else:
        begin, cpu = time.perf_counter(), time.process_time()
        peer.build(base, int(threads))
        build_s, build_cpu_s = time.perf_counter() - begin, time.process_time() - cpu
        if os.path.isdir(file):
            shutil.rmtree(file)
        peer.save(file)
    print(json.dumps({"build_s": build_s, "build_cpu_s": build_cpu_s, "file_bytes": size(file), "heap_bytes": 0,
                      "rows": len(base)}), file=answers, flush=True)
    for line in sys.stdin:
        mode, out, *words = line.split()
        params = {key: float(value) if "." in value else int(value) for key, value in (word.split("=") for word in words)}
        begin, cpu = time.perf_counter(), time.process_time()
        if mode == "single":
            found = np.concatenate([peer.search(queries[i:i + 1], 1, **params) for i in range(len(queries))])
        else:
            found = peer.search(queries, 1 if mode == "batch" else int(threads), **params)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - begin
        np.asarray(found).astype(np.uint32).tofile(out)
        print(json.dumps({"cpu_s": cpu, "wall_s": wall}), file=answers, flush=True)


main()
