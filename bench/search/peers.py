"""The peers of the text benchmark: prints a line of JSON for each kind of query, as worker.cc does.

  peers.py tantivy|bm25s TEXTS QUERIES REPEATS
Queries are made before the clock starts. Times are CPU times of the one thread.
"""
import json
import re
import sys
import time

HITS, SHOWN = 10, 20


def words(text):
    return re.findall(r"[^\W_]+", text.lower())


def best(repeats, queries, search):
    least, answers = 1e30, []
    for _ in range(repeats):
        begin = time.process_time()
        answers = [search(query) for query in queries]
        least = min(least, time.process_time() - begin)
    return len(queries) / least, answers


def tell(kind, qps, scores):
    print(json.dumps({"kind": kind, "qps": round(qps, 1), "scores": [[round(float(s), 5) for s in one] for one in scores[:SHOWN]]}),
          flush=True)


def run_tantivy(texts, queries, repeats):
    import tantivy
    schema = tantivy.SchemaBuilder().add_text_field("text", stored=False).build()
    index = tantivy.Index(schema)
    writer = index.writer(heap_size=200_000_000, num_threads=1)
    for text in texts:
        writer.add_document(tantivy.Document(text=" ".join(words(text))))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()
    for kind, occur in (("or", tantivy.Occur.Should), ("and", tantivy.Occur.Must)):
        made = [tantivy.Query.boolean_query([(occur, tantivy.Query.term_query(schema, "text", word))
                                             for word in words(query)]) for query in queries]
        qps, answers = best(repeats, made, lambda query: searcher.search(query, HITS, count=False))
        tell(kind, qps, [[score for score, _ in answer.hits] for answer in answers])


def run_bm25s(texts, queries, repeats):
    import bm25s
    import numpy as np
    model = bm25s.BM25(method="lucene", k1=1.2, b=0.75, backend="numba")
    model.index([words(text) for text in texts], show_progress=False)
    tokens = [words(query) for query in queries]
    least = 1e30
    for _ in range(repeats + 1):  # The first one compiles.
        begin = time.process_time()
        _, scores = model.retrieve(tokens, k=HITS, show_progress=False, n_threads=1)
        least = min(least, time.process_time() - begin)
    tell("or", len(queries) / least, [[s * 2.2 for s in np.sort(one)[::-1] if s > 0] for one in scores])


def main():
    peer, texts, queries, repeats = sys.argv[1:]
    with open(texts) as lines:
        texts = lines.read().splitlines()
    with open(queries) as lines:
        queries = lines.read().splitlines()
    {"tantivy": run_tantivy, "bm25s": run_bm25s}[peer](texts, queries, int(repeats))


if __name__ == "__main__":
    main()
