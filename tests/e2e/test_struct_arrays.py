"""Arrays of structs and embedding lists: written, read, searched, sealed, restarted, compacted."""
import time
import uuid

import numpy as np
import pytest
from pymilvus import AnnSearchRequest, DataType, MilvusClient, RRFRanker
from pymilvus.client.embedding_list import EmbeddingList
from search_data import raw_search
from support import count, refused

DIM = 8
ELEMENTS = {
    "float": DataType.FLOAT_VECTOR,
    "float16": DataType.FLOAT16_VECTOR,
    "bfloat16": DataType.BFLOAT16_VECTOR,
    "int8": DataType.INT8_VECTOR,
    "binary": DataType.BINARY_VECTOR,
}


# What pymilvus 2.6 refuses to send, or does not read out of an answer.
newer_sdk = pytest.mark.skipif(not hasattr(MilvusClient, "create_snapshot"), reason="the SDK does not know it yet")


def clips(i):
    """i % 5 structs; rows divisible by 5 have none."""
    random = np.random.default_rng(1000 + i)
    return [{"label": f"clip {i}.{e}", "second": i * 10 + e,
             "embedding": random.normal(size=DIM).astype(np.float32).tolist()} for e in range(i % 5)]


def make(client, name, nullable=False, element=DataType.FLOAT_VECTOR, index="FLAT", metric="MAX_SIM_COSINE",
         params=None, dim=DIM, load=True):
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=64)
    parts = client.create_struct_field_schema()
    parts.add_field("label", DataType.VARCHAR, max_length=32)
    parts.add_field("second", DataType.INT32)
    parts.add_field("embedding", element, dim=dim)
    schema.add_field("clips", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=parts, max_capacity=16,
                     nullable=nullable)
    indexes = client.prepare_index_params()
    indexes.add_index("clips[embedding]", index_type=index, metric_type=metric, params=params or {})
    client.create_collection(name, schema=schema, consistency_level="Strong")
    if index:
        client.create_index(name, indexes)
    if load:
        client.load_collection(name)


def row(i):
    return {"id": i, "title": f"title {i}", "clips": clips(i), "extra": i % 3}


def seal(client, name):
    client.flush(name)


def embedding_list(vectors):
    made = EmbeddingList()
    for vector in vectors:
        made.add(np.asarray(vector))
    return made


def max_sim(query, vectors, metric):
    query = np.asarray(query, dtype=np.float64)
    vectors = np.asarray(vectors, dtype=np.float64)
    if metric == "MAX_SIM_L2":
        return ((query[:, None, :] - vectors[None, :, :]) ** 2).sum(axis=2).min(axis=1).sum()
    if metric != "MAX_SIM_IP":
        query = query / np.linalg.norm(query, axis=1, keepdims=True)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (query @ vectors.T).max(axis=1).sum()


def same_clips(got, want):
    assert [c["label"] for c in got] == [c["label"] for c in want]
    assert [c["second"] for c in got] == [c["second"] for c in want]
    for one, other in zip(got, want):
        np.testing.assert_allclose(one["embedding"], other["embedding"], rtol=1e-6)


def test_describe_shows_structs_as_they_were_made(client, name):
    make(client, name, load=False)
    shown = client.describe_collection(name)
    structs = [f for f in shown["fields"] if f.get("element_type") == DataType.STRUCT]
    assert len(structs) == 1 and structs[0]["name"] == "clips"
    assert structs[0]["params"]["max_capacity"] == 16
    assert [(p["name"], p["type"]) for p in structs[0]["struct_fields"]] == [
        ("label", DataType.VARCHAR), ("second", DataType.INT32), ("embedding", DataType.FLOAT_VECTOR)]
    assert structs[0]["struct_fields"][2]["params"] == {"dim": DIM}
    assert client.list_indexes(name) == ["clips[embedding]"]
    assert client.describe_index(name, "clips[embedding]")["metric_type"] == "MAX_SIM_COSINE"


def test_rows_come_back_growing_and_sealed(client, name):
    make(client, name)
    client.insert(name, [row(i) for i in range(40)])
    for sealed in (False, True):
        if sealed:
            seal(client, name)
        got = client.query(name, filter="id < 10", output_fields=["clips", "extra"])
        assert [r["id"] for r in got] == list(range(10))
        for r in got:
            same_clips(r["clips"], clips(r["id"]))
            assert r["extra"] == r["id"] % 3
        part = client.query(name, filter="id == 4", output_fields=["clips[label]"])
        assert part[0]["clips"] == [{"label": f"clip 4.{e}"} for e in range(4)]
        everything = client.query(name, filter="id == 3", output_fields=["*"])[0]
        same_clips(everything["clips"], clips(3))
        assert everything["title"] == "title 3"


def test_upserts_replace_and_deletes_remove_whole_lists(client, name):
    make(client, name)
    client.insert(name, [row(i) for i in range(20)])
    seal(client, name)
    client.upsert(name, [{"id": 4, "title": "new", "clips": clips(13)}])
    client.delete(name, filter="id == 3")
    got = client.query(name, filter="id in [3, 4]", output_fields=["clips"])
    assert [r["id"] for r in got] == [4]
    same_clips(got[0]["clips"], clips(13))
    query = embedding_list([c["embedding"] for c in clips(13)])
    hits = client.search(name, [query], anns_field="clips[embedding]", limit=2)[0]
    assert {h["id"] for h in hits} == {4, 13}
    assert all(abs(h["distance"] - 3) < 1e-4 for h in hits)


@newer_sdk
def test_null_structs_are_not_empty_ones(client, name):
    make(client, name, nullable=True)
    client.insert(name, [
        {"id": 1, "title": "some", "clips": clips(2)},
        {"id": 2, "title": "null", "clips": None},
        {"id": 3, "title": "none", "clips": []},
        {"id": 4, "title": "left out"},
    ])
    for sealed in (False, True):
        if sealed:
            seal(client, name)
        got = {r["id"]: r["clips"] for r in client.query(name, filter="id > 0", output_fields=["clips"])}
        same_clips(got[1], clips(2))
        assert got[2] is None and got[4] is None
        assert got[3] == []
        query = embedding_list([clips(2)[0]["embedding"]])
        hits = client.search(name, [query], anns_field="clips[embedding]", limit=5)[0]
        assert [h["id"] for h in hits] == [1]  # Rows without a vector are never hits.


@pytest.mark.parametrize("sealed", [0, 60, 100], ids=["growing", "mixed", "sealed"])
@pytest.mark.parametrize("metric", ["MAX_SIM", "MAX_SIM_COSINE", "MAX_SIM_IP", "MAX_SIM_L2"])
def test_scores_are_sums_of_the_best_of_each_query_vector(client, name, metric, sealed):
    make(client, name, metric=metric)
    if sealed:
        client.insert(name, [row(i) for i in range(sealed)])
        seal(client, name)
    if sealed < 100:
        client.insert(name, [row(i) for i in range(sealed, 100)])
    queries = [np.random.default_rng(5 + q).normal(size=(1 + q, DIM)).astype(np.float32) for q in range(4)]
    found = client.search(name, [embedding_list(q) for q in queries], anns_field="clips[embedding]", limit=10,
                          output_fields=["clips[second]"])
    for query, hits in zip(queries, found):
        truth = {i: max_sim(query, [c["embedding"] for c in clips(i)], metric) for i in range(100) if i % 5}
        best = sorted(truth, key=truth.get, reverse=metric != "MAX_SIM_L2")[:10]
        assert [h["id"] for h in hits] == best
        for hit in hits:
            assert abs(hit["distance"] - truth[hit["id"]]) < 1e-3
            assert [c["second"] for c in hit["entity"]["clips"]] == [hit["id"] * 10 + e for e in range(hit["id"] % 5)]
    filtered = client.search(name, [embedding_list(queries[0])], anns_field="clips[embedding]", limit=10,
                             filter="extra == 1")[0]
    assert filtered and all(h["id"] % 3 == 1 for h in filtered)


def typed(element, random, vectors):
    if element == "binary":
        return random.integers(0, 256, size=(vectors, 16), dtype=np.uint8)
    if element == "int8":
        return random.integers(-100, 100, size=(vectors, 16)).astype(np.int8)
    return random.normal(size=(vectors, 16)).astype({"float16": np.float16}.get(element, np.float32))


@newer_sdk
@pytest.mark.parametrize("element", ["float16", "int8", "binary"])
def test_vectors_of_other_elements_are_stored_and_searched(client, name, element):
    random = np.random.default_rng(3)
    metric = "MAX_SIM_HAMMING" if element == "binary" else "MAX_SIM_L2"
    index = "BIN_FLAT" if element == "binary" else "FLAT"
    dim = 128 if element == "binary" else 16
    make(client, name, element=ELEMENTS[element], metric=metric, index=index, dim=dim)
    lists = {i: typed(element, random, 1 + i % 4) for i in range(30)}

    def value(vector):
        return vector.tobytes() if element == "binary" else vector

    client.insert(name, [{"id": i, "title": "", "clips": [
        {"label": "", "second": e, "embedding": value(v)} for e, v in enumerate(vectors)
    ]} for i, vectors in lists.items()])
    for sealed in (False, True):
        if sealed:
            seal(client, name)
        query = EmbeddingList()
        for vector in lists[7]:
            query.add(vector)
        hits = client.search(name, [query], anns_field="clips[embedding]", limit=3)[0]
        assert hits[0]["id"] == 7 and hits[0]["distance"] == 0
        assert hits[1]["distance"] > 0
        got = client.query(name, filter="id == 7", output_fields=["clips"])[0]["clips"]
        assert len(got) == len(lists[7])


def test_fresh_lists_are_found_before_and_after_their_blocks_are_indexed(client, name):
    make(client, name, index="HNSW", params={"M": 16, "efConstruction": 100})
    rows = 9000  # One full block of 8,192 rows, which is indexed in the background, and the rest.
    for begin in range(0, rows, 3000):
        client.insert(name, [row(i) for i in range(begin, begin + 3000)])
    client.delete(name, filter="id == 4444")
    wanted = [9, 1234, 4444, 8191, 8192, 8999]
    queries = [embedding_list([c["embedding"] for c in clips(i)]) for i in wanted]
    for _ in range(6):
        found = client.search(name, queries, anns_field="clips[embedding]", limit=5)
        for i, hits in zip(wanted, found):
            if i == 4444:
                assert 4444 not in [hit["id"] for hit in hits]
                continue
            assert hits[0]["id"] == i and hits[0]["distance"] == pytest.approx(i % 5, rel=1e-4)
        odd = client.search(name, queries[1:2], anns_field="clips[embedding]", limit=5, filter="id % 2 == 1")[0]
        assert len(odd) == 5 and all(hit["id"] % 2 == 1 for hit in odd)
        time.sleep(0.5)


@pytest.mark.parametrize("index, params, search", [
    ("FLAT", {}, {}),
    ("HNSW", {"M": 16, "efConstruction": 100}, {"ef": 100}),
    ("IVF_FLAT", {"nlist": 32}, {"nprobe": 16}),
    ("AUTOINDEX", {}, {}),
])
def test_indexes_find_what_a_scan_finds(client, name, index, params, search):
    metric = "MAX_SIM_COSINE"
    make(client, name, index=index, metric=metric, params=params, load=False)
    rows = 1500
    for begin in range(0, rows, 500):
        client.insert(name, [row(i) for i in range(begin, begin + 500)])
    seal(client, name)
    client.load_collection(name)
    state = client.describe_index(name, "clips[embedding]")
    assert state["total_rows"] == rows
    lists = {i: np.asarray([c["embedding"] for c in clips(i)]) for i in range(rows) if i % 5}
    random = np.random.default_rng(17)
    queries = [random.normal(size=(3, DIM)).astype(np.float32) for _ in range(10)]
    found = client.search(name, [embedding_list(q) for q in queries], anns_field="clips[embedding]", limit=10,
                          search_params={"params": {**search, "retrieval_ann_ratio": 10}})
    hit = 0
    for query, hits in zip(queries, found):
        truth = {i: max_sim(query, vectors, metric) for i, vectors in lists.items()}
        best = set(sorted(truth, key=truth.get, reverse=True)[:10])
        hit += len(best & {h["id"] for h in hits})
        for h in hits:
            assert abs(h["distance"] - truth[h["id"]]) < 1e-3
    assert hit >= 90


def test_structs_survive_a_restart_and_a_compaction(own_server):
    name = "c_" + uuid.uuid4().hex[:10]
    with_client = MilvusClient(uri=own_server.uri)
    make(with_client, name)
    for begin in (0, 20, 40):
        with_client.insert(name, [row(i) for i in range(begin, begin + 20)])
        seal(with_client, name)
    with_client.insert(name, [row(i) for i in range(60, 70)])
    with_client.delete(name, filter="id in [1, 2, 62]")
    with_client.close()
    own_server.kill()
    own_server.start()
    again = MilvusClient(uri=own_server.uri)
    for compacted in (False, True):
        if compacted:
            again.flush(name)
            job = again.compact(name)
            for _ in range(100):
                if again.get_compaction_state(job) == "Completed":
                    break
        got = again.query(name, filter="id >= 0", output_fields=["clips"])
        assert [r["id"] for r in got] == [i for i in range(70) if i not in (1, 2, 62)]
        for r in got:
            same_clips(r["clips"], clips(r["id"]))
        query = embedding_list([c["embedding"] for c in clips(64)])
        assert again.search(name, [query], anns_field="clips[embedding]", limit=1)[0][0]["id"] == 64
    assert count(again, name) == 67
    again.close()


def test_what_structs_cannot_be_is_refused(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    parts = client.create_struct_field_schema()
    parts.add_field("embedding", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("clips", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=parts, max_capacity=5000)
    with refused(1100, "max_capacity"):
        client.create_collection(name, schema=schema)
    make(client, name)
    with refused(1100, "capacity"):
        client.insert(name, [{"id": 1, "title": "", "clips": clips(4) * 5}])
    with refused(1100):
        client.insert(name, [{"id": 1, "title": "", "clips": [
            {"label": "x" * 33, "second": 1, "embedding": [0.0] * DIM}]}])
    with refused(1100, "field"):
        client.query(name, filter="id > 0", output_fields=["missing[label]"] if False else ["clips[missing]"])


def test_what_embedding_lists_cannot_do_is_refused(client, name):
    make(client, name)
    client.insert(name, [row(i) for i in range(20)])
    query = embedding_list([[1.0] * DIM])
    field = {"anns_field": "clips[embedding]", "limit": 3}
    with refused(1100, "range"):
        client.search(name, [query], search_params={"params": {"radius": 0.1}}, **field)
    with refused(1100, "group"):
        client.search(name, [query], group_by_field="title", **field)
    with refused(1100, "dimension"):
        client.search(name, [embedding_list([[1.0] * (DIM + 1)])], **field)
    with refused(2000, "embedding lists"):
        client.search(name, [[1.0] * DIM], **field)
    with refused(1100, "metric"):
        client.search(name, [query], search_params={"metric_type": "MAX_SIM_L2"}, **field)


def test_only_metrics_between_lists_are_taken(client, name):
    make(client, name, index="", load=False)
    for index, metric, words in (("FLAT", "MAX_SIM_HAMMING", "metric"), ("FLAT", "JACCARD", "metric"),
                                 ("BIN_FLAT", "MAX_SIM_HAMMING", "data type")):
        indexes = client.prepare_index_params()
        indexes.add_index("clips[embedding]", index_type=index, metric_type=metric)
        with refused(1100, words):
            client.create_index(name, indexes)


@newer_sdk
@pytest.mark.parametrize("state", ["growing", "sealed", "mixed"])
@pytest.mark.parametrize("index, params", [("FLAT", {}), ("HNSW", {"M": 16, "efConstruction": 100})])
def test_single_vectors_are_found_with_their_places(client, name, index, params, state):
    make(client, name, index=index, metric="L2", params=params)
    rows = 1100
    client.insert(name, [row(i) for i in range(rows + (0 if state == "mixed" else 20))])
    if state != "growing":
        seal(client, name)
    if state == "mixed":
        client.insert(name, [row(i) for i in range(rows, rows + 20)])
    elements = [(i, e, np.asarray(c["embedding"])) for i in range(rows + 20) for e, c in enumerate(clips(i))]
    query = np.random.default_rng(8).normal(size=DIM).astype(np.float32)
    truth = sorted(((float(((v - query) ** 2).sum()), i, e) for i, e, v in elements))[:10]
    hits = client.search(name, [query], anns_field="clips[embedding]", limit=10, output_fields=["clips[label]"],
                         search_params={"params": {"ef": 200}})[0]
    assert [(h["id"], h["offset"]) for h in hits] == [(i, e) for _, i, e in truth]
    for hit, (distance, i, e) in zip(hits, truth):
        assert abs(hit["distance"] - distance) < 1e-4
        assert hit["entity"]["clips"][e] == {"label": f"clip {i}.{e}"}
    near = client.search(name, [query], anns_field="clips[embedding]", limit=100, filter="extra == 0",
                         search_params={"params": {"radius": truth[9][0] + 0.5}})[0]
    assert near and all(h["id"] % 3 == 0 and h["distance"] < truth[9][0] + 0.5 for h in near)
    late = client.search(name, [query], anns_field="clips[embedding]", limit=10,
                         filter="id < 1000 and element_filter(clips, $[second] % 10 == 3)")[0]
    wanted = sorted((float(((v - query) ** 2).sum()), i, e) for i, e, v in elements if e == 3 and i < 1000)[:10]
    assert [(h["id"], h["offset"]) for h in late] == [(i, e) for _, i, e in wanted]
    with refused(2000, "plain vectors"):
        client.search(name, [embedding_list([query])], anns_field="clips[embedding]", limit=3)


ROWS, MORE = 1100, 20


@pytest.fixture
def elements(client, name):
    """Sealed rows with an index and growing ones; every element as (row, place, vector)."""
    make(client, name, index="HNSW", metric="IP", params={"M": 16, "efConstruction": 100})
    client.insert(name, [row(i) for i in range(ROWS)])
    seal(client, name)
    client.insert(name, [row(i) for i in range(ROWS, ROWS + MORE)])
    return [(i, e, np.asarray(c["embedding"], np.float32)) for i in range(ROWS + MORE) for e, c in enumerate(clips(i))]


ELEMENT_QUERY = np.random.default_rng(8).normal(size=DIM).astype(np.float32)


def ranked(elements):
    return sorted(((float(v @ ELEMENT_QUERY), i, e) for i, e, v in elements), reverse=True)


@newer_sdk
def test_an_iterator_gives_every_element_once(client, name, elements):
    for text, keeps in (("", lambda i, e: True), ("element_filter(clips, $[second] % 10 == 2)", lambda i, e: e == 2)):
        iterator = client.search_iterator(name, [ELEMENT_QUERY], 300, anns_field="clips[embedding]", filter=text,
                                          search_params={})
        got = []
        while page := iterator.next():
            got += [(hit["distance"], hit["id"], hit["offset"]) for hit in page]
        want = [one for one in ranked(elements) if keeps(*one[1:])]
        assert sorted((i, e) for _, i, e in got) == sorted((i, e) for _, i, e in want)
        assert len({(i, e) for _, i, e in got[:200]} & {(i, e) for _, i, e in want[:200]}) >= 195


@newer_sdk
def test_elements_are_grouped_by_their_row(client, name, elements):
    hits = client.search(name, [ELEMENT_QUERY], anns_field="clips[embedding]", limit=8, group_by_field="id",
                         group_size=3, strict_group_size=True, search_params={"params": {"ef": 200}})[0]
    groups = {}
    for _, i, e in ranked(elements):
        groups.setdefault(i, []).append(e)
    want = [(i, e) for i, places in list(groups.items())[:8] for e in places[:3]]
    assert [(hit["id"], hit["offset"]) for hit in hits] == want
    with refused(1100, "primary key"):
        client.search(name, [ELEMENT_QUERY], anns_field="clips[embedding]", limit=3, group_by_field="title")


def folded(scores, strategy, top):
    scores = scores[:top] if strategy.startswith("topk") else scores
    if strategy == "max":
        return scores[0]
    return sum(scores) if strategy.endswith("sum") else sum(scores) / len(scores)


@newer_sdk
@pytest.mark.parametrize("text, keeps", [("", lambda e: True),
                                         ("element_filter(clips, $[second] % 10 != 0)", lambda e: e != 0)])
@pytest.mark.parametrize("strategy", ["max", "sum", "avg", "topk_sum", "topk_avg"])
def test_elements_of_a_row_become_one_hit(client, name, elements, strategy, text, keeps):
    scores = {}
    for score, i, e in ranked(elements):
        if keeps(e):
            scores.setdefault(i, []).append((score, e))
    want = sorted(((folded([s for s, _ in of], strategy, 2), -i) for i, of in scores.items()), reverse=True)[:10]
    collapse = {"strategy": strategy, **({"topk": 2} if strategy.startswith("topk") else {})}
    hits = client.search(name, [ELEMENT_QUERY], anns_field="clips[embedding]", limit=10, filter=text,
                         search_params={"params": {"ef": 1000, "element_scope": {"collapse": collapse}}})[0]
    assert [hit["id"] for hit in hits] == [-i for _, i in want]
    np.testing.assert_allclose([hit["distance"] for hit in hits], [score for score, _ in want], atol=1e-4)
    assert [hit["offset"] for hit in hits] == [scores[hit["id"]][0][1] for hit in hits]


@newer_sdk
@pytest.mark.parametrize("scope", [{"collapse": {"strategy": "median"}}, {"collapse": {"strategy": "topk_sum"}},
                                   {"collapse": {"strategy": "topk_avg", "topk": 0}}, {"fold": {}}, 3])
def test_bad_element_scopes_are_refused(client, name, elements, scope):
    with refused(1100, "element_scope"):
        client.search(name, [ELEMENT_QUERY], anns_field="clips[embedding]", limit=3,
                      search_params={"params": {"element_scope": scope}})


@newer_sdk
def test_hybrid_searches_fuse_elements_of_one_struct(client, name, elements):
    other = np.random.default_rng(9).normal(size=DIM).astype(np.float32)
    total = {}
    for query in (ELEMENT_QUERY, other):
        order = sorted(((float(v @ query), i, e) for i, e, v in elements), reverse=True)[:30]
        for rank, (_, i, e) in enumerate(order, 1):
            total[i, e] = total.get((i, e), 0.0) + 1 / (60 + rank)
    want = sorted(total, key=lambda pair: (-np.float32(total[pair]), pair))[:12]
    parts = [AnnSearchRequest(data=[query], anns_field="clips[embedding]", param={"params": {"ef": 300}}, limit=30)
             for query in (ELEMENT_QUERY, other)]
    hits = client.hybrid_search(name, parts, RRFRanker(60), limit=12, output_fields=["clips[label]"])[0]
    assert sorted((hit["id"], hit["offset"]) for hit in hits) == sorted(want)
    np.testing.assert_allclose([hit["distance"] for hit in hits], [total[pair] for pair in want], rtol=1e-5)
    for hit in hits:
        assert hit["entity"]["clips"][hit["offset"]]["label"] == f"clip {hit['id']}.{hit['offset']}"


@newer_sdk
def test_elements_beside_other_searches_become_rows(client, name):
    """Of each row its best element, or what the search says; elements of two structs are never one."""
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=DIM)
    for struct in ("one", "two"):
        parts = client.create_struct_field_schema()
        parts.add_field("e", DataType.FLOAT_VECTOR, dim=DIM)
        schema.add_field(struct, DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=parts, max_capacity=8)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    indexes = client.prepare_index_params()
    for field in ("v", "one[e]", "two[e]"):
        indexes.add_index(field, index_type="FLAT", metric_type="IP")
    client.create_index(name, indexes)
    client.load_collection(name)
    random = np.random.default_rng(4)
    rows = [{"id": i, "v": random.normal(size=DIM).astype(np.float32).tolist(),
             **{struct: [{"e": random.normal(size=DIM).astype(np.float32).tolist()} for _ in range(1 + i % 4)]
                for struct in ("one", "two")}} for i in range(80)]
    client.insert(name, rows[:50])
    seal(client, name)
    client.insert(name, rows[50:])

    def scores(field, fold=max):
        if field == "v":
            return {one["id"]: float(np.dot(one["v"], ELEMENT_QUERY)) for one in rows}
        return {one["id"]: fold(float(np.dot(part["e"], ELEMENT_QUERY)) for part in one[field[:3]]) for one in rows}

    def part(field, **scope):
        return AnnSearchRequest([ELEMENT_QUERY], field, {"params": scope}, limit=80)

    def agree(parts, truths):
        total = {}
        for truth in truths:
            for rank, key in enumerate(sorted(truth, key=lambda key: (-truth[key], key)), 1):
                total[key] = total.get(key, 0.0) + 1 / (60 + rank)
        hits = client.hybrid_search(name, parts, RRFRanker(60), limit=20)[0]
        order = sorted(total, key=lambda key: (-np.float32(total[key]), key))[:20]
        assert [hit["id"] for hit in hits] == order
        np.testing.assert_allclose([hit["distance"] for hit in hits], [total[key] for key in order], rtol=1e-5)
    agree([part("one[e]"), part("v")], [scores("one[e]"), scores("v")])
    agree([part("one[e]"), part("two[e]")], [scores("one[e]"), scores("two[e]")])
    sums = {"element_scope": {"collapse": {"strategy": "sum"}}}
    agree([part("one[e]", **sums), part("two[e]"), part("v")], [scores("one[e]", sum), scores("two[e]"), scores("v")])
    for parts, more, words in (([part("one[e]", **sums), part("one[e]")], {}, "element_scope"), ([part("v", **sums)], {}, "element_scope"),
                               ([part("one[e]"), part("v")], {"group_by_field": "id"}, "group")):
        with refused(1100, words):
            client.hybrid_search(name, parts, RRFRanker(60), limit=5, **more)


@newer_sdk
def test_what_does_not_go_with_elements_is_refused(client, call, name):
    make(client, name, metric="L2")
    client.insert(name, [row(i) for i in range(10)])
    for params in ({"iterator": "True"}, {"group_by_field": "title"}, {"anns_field": "clips[nothing]"},
                   *({"params": {"element_scope": {"collapse": {"strategy": one}}}} for one in ("sum", "avg")),
                   {"params": {"element_scope": {"collapse": {"strategy": "max", "topk": 2}}}}):
        status = call("Search", raw_search(None, name, [[1.0] * DIM], **{"anns_field": "clips[embedding]", **params})).status
        assert status.code == (1700 if "anns_field" in params else 1100), (params, status.reason)


def test_lists_are_not_searched_by_keys(client, call, name):
    make(client, name)
    client.insert(name, [row(i) for i in range(10)])
    status = call("Search", raw_search(None, name, [], anns_field="clips[embedding]", ids=[1])).status
    assert status.code == 1100 and "cannot be searched by ids" in status.reason


@newer_sdk
@pytest.mark.parametrize("batch", [1, 3, 50])
def test_a_query_iterator_gives_every_kept_element_once(client, name, batch):
    make(client, name)
    client.insert(name, [row(i) for i in range(40)])
    seal(client, name)
    client.insert(name, [row(i) for i in range(40, 50)])
    iterator = client.query_iterator(name, batch_size=batch, output_fields=["id"],
                                     filter="id > 4 and element_filter(clips, $[second] % 10 > 0)")
    got = []
    while page := iterator.next():
        got += [(r["id"], r["offset"]) for r in page]
    assert got == [(i, e) for i in range(5, 50) for e in range(1, i % 5)]


def test_filters_look_into_structs(client, name):
    make(client, name)
    client.insert(name, [row(i) for i in range(50)])
    for sealed in (False, True):
        if sealed:
            seal(client, name)

        def ids(text, **params):
            found = client.query(name, filter=text, output_fields=["id"], filter_params=params)
            return [r["id"] for r in found]

        assert ids('match_any(clips, $[label] == "clip 9.3")') == [9]
        assert ids("match_all(clips, $[second] < 40)") == [0, 1, 2, 3] + list(range(5, 50, 5))
        assert ids("match_least(clips, $[second] >= 92, threshold=2) and id < 10") == [9]
        assert ids("match_exact(clips, $[second] > 10, threshold=1) and id < 9") == [6]
        assert ids("match_any(clips, 120 < $[second] <= 122)") == [12]
        assert ids("array_length(clips) == 4 and id < 20") == [4, 9, 14, 19]
        assert ids("clips[1][second] == 71") == [7]
        assert ids("clips[1][second] == 81") == [8]
        assert ids('array_contains(clips[label], "clip 13.2")') == [13]
        assert ids("match_any(clips, $[second] in {wanted})", wanted=[41, 30]) == [3, 4]
        assert ids("id < 10 and element_filter(clips, $[second] == 81)") == [8]
    query = embedding_list([[1.0] * DIM])
    with refused(1100, "element-level"):
        client.search(name, [query], anns_field="clips[embedding]", limit=3,
                      filter="element_filter(clips, $[second] == 81)")
    with refused(1100, "struct"):
        client.query(name, filter="match_any(title, $[label] == 'a')")
