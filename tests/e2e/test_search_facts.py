"""Facts about searches and queries that stand in no other file: what is in an answer, how scores are rounded, what is
ignored and what is refused."""
import json

import numpy as np
import pytest
from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.grpc_gen import milvus_pb2
from search_data import hits_of, raw_search
from support import count, refused
from wire import query_request

DIM, ROWS = 4, 60
RANDOM = np.random.default_rng(31)
DENSE = RANDOM.normal(size=(ROWS, DIM)).astype(np.float32)
QUERY = RANDOM.normal(size=DIM).astype(np.float32)
WORDS = ["red", "kite", "owl", "night", "hedge", "wren"]
TEXTS = [" ".join(RANDOM.choice(WORDS, 4)) for _ in range(ROWS)]


def fields_of(answer):
    return {field.field_name: field for field in answer.results.fields_data}


@pytest.fixture(scope="module")
def name(server):
    """Rows with a dynamic field, a text and one vector that may be null; half of them sealed."""
    client, made = MilvusClient(uri=server.uri), "search_facts"
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("maybe", DataType.FLOAT_VECTOR, dim=DIM, nullable=True)
    client.create_collection(made, schema=schema, consistency_level="Strong")
    indexes = client.prepare_index_params()
    indexes.add_index("dense", index_type="FLAT", metric_type="COSINE")
    indexes.add_index("maybe", index_type="FLAT", metric_type="L2")
    client.create_index(made, indexes)
    client.load_collection(made)
    rows = [{"id": i, "group": i % 7, "dense": DENSE[i], "maybe": None if i % 3 == 0 else DENSE[i], "tag": f"t{i}",
             "deep": {"x": i}, **({"rare": i} if i % 10 == 0 else {})} for i in range(ROWS)]
    client.insert(made, rows[:ROWS // 2])
    client.flush(made)
    client.insert(made, rows[ROWS // 2:])
    yield made
    client.drop_collection(made)
    client.close()


def cosine(query=QUERY):
    return DENSE @ query / np.linalg.norm(DENSE, axis=1) / np.linalg.norm(query)


def test_rounded_scores_are_merged_and_ties_go_to_the_smaller_key(call, name):
    got = hits_of(raw_search(call, name, [QUERY], topk=25, round_decimal=1))[0]
    rounded = np.floor(np.abs(cosine()) * 10 + 0.5) / 10 * np.sign(cosine())
    order = np.lexsort((np.arange(ROWS), -rounded))[:25]
    assert [key for key, _ in got] == order.tolist()
    np.testing.assert_allclose([score for _, score in got], rounded[order], atol=1e-6)


def test_the_rows_of_all_segments_searched_are_told(call, name):
    def told(**more):
        return raw_search(call, name, [QUERY, QUERY], **more).results.all_search_count
    assert told() == ROWS and told(topk=1, filter_text="group > 5") == ROWS
    # What a sealed segment's statistics rule out is not searched.
    assert told(filter_text="group > 99") == ROWS // 2
    assert told(ignore_growing="true") == ROWS // 2
    assert told(group_by_field="group", group_size="3", strict_group_size="true") == ROWS
    assert told(enable_recall_calculation="true") == ROWS
    parts = [raw_search(None, name, [QUERY], topk=3) for _ in range(2)]
    hybrid = milvus_pb2.HybridSearchRequest(collection_name=name, requests=parts)
    hybrid.rank_params.add(key="limit", value="3")
    assert call("HybridSearch", hybrid).results.all_search_count == 2 * ROWS


def test_a_query_of_zeros_scores_zero(call, name):
    got = hits_of(raw_search(call, name, [np.zeros(DIM)], topk=3))[0]
    assert got == [(0, 0.0), (1, 0.0), (2, 0.0)]


def test_the_key_is_a_column_only_where_it_is_named(call, name):
    assert set(fields_of(raw_search(call, name, [QUERY], output=["group"]))) == {"group"}
    assert set(fields_of(raw_search(call, name, [QUERY], output=["group", "id"]))) == {"group", "id"}
    assert list(fields_of(raw_search(call, name, [QUERY], output=["id", "group"]))) == ["group", "id"], "it is last"
    everything = raw_search(call, name, [QUERY], output=["*"])
    assert list(fields_of(everything))[-1] == "id"
    assert set(fields_of(everything)) == {"id", "group", "dense", "maybe", "$meta"}
    assert not raw_search(call, name, [QUERY]).results.fields_data
    assert everything.results.primary_field_name == "id"


def test_no_hits_and_no_rows_are_a_success_with_empty_columns(call, name):
    answer = raw_search(call, name, [QUERY, QUERY], output=["group", "dense"], filter_text="group > 99")
    assert answer.status.code == 0 and list(answer.results.topks) == [0, 0] and answer.results.num_queries == 2
    assert set(fields_of(answer)) == {"group", "dense"} and not answer.results.scores
    request = query_request(name, "group > 99", output=["group"])
    answer = call("Query", request)
    assert answer.status.code == 0
    assert {field.field_name for field in answer.fields_data} == {"id", "group"}
    assert all(not field.scalars.long_data.data for field in answer.fields_data)


def test_dynamic_keys_come_as_they_are_asked_for(client, call, name):
    def ask(text, fields):
        return [dict(row) for row in client.query(name, filter=text, output_fields=fields)]
    assert ask("id in [10, 11]", [" tag ", "rare"]) == [{"id": 10, "tag": "t10", "rare": 10}, {"id": 11, "tag": "t11"}]
    one = fields_of(raw_search(call, name, [QUERY], output=['$meta["tag"]'], filter_text="id == 10"))
    assert json.loads(one["$meta"].scalars.json_data.data[0]) == {"tag": "t10"} and one["$meta"].is_dynamic
    assert ask("id == 11", ["$meta"]) == [{"id": 11, "tag": "t11", "deep": {"x": 11}}]
    for deeper in ('$meta["deep"]["x"]', 'deep["x"]'):
        assert raw_search(call, name, [QUERY], output=[deeper]).status.code == 1100


@pytest.mark.parametrize("text", ["count(*)", "Sum(group)", "max( group )", "avg(tag)"])
def test_a_search_answers_no_aggregates(call, name, text):
    status = raw_search(call, name, [QUERY], output=[text]).status
    assert status.code == 1100 and "aggregate" in status.reason
    parts = [raw_search(None, name, [QUERY], topk=3)]
    hybrid = milvus_pb2.HybridSearchRequest(collection_name=name, requests=parts, output_fields=[text])
    hybrid.rank_params.add(key="limit", value="3")
    assert call("HybridSearch", hybrid).status.code == 1100


def test_numbers_may_be_written_in_other_bases(call, name):
    for text, hits in (("0x0a", 10), ("0b11", 3), ("010", 8), ("+5", 5)):
        assert len(hits_of(raw_search(call, name, [QUERY], topk=text))[0]) == hits
    assert raw_search(call, name, [QUERY], topk="ten").status.code == 1100


def test_what_is_not_known_is_ignored(call, name):
    usual = hits_of(raw_search(call, name, [QUERY]))
    assert hits_of(raw_search(call, name, [QUERY], level=3, colour="red", params="")) == usual


def test_what_older_clients_say_is_ignored(call, name):
    """A moment to travel to, and a flag that came before ids."""
    usual = hits_of(raw_search(call, name, [QUERY]))
    request = raw_search(None, name, [QUERY])
    request.travel_timestamp, request.search_by_primary_keys = 5, True
    assert hits_of(call("Search", request)) == usual
    query = query_request(name, "id < 3")
    query.travel_timestamp = 5
    assert list(call("Query", query).fields_data[0].scalars.long_data.data) == [0, 1, 2]


def test_names_of_output_fields_are_trimmed(call, name):
    answer = raw_search(call, name, [QUERY], output=[" group ", "tag  "])
    assert answer.status.code == 0, answer.status
    assert set(fields_of(answer)) == {"group", "$meta"}
    for wrong in ('$meta["deep"]["x"]', 'deep["x"]["y"]["z"]'):
        assert raw_search(call, name, [QUERY], output=[wrong]).status.code == 1100, wrong


def test_the_single_group_field_wins(call, name):
    answer = raw_search(call, name, [QUERY], group_by_field="group", group_by_fields="id", topk=50)
    assert len(hits_of(answer)[0]) == 7
    assert answer.results.HasField("group_by_field_value") and not answer.results.group_by_field_values


def test_the_first_form_of_iterators_may_ask_for_too_much(call, name):
    assert raw_search(call, name, [QUERY], topk=99_999).status.code == 1100
    answer = raw_search(call, name, [QUERY], topk=99_999, iterator="True")
    assert len(hits_of(answer)[0]) == ROWS and answer.session_ts > 0
    request = raw_search(None, name, [QUERY], topk=5, iterator="True")
    request.guarantee_timestamp, request.consistency_level = answer.session_ts, 4
    later = call("Search", request)
    assert later.status.code == 0 and later.session_ts == 0


def test_rows_without_a_vector_are_no_queries(call, name):
    answer = raw_search(call, name, [], ids=[0, 1, 3], anns_field="maybe", topk=2)
    found = hits_of(answer)
    assert [len(hits) for hits in found] == [0, 2, 0] and found[1][0] == (1, 0.0)
    answer = raw_search(call, name, [], ids=[0, 3], anns_field="maybe", topk=2, output=[])
    assert answer.status.code == 0 and list(answer.results.topks) == [0, 0] and answer.results.num_queries == 2
    text = raw_search(None, name, [], ids=[0], anns_field="maybe")
    text.ids.str_id.data.append("0")
    assert call("Search", text).status.code == 1100


def test_the_offset_of_a_query_counts_with_a_limit_only(call, name):
    def keys(**params):
        answer = call("Query", query_request(name, "id < 9", **params))
        assert answer.status.code == 0, answer.status
        return list(answer.fields_data[0].scalars.long_data.data)
    assert keys(offset="5") == list(range(9))
    assert keys(offset="5", limit="2") == [5, 6]


def test_a_guarantee_of_the_far_future_is_refused_at_once(call, name):
    request = raw_search(None, name, [QUERY])
    request.consistency_level, request.guarantee_timestamp = 4, 1 << 62
    assert call("Search", request, timeout=5).status.code == 11


@pytest.mark.parametrize("sealed", [False, True])
def test_a_key_that_is_inserted_twice_is_two_rows_and_one_answer(client, sealed):
    own = f"twice_{sealed}".lower()
    client.drop_collection(own)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT64)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection(own, schema=schema, consistency_level="Strong")
    indexes = client.prepare_index_params()
    indexes.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_index(own, indexes)
    client.load_collection(own)
    client.insert(own, [{"id": 1, "n": 1, "v": [0.0, 0.0]}, {"id": 2, "n": 1, "v": [5.0, 5.0]}])
    if sealed:
        client.flush(own)
    client.insert(own, [{"id": 1, "n": 2, "v": [9.0, 9.0]}])
    assert count(client, own) == 3
    assert [dict(row) for row in client.query(own, filter="id == 1", output_fields=["n"])] == [{"id": 1, "n": 2}]
    near, far = (client.search(own, [[at, at]], limit=3, output_fields=["n"])[0] for at in (0.0, 9.0))
    assert [(hit["id"], hit["entity"]["n"]) for hit in near] == [(1, 1), (2, 1)]
    assert [(hit["id"], hit["entity"]["n"]) for hit in far] == [(1, 2), (2, 1)]
    client.delete(own, ids=[1])
    assert count(client, own) == 1
    client.drop_collection(own)


def test_a_text_is_searched_by_the_keys_of_rows(client, call):
    own = "facts_of_texts"
    client.drop_collection(own)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=200, enable_analyzer=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["words"]))
    client.create_collection(own, schema=schema, consistency_level="Strong")
    indexes = client.prepare_index_params()
    indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_index(own, indexes)
    client.load_collection(own)
    client.insert(own, [{"id": i, "text": text} for i, text in enumerate(TEXTS)])
    by_text = client.search(own, [TEXTS[3], TEXTS[8]], anns_field="words", limit=5)
    by_key = hits_of(raw_search(call, own, [], ids=[3, 8], anns_field="words", topk=5))
    for wanted, got in zip(by_text, by_key):
        assert [hit["id"] for hit in wanted] == [key for key, _ in got]
        np.testing.assert_allclose([hit["distance"] for hit in wanted], [score for _, score in got], rtol=1e-5)
    with refused(1100):
        client.search(own, [[0.5, 0.5]], anns_field="words", limit=1)
    client.drop_collection(own)
