"""Search and query iterators as the SDK drives them, against exact answers."""
import uuid

import numpy as np
import pytest
from pymilvus import DataType
from pymilvus.exceptions import ServerVersionIncompatibleException
from search_data import (CASES, DIM, STATES, Rows, collection, fill, hits_of, make_collection, raw_search, same_hits,
                         small_indexes)
from support import add_index

DATA = Rows(seed=7)
QUERY = np.random.default_rng(8).normal(size=DIM).astype(np.float32)


server = small_indexes()


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def own(request, client, name):
    """A collection that the test may change."""
    make_collection(client, name, DATA, *request.param)
    return name


def drain(iterator):
    pages = []
    while page := iterator.next():
        pages.append([(hit["id"], hit["distance"]) for hit in page])
    iterator.close()
    return pages


@pytest.mark.parametrize("batch, keep", [(37, None), (400, None), (50, DATA.group < 12), (3, DATA.group < 2)])
def test_second_form_gives_every_row_in_order(client, own, batch, keep):
    text = "" if keep is None else f"group < {DATA.group[keep].max() + 1}"
    pages = drain(client.search_iterator(own, [QUERY], batch, anns_field="dense", filter=text, search_params={},
                                         consistency_level="Strong"))
    places = DATA.best("dense", QUERY, keep=keep)
    assert all(len(page) == batch for page in pages[:-1])
    same_hits([hit for page in pages for hit in page], places, DATA.scores("dense", QUERY)[places], DATA)


def test_second_form_for_a_similarity(client, own):
    query = {i: 1.0 for i in range(0, 30, 4)}
    pages = drain(client.search_iterator(own, [query], 20, anns_field="sparse", search_params={},
                                         consistency_level="Strong"))
    places = DATA.best("sparse", query)
    same_hits([hit for page in pages for hit in page], places, DATA.scores("sparse", query)[places], DATA)


def test_rows_that_are_equally_far_are_not_lost(client, own):
    query = np.random.default_rng(9).integers(0, 2, 16).astype(np.uint8)
    pages = drain(client.search_iterator(own, [np.packbits(query).tobytes()], 120, anns_field="bits", search_params={},
                                         consistency_level="Strong"))
    got = [hit for page in pages for hit in page]
    assert [score for _, score in got] == sorted(score for _, score in got)
    places = DATA.best("bits", query)
    # Where many are equally far, their order is not that of their keys.
    same_hits(sorted(got, key=lambda hit: (hit[1], hit[0])), places, DATA.scores("bits", query)[places], DATA)


def test_second_form_within_a_range(client, own):
    scores = np.sort(DATA.scores("dense", QUERY))
    low, high = float(scores[40]), float(scores[170])
    pages = drain(client.search_iterator(own, [QUERY], 33, anns_field="dense",
                                         search_params={"params": {"radius": high, "range_filter": low}},
                                         consistency_level="Strong"))
    places = DATA.best("dense", QUERY)[40:170]
    same_hits([hit for page in pages for hit in page], places, DATA.scores("dense", QUERY)[places], DATA)


def test_pages_are_of_one_moment(client, own):
    iterator = client.search_iterator(own, [QUERY], 100, anns_field="dense", search_params={},
                                      consistency_level="Strong")
    first = [(hit["id"], hit["distance"]) for hit in iterator.next()]
    far = QUERY + 1.5
    client.insert(own, [{**DATA.row(0), "id": 5000 + i, "dense": far + i / 100} for i in range(20)])
    client.delete(own, ids=[int(DATA.ids[i]) for i in DATA.best("dense", QUERY)[150:160]])
    rest = [hit for page in drain(iterator) for hit in page]
    places = DATA.best("dense", QUERY)
    same_hits(first + rest, places, DATA.scores("dense", QUERY)[places], DATA)


# Index parameters with which a search looks at few rows only, and what it is asked for.
NARROW = {"HNSW": ({"M": 4, "efConstruction": 16}, {"ef": 20}), "IVF_FLAT": ({"nlist": 32}, {"nprobe": 1}),
          "IVF_SQ8": ({"nlist": 32}, {"nprobe": 1}), "SCANN": ({"nlist": 32}, {"nprobe": 1}),
          "HNSW_SQ": ({"M": 4, "efConstruction": 16, "sq_type": "SQ8"}, {"ef": 20}), "DISKANN": ({}, {})}


@pytest.mark.parametrize("state", STATES[1:])
@pytest.mark.parametrize("index", list(NARROW))
@pytest.mark.parametrize("batch", [20, 150])
def test_every_row_comes_once_whatever_the_index(client, name, state, index, batch):
    build, search = NARROW[index]
    make_collection(client, name, DATA, state, index, build)
    for keep in (None, DATA.group < 10):
        pages = drain(client.search_iterator(name, [QUERY], batch, anns_field="dense", consistency_level="Strong",
                                             filter="" if keep is None else "group < 10",
                                             search_params={"params": search}))
        got = [key for page in pages for key, _ in page]
        assert sorted(got) == sorted(int(i) for i in DATA.ids[keep if keep is not None else slice(None)])
        scores = dict(zip(DATA.ids.tolist(), DATA.scores("dense", QUERY)))
        for page in pages:
            distances = [distance for _, distance in page]
            assert distances == sorted(distances)
            np.testing.assert_allclose(distances, [scores[key] for key, _ in page], rtol=0.03, atol=0.05)


@pytest.mark.parametrize("batch", [30, 7, 2])
def test_more_equal_rows_than_a_page_holds(client, name, batch):
    """All of them come, once: also where it takes all segments together to fill a page."""
    rows = Rows(rows=300, seed=3)
    rows.bits[:] = rows.bits[0]
    make_collection(client, name, rows, "mixed")
    pages = drain(client.search_iterator(name, [np.packbits(rows.bits[0]).tobytes()], batch, anns_field="bits",
                                         search_params={}, consistency_level="Strong"))
    assert sorted(key for page in pages for key, _ in page) == sorted(rows.ids.tolist())


def test_rounded_scores_do_not_move_the_page(client, own):
    pages = drain(client.search_iterator(own, [QUERY], 60, anns_field="dense", search_params={}, round_decimal=1,
                                         consistency_level="Strong"))
    got = [hit for page in pages for hit in page]
    places = DATA.best("dense", QUERY)
    assert [key for key, _ in got] == [int(DATA.ids[i]) for i in places]
    rounded = np.round(DATA.scores("dense", QUERY)[places], 1)
    np.testing.assert_allclose([score for _, score in got], rounded, atol=0.051)


def test_first_form(client, own, monkeypatch):
    """What the SDK does without the second form: ranges and keys to leave out, all from its side."""
    def refuse(*_, **__):
        raise ServerVersionIncompatibleException(message="as if the server were old")
    monkeypatch.setattr("pymilvus.milvus_client.milvus_client.SearchIteratorV2", refuse)
    pages = drain(client.search_iterator(own, [QUERY], 45, anns_field="dense",
                                         search_params={"metric_type": "L2", "params": {}}, consistency_level="Strong"))
    places = DATA.best("dense", QUERY)
    same_hits([hit for page in pages for hit in page], places, DATA.scores("dense", QUERY)[places], DATA)


def iterate(call, name, **params):
    usual = {"iterator": "True", "search_iter_v2": "True", "search_iter_batch_size": 10}
    return raw_search(call, name, params.pop("queries", [QUERY]), **{**usual, **params})


def test_token_and_bound(call, client, name):
    make_collection(client, name, DATA, "mixed")
    first = iterate(call, name)
    page = first.results.search_iterator_v2_results
    assert uuid.UUID(page.token)
    assert first.session_ts > 0
    hits = hits_of(first)[0]
    assert len(hits) == 10 and page.last_bound == np.float32(hits[-1][1])
    second = iterate(call, name, search_iter_id=page.token, search_iter_last_bound=page.last_bound)
    assert second.results.search_iterator_v2_results.token == page.token
    places = DATA.best("dense", QUERY)[10:20]
    same_hits(hits_of(second)[0], places, DATA.scores("dense", QUERY)[places], DATA)
    last = iterate(call, name, search_iter_id=page.token, search_iter_last_bound=1e9)
    assert hits_of(last) == [[]]
    assert last.results.search_iterator_v2_results.last_bound == np.float32(1e9)
    none = iterate(call, name, filter_text="group < 0")
    assert none.results.search_iterator_v2_results.last_bound == -np.finfo(np.float32).max


@pytest.mark.parametrize("code, params", [
    (1101, {"iterator": "False"}), (1101, {"search_iter_batch_size": ""}), (1100, {"search_iter_batch_size": 0}),
    (1100, {"search_iter_batch_size": 16385}), (1100, {"search_iter_id": "abc"}),
    (1100, {"search_iter_last_bound": "far"}), (1100, {"offset": 3}), (1100, {"group_by_field": "group"}),
    (1100, {"order_by_fields": "group"}), (1100, {"queries": [QUERY, QUERY]})])
def test_what_does_not_go_together(call, client, name, code, params):
    make_collection(client, name, Rows(rows=20), "growing")
    status = iterate(call, name, **params).status
    assert status.code == code, status.reason


@pytest.mark.parametrize("batch, limit, offset", [(33, -1, 0), (50, 120, 0), (40, -1, 75)])
def test_query_iterator(client, own, batch, limit, offset):
    iterator = client.query_iterator(own, batch_size=batch, limit=limit, filter="group < 20",
                                     output_fields=["id", "label"], offset=offset, consistency_level="Strong")
    got = []
    while page := iterator.next():
        got += [(row["id"], row["label"]) for row in page]
        if len(got) == batch:
            client.insert(own, [{**DATA.row(0), "id": 9999}])
            client.delete(own, ids=[got[-1][0], int(DATA.ids.max())])
    iterator.close()
    rows = sorted((int(DATA.ids[i]), DATA.label[i]) for i in range(len(DATA.ids)) if DATA.group[i] < 20)[offset:]
    assert got == (rows if limit < 0 else rows[:limit])


# What the SDK puts between quotes as it is; a quote or a backslash in a key it does not escape.
KEYS = ["it's", "'", "tab\t", "ünï", "中文", " ", "", "a", "a ", "%", "_", "{x}", "in", "and", "\u0001", "😀",
        *(f"k{i}" for i in range(40))]


@pytest.fixture(scope="module", params=STATES)
def of_texts(request, server):
    """Rows whose keys are texts, six at each distance."""
    def make(client, name):
        schema = client.create_schema(auto_id=False)
        schema.add_field("key", DataType.VARCHAR, max_length=50, is_primary=True)
        schema.add_field("n", DataType.INT64)
        schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
        client.create_collection(name, schema=schema, consistency_level="Strong")
        add_index(client, name, "FLAT", field="v")
        fill(client, name, [{"key": key, "n": i % 5, "v": [float(i // 6), 0.0]} for i, key in enumerate(KEYS)],
             request.param, ["v"])
    with collection(server, make) as name:
        yield name


def by_bytes(keys):
    return sorted(keys, key=str.encode)


@pytest.mark.parametrize("batch, limit", [(1, -1), (7, -1), (1000, -1), (5, 33)])
def test_query_iterators_go_on_behind_any_text(client, of_texts, batch, limit):
    for text, keys in (("", KEYS), ("n < 3 or n == 4", [key for i, key in enumerate(KEYS) if i % 5 != 3])):
        pages = client.query_iterator(of_texts, batch_size=batch, limit=limit, filter=text, output_fields=["key"])
        got = []
        while page := pages.next():
            got += [row["key"] for row in page]
        pages.close()
        assert got == by_bytes(keys)[:None if limit < 0 else limit]


@pytest.mark.parametrize("form", ["second", "first"])
@pytest.mark.parametrize("batch, limit", [(7, -1), (30, -1), (7, 33)])
def test_search_iterators_tell_texts_apart(client, of_texts, monkeypatch, form, batch, limit):
    """The first form names the keys it has seen at a distance in its filter."""
    def refuse(*_, **__):
        raise ServerVersionIncompatibleException(message="as if the server were old")
    if form == "first":
        monkeypatch.setattr("pymilvus.milvus_client.milvus_client.SearchIteratorV2", refuse)
    pages = client.search_iterator(of_texts, [[0.0, 0.0]], batch, limit=limit, anns_field="v",
                                   search_params={"metric_type": "L2", "params": {}})
    got = []
    while page := pages.next():
        got += [hit["key"] for hit in page]
    pages.close()
    assert len(got) == len(set(got)) == (len(KEYS) if limit < 0 else limit)
    assert {KEYS.index(key) // 6 for key in got} == set(range((len(got) + 5) // 6)), "the nearest"


def test_a_filter_of_the_caller_leaves_pages_full(client, of_texts):
    """It is run by the SDK, which asks for more until a page is full."""
    pages = client.search_iterator(of_texts, [[0.0, 0.0]], 4, anns_field="v", search_params={}, output_fields=["n"],
                                   external_filter_func=lambda hits: [hit for hit in hits if hit["entity"]["n"] < 2])
    got = []
    while page := pages.next():
        got.append([hit["key"] for hit in page])
    assert [len(page) for page in got[:-1]] == [4] * (len(got) - 1)
    assert sorted(key for page in got for key in page) == sorted(key for i, key in enumerate(KEYS) if i % 5 < 2)


def test_an_iterator_goes_on_from_a_file(client, of_texts, tmp_path):
    """Where it was is the client's affair; what it asks then is a page in the middle."""
    def pages():
        return client.query_iterator(of_texts, batch_size=10, output_fields=["key"],
                                     iterator_cp_file=str(tmp_path / "cursor"))
    first = pages()
    got = [row["key"] for _ in range(3) for row in first.next()]
    again = pages()
    while page := again.next():
        got += [row["key"] for row in page]
    assert got == by_bytes(KEYS)
