"""Range search, pages, groups and iterators over every index and state of rows, beside exact answers. What is exact
has to agree hit by hit; what is approximate has to find nearly all, and nothing that does not belong."""
import numpy as np
import pytest
from pymilvus import DataType
from search_data import STATES, collection, fill, small_indexes

ROWS, DIM, GROUPS = 1500, 8, 40
SOURCE = np.random.default_rng(41)
IDS = SOURCE.permutation(ROWS * 3)[:ROWS].astype(np.int64)
PLACE = {int(key): place for place, key in enumerate(IDS)}
VECTORS = SOURCE.normal(size=(ROWS, DIM)).astype(np.float32)
GROUP = SOURCE.integers(0, GROUPS, ROWS)
QUERIES = SOURCE.normal(size=(3, DIM)).astype(np.float32)
# How an index is built and searched; the breadth is what finds nearly everything.
INDEXES = {
    "FLAT": ({}, {}), "HNSW": ({"M": 16, "efConstruction": 100}, {"ef": ROWS}),
    "IVF_FLAT": ({"nlist": 16}, {"nprobe": 16}), "IVF_SQ8": ({"nlist": 16}, {"nprobe": 16}),
    "SCANN": ({"nlist": 16, "with_raw_data": True}, {"nprobe": 16, "reorder_k": ROWS}),
    "DISKANN": ({}, {"search_list": ROWS}),
    "HNSW_SQ": ({"M": 16, "efConstruction": 100, "sq_type": "SQ8"}, {"ef": ROWS})}
EXACT = {"FLAT", "IVF_FLAT"}
CODES = {"IVF_SQ8", "HNSW_SQ"}  # Scores are those of codes.
METRICS = {"near": "L2", "alike": "COSINE"}
RECALL = 0.95
server = small_indexes()


class Case:
    def __init__(self, name, index, state):
        self.name, self.index, self.state = name, index, state
        self.is_exact = index in EXACT or state == "growing" and index == "FLAT"

    def params(self, **more):
        return {"params": {**INDEXES[self.index][1], **more}}

    def slack(self, scores):
        """How far scores may be from the truth."""
        return 1e-4 if self.index not in CODES else 0.06 + 0.04 * np.abs(scores)


def make(client, name, index, state):
    schema, indexes = client.create_schema(auto_id=False), client.prepare_index_params()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    for field, metric in METRICS.items():
        schema.add_field(field, DataType.FLOAT_VECTOR, dim=DIM)
        indexes.add_index(field, index_type=index, metric_type=metric, params=INDEXES[index][0])
    client.create_collection(name, schema=schema, num_shards=2, consistency_level="Strong")
    client.create_index(name, indexes)
    rows = [{"id": int(IDS[i]), "group": int(GROUP[i]), "near": VECTORS[i], "alike": VECTORS[i]} for i in range(ROWS)]
    fill(client, name, rows, state, METRICS, mixed=2 / 3)


@pytest.fixture(scope="module", params=[(index, state) for index in INDEXES for state in STATES],
                ids=lambda param: "-".join(param))
def case(request, server):
    with collection(server, make, *request.param) as name:
        yield Case(name, *request.param)


def scores_of(field, query):
    """Of all rows: a distance, or for COSINE a similarity."""
    if METRICS[field] == "L2":
        return ((VECTORS - query) ** 2).sum(1, dtype=np.float32)
    return VECTORS @ query / np.linalg.norm(VECTORS, axis=1) / np.linalg.norm(query)


def ranked(field, query, keep=None):
    """Places, the best first; ties to the smaller key."""
    scores = scores_of(field, query) * (-1 if field == "alike" else 1)
    return [i for i in np.lexsort((IDS, scores)) if keep is None or keep[i]]


def agree(case, field, query, hits, wanted, recall_min=RECALL):
    """The hits are the `wanted` places in their order, as far as the index promises that."""
    scores = scores_of(field, query)
    keys = [hit["id"] for hit in hits]
    got = [PLACE[key] for key in keys]
    distances = np.array([hit["distance"] for hit in hits])
    assert len(set(keys)) == len(keys)
    assert np.all(np.abs(distances - scores[got]) <= case.slack(scores[got]))
    steps = np.diff(distances) * (-1 if field == "alike" else 1)
    assert np.all(steps >= 0)
    if case.is_exact:
        assert got == list(wanted)
    elif len(wanted):
        assert len(hits) <= len(wanted) * 1.05 + 1
        assert len(set(got) & set(wanted)) / len(wanted) >= recall_min


# Ranks between which a range lies, and what else the search asks for.
@pytest.mark.parametrize("begin, end, group", [(0, 60, None), (0, 700, None), (300, 500, None), (900, 1400, None),
                                               (40, 400, 10)])
@pytest.mark.parametrize("field", METRICS)
def test_a_range_gives_all_that_lies_in_it(client, case, field, begin, end, group):
    keep = None if group is None else GROUP < group
    for query in QUERIES:
        all_places, scores = ranked(field, query), scores_of(field, query)
        between = (scores[all_places[end - 1]] + scores[all_places[end]]) / 2
        params = {"radius": float(between)}
        if begin:
            params["range_filter"] = float((scores[all_places[begin - 1]] + scores[all_places[begin]]) / 2)
        hits = client.search(case.name, [query], anns_field=field, limit=ROWS, search_params=case.params(**params),
                             filter="" if group is None else f"group < {group}")[0]
        wanted = [i for i in all_places[begin:end] if keep is None or keep[i]]
        agree(case, field, query, hits, wanted)


@pytest.mark.parametrize("field", METRICS)
def test_a_range_gives_its_best_and_its_pages(client, case, field):
    for query in QUERIES:
        places, scores = ranked(field, query), scores_of(field, query)
        middle = [float((scores[places[r - 1]] + scores[places[r]]) / 2) for r in (100, 600)]
        params = case.params(range_filter=middle[0], radius=middle[1])
        for offset in (0, 30):
            hits = client.search(case.name, [query], anns_field=field, limit=50, offset=offset,
                                 search_params=params)[0]
            agree(case, field, query, hits, places[100 + offset:150 + offset], recall_min=0.85)


@pytest.mark.parametrize("field", METRICS)
def test_an_empty_range_gives_nothing(client, case, field):
    best, worst = (-2.0, -3.0) if field == "alike" else (1e6, 2e6)
    hits = client.search(case.name, list(QUERIES), anns_field=field, limit=10,
                         search_params=case.params(range_filter=best, radius=worst))
    assert [list(of_query) for of_query in hits] == [[], [], []]


@pytest.mark.parametrize("field", METRICS)
def test_pages_follow_one_another(client, case, field):
    keep = GROUP < 20
    kept = int(keep.sum())
    pages = {offset: client.search(case.name, list(QUERIES), anns_field=field, limit=120, offset=offset,
                                   filter="group < 20", search_params=case.params())
             for offset in (0, 120, 240, kept - 40, kept, kept + 200)}
    for q, query in enumerate(QUERIES):
        places = ranked(field, query, keep)
        for offset, found in pages.items():
            agree(case, field, query, found[q], places[offset:offset + 120], recall_min=0.9)
        assert len(pages[kept - 40][q]) == 40 and not pages[kept][q] and not pages[kept + 200][q]


@pytest.mark.parametrize("size", [1, 3])
def test_groups_have_their_best_rows(client, case, size):
    found = client.search(case.name, list(QUERIES), anns_field="near", limit=15, group_by_field="group",
                          group_size=size, strict_group_size=True, output_fields=["group"],
                          search_params=case.params())
    for query, hits in zip(QUERIES, found):
        groups = {}
        for place in ranked("near", query):
            groups.setdefault(GROUP[place], []).append(place)
        wanted = [place for places in list(groups.values())[:15] for place in places[:size]]
        got = [PLACE[hit["id"]] for hit in hits]
        assert len(got) == len(set(got)) == 15 * size
        scores = scores_of("near", query)
        distances = np.array([hit["distance"] for hit in hits])
        assert np.all(np.abs(distances - scores[got]) <= case.slack(scores[got]))
        assert [hit["entity"]["group"] for hit in hits] == [GROUP[place] for place in got]
        if case.is_exact:
            assert got == wanted
        elif case.index in CODES:  # Another group than the best one has a head that is nearly as good.
            heads, best = scores[got[::size]], scores[wanted[::size]]
            assert np.all(np.abs(heads - best) <= 2 * case.slack(best))
        else:
            assert len(set(got) & set(wanted)) / len(wanted) >= 0.9


@pytest.mark.parametrize("field", METRICS)
def test_an_iterator_gives_every_row_once(client, case, field):
    iterator = client.search_iterator(case.name, [QUERIES[0]], 170, anns_field=field, search_params=case.params(),
                                      consistency_level="Strong")
    pages = []
    while page := iterator.next():
        pages.append([hit["id"] for hit in page])
    iterator.close()
    got = [PLACE[key] for page in pages for key in page]
    assert sorted(got) == list(range(ROWS))
    wanted = ranked(field, QUERIES[0])
    if case.is_exact:
        assert got == wanted
    else:
        assert len(set(got[:170]) & set(wanted[:170])) / 170 >= 0.9
