"""The demo: Debian package descriptions in a running elanus, found by meaning.

  run.py --server build/release/elanus [--texts 20000] [--small]
"""
import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from server_process import Server  # noqa: E402
import corpus  # noqa: E402
import embed  # noqa: E402

COLLECTION = "debian_packages"
K = 10
QUESTIONS = [
    ("play chess against the computer", ""),
    ("play chess against the computer", 'section == "games" and size < 2000'),
    ("draw and edit vector pictures", ""),
    ("find out which program uses my network bandwidth", 'section in ["net", "admin"]'),
    ("read PDF files", "size < 1000"),
    ("learn the stars in the night sky", ""),
]


def vectors_of(rows):
    """Embeddings of the rows' texts, cached by their content under build/demo-cache."""
    digest = hashlib.sha256("\n".join(row["text"] for row in rows).encode()).hexdigest()[:16]
    path = os.path.join(ROOT, "build", "demo-cache", f"{len(rows)}-{digest}.npz")
    if os.path.exists(path):
        return np.load(path)["vectors"]
    vectors = embed.MiniLm().embed([row["text"] for row in rows], progress=True)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    np.savez(path + ".part.npz", vectors=vectors)
    os.replace(path + ".part.npz", path)
    return vectors


def load(client, rows, vectors):
    from pymilvus import DataType
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("package", DataType.VARCHAR, max_length=256)
    schema.add_field("section", DataType.VARCHAR, max_length=64)
    schema.add_field("size", DataType.INT64)
    schema.add_field("text", DataType.VARCHAR, max_length=4096)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=embed.DIM)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="HNSW", metric_type="COSINE", params={"M": 16, "efConstruction": 200})
    begin = time.time()
    client.create_collection(COLLECTION, schema=schema)
    for first in range(0, len(rows), 1000):
        client.insert(COLLECTION, [{"id": i, "vector": vectors[i], **rows[i]}
                                   for i in range(first, min(first + 1000, len(rows)))])
    inserted = time.time()
    client.flush(COLLECTION)
    client.create_index(COLLECTION, index)
    client.load_collection(COLLECTION)
    print(f"{len(rows)} texts inserted in {inserted - begin:.1f} s, indexed and loaded in {time.time() - inserted:.1f} s")


def search(client, vector, filter_text="", ef=64):
    return client.search(COLLECTION, [vector], limit=K, filter=filter_text, output_fields=["package", "section", "size", "text"],
                         search_params={"params": {"ef": ef}})[0]


def answer(client, model):
    """Prints answers for a person to judge; returns what a filter let through and should not have."""
    wrong = []
    for question, filter_text in QUESTIONS:
        print(f"\n{question!r}" + (f"  where {filter_text}" if filter_text else ""))
        for hit in search(client, model.embed([question])[0], filter_text)[:5]:
            row = hit["entity"]
            print(f"  {hit['distance']:.3f}  {row['package']:<28.28} {row['section']:<12.12} {row['size']:>7} KiB  {row['text'][:70]}")
            allowed = {"section": row["section"], "size": row["size"]}
            # The two filter words used here mean the same in Python.
            if filter_text and not eval(filter_text, {}, allowed):
                wrong.append((filter_text, row))
    return wrong


def measure(client, vectors, queries):
    """Recall@10 against exact search, and latency of one client."""
    truth = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :K]
    found, times = 0, []
    for query, best in zip(queries, truth):
        begin = time.perf_counter()
        hits = client.search(COLLECTION, [query], limit=K, search_params={"params": {"ef": 64}})[0]
        times.append((time.perf_counter() - begin) * 1e3)
        # Equal scores are as good as each other: short descriptions have near twins.
        worst = queries[0].dtype.type(query @ vectors[best[-1]]) - 1e-5
        found += sum(1 for hit in hits if float(query @ vectors[hit["id"]]) >= worst)
    recall = found / (K * len(queries))
    p50, p99 = np.percentile(times, [50, 99])
    print(f"\nrecall@10 against exact search {recall:.4f} over {len(queries)} queries; "
          f"latency p50 {p50:.2f} ms, p99 {p99:.2f} ms (pymilvus, one client)")
    return recall


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--texts", type=int, default=20000)
    parser.add_argument("--small", action="store_true", help="500 texts: the cut that runs in the tests")
    args = parser.parse_args()
    from pymilvus import MilvusClient
    rows = corpus.load(500 if args.small else args.texts)
    vectors = vectors_of(rows)
    model = embed.MiniLm()
    folder = tempfile.mkdtemp(prefix="elanus-demo-")
    try:
        with Server(args.server, folder) as server:
            client = MilvusClient(uri=server.uri)
            load(client, rows, vectors)
            wrong = answer(client, model)
            step = max(1, len(rows) // 300)
            noise = np.random.default_rng(7).normal(0, 0.02, (len(rows[::step]), embed.DIM)).astype(np.float32)
            queries = vectors[::step] + noise
            recall = measure(client, vectors, queries / np.linalg.norm(queries, axis=1, keepdims=True))
            client.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    checks = {"filters hold": not wrong, "recall@10 is at least 0.95": recall >= 0.95,
              "all texts are there": len(rows) >= (500 if args.small else args.texts)}
    for name, good in checks.items():
        print(f"{'ok  ' if good else 'FAIL'} {name}")
    failed = sum(not good for good in checks.values())
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
