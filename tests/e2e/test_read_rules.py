"""What searches and queries accept and refuse, each with its code: the contract's statements, one a line."""
import numpy as np
import pytest
from pymilvus import DataType, Function, FunctionType, MilvusClient
from pymilvus.grpc_gen import common_pb2, schema_pb2
from search_data import hits_of, raw_search
from wire import query_request

NAME = "read_rules"


@pytest.fixture(scope="module")
def name(server):
    """A field of nearly every kind, of rows that are not flushed."""
    client = MilvusClient(uri=server.uri)
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    for field, kind, more in (("n", DataType.INT32, {}), ("f", DataType.FLOAT, {}), ("d", DataType.DOUBLE, {"nullable": True}),
                              ("b", DataType.BOOL, {}), ("t", DataType.VARCHAR, {"max_length": 50, "enable_analyzer": True}),
                              ("j", DataType.JSON, {}),
                              ("a", DataType.ARRAY, {"element_type": DataType.INT64, "max_capacity": 4}),
                              ("v", DataType.FLOAT_VECTOR, {"dim": 4}), ("bits", DataType.BINARY_VECTOR, {"dim": 8}),
                              ("words", DataType.SPARSE_FLOAT_VECTOR, {})):
        schema.add_field(field, kind, **more)
    schema.add_function(Function(name="bm25", function_type=FunctionType.BM25, input_field_names=["t"],
                                 output_field_names=["words"]))
    client.create_collection(NAME, schema=schema, consistency_level="Strong")
    indexes = client.prepare_index_params()
    indexes.add_index("v", index_type="HNSW", metric_type="L2", params={"M": 8})
    indexes.add_index("bits", index_type="BIN_FLAT", metric_type="HAMMING")
    indexes.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_index(NAME, indexes)
    client.load_collection(NAME)
    random = np.random.default_rng(1)
    client.insert(NAME, [{"id": i, "n": i % 5, "f": i / 2, "d": None if i % 4 == 0 else i / 3, "b": i % 2 == 0,
                          "t": f"red word{i % 3}", "j": {"k": i % 3, "x": {"y": i}}, "a": [i],
                          "v": random.normal(size=4).tolist(), "bits": bytes([i]), "dyn": i} for i in range(50)])
    yield NAME
    client.drop_collection(NAME)
    client.close()


GROUPS = {"output": ("n", "count(*)"), "group_by_fields": "n"}
PAGE = {"limit": "3"}
# Code, filter, and what else the query says.
QUERIES = [
    # A filter that is always true wants a limit, which is a positive number; an offset counts with it.
    (1100, "", {}), (1100, "1 == 1", {}), (1100, "not (1 == 2)", {}), (0, "", PAGE), (1100, "", {"limit": "0"}),
    (1100, "", {"limit": "-1"}), (1100, "", {"limit": "x"}), (1100, "", {**PAGE, "offset": "-1"}),
    (1100, "id > 0", {"limit": "16385"}), (1100, "id > 0", {"limit": "16384", "offset": "1"}),
    # Counts and sums.
    (0, "", {"output": ("count(*)",)}), (0, "", {"output": ("COUNT(*)",)}), (1100, "", {"output": ("count(*)",), **PAGE}),
    (1100, "", {"output": ("count(*)", "n")}), (1100, "id > 0", {"output": ("count(nobody)",)}),
    (1100, "id > 0", {"output": ("sum(t)",)}), (1100, "id > 0", {"output": ("avg(b)",)}),
    (1100, "id > 0", {"output": ("sum(*)",)}), (1100, "id > 0", {"output": ("min(j)",)}),
    (0, "id > 0", {"output": ("min(t)", "max(t)")}),
    (0, "id > 0", GROUPS), (0, "id > 0", {**GROUPS, "limit": "2"}), (1100, "id > 0", {**GROUPS, "output": ("t", "count(*)")}),
    (1100, "id > 0", {"output": ("f", "count(*)"), "group_by_fields": "f"}),
    (1100, "id > 0", {**GROUPS, **PAGE, "order_by_fields": "count(*)"}),
    # An order wants a limit, is none of an iterator's, and not of JSON.
    (1100, "id > 0", {"order_by_fields": "n"}), (0, "id > 0", {**PAGE, "order_by_fields": "n"}),
    (1100, "id > 0", {**PAGE, "order_by_fields": "n", "iterator": "True"}),
    *[(1100, "id > 0", {**PAGE, "order_by_fields": field}) for field in ("j", 'j["k"]', "dyn", "v", "n:sideways")],
    # Parameters that are no value of theirs.
    (1100, "id > 0", {"iterator": "maybe"}), (1100, "id > 0", {"reduce_stop_for_best": "maybe"}),
    (1100, "id > 0", {"ignore_growing": "maybe"}), (1100, "id > 0", {"collection_id": "5"}),
    (1100, "id > 0", {"collection_id": "x"}), (1100, "id > 0", {"timezone": "No/where"}),
    (1100, "id > 0", {**PAGE, "query_iter_last_pk": "3"}),
    (1100, "id > 0", {**PAGE, "query_iter_last_pk": "3", "query_iter_last_element_offset": "0"}),
    # Output fields.
    (1100, "id == 1", {"output": ('dyn["x"]["y"]',)}), (1100, "id == 1", {"output": ("words",)}),
    (0, "id == 1", {"output": ("*",)}), (0, "id == 1", {"output": ("$meta",)}), (0, "id == 1", {"output": ('$meta["dyn"]',)}),
]


@pytest.mark.parametrize("code, filter_text, params", QUERIES)
def test_a_query_is_answered_or_refused(call, name, code, filter_text, params):
    params = dict(params)
    status = call("Query", query_request(name, filter_text, params.pop("output", ("id",)), **params)).status
    assert status.code == code, status.reason


GROUP, RANGE = {"group_by_field": "n"}, {"params": {"radius": 5}}
SEARCHES = [
    (1100, {"output": ("words",)}), (0, {"output": ("*",)}), (1100, {"output": ("count(*)",)}),
    # The field, and what is asked for.
    (1100, {"anns_field": "n"}), (1700, {"anns_field": "nobody"}), (1100, {"anns_field": ""}), (1100, {"anns_field": "words"}),
    (1100, {"params": {"range_filter": 1}}), (2000, {"params": {"radius": 1, "range_filter": 5}}),
    (1100, {"params": {"radius": "x"}}), (2000, {"hints": "fast"}), (0, {"hints": "disable"}),
    (0, {"hints": "iterative_filter", "filter_text": "n == 1"}), (1101, {"search_iter_v2": "True"}),
    # Groups.
    *[(0, {"group_by_field": field}) for field in ("id", "b", "t", 'j["k"]', "dyn")],
    *[(2001, {"group_by_field": field}) for field in ("f", "d", "a")],
    (1100, {"group_by_fields": "n,b,n"}), (1100, {**GROUP, **RANGE}), (1100, {**GROUP, "iterator": "True"}),
    # Orders.
    *[(0, {"order_by_fields": order}) for order in ("d:DESC:nulls_first", 'j["x"]["y"]:desc', "dyn", "n:asc,t")],
    *[(1100, {"order_by_fields": order}) for order in ("a", "v", "n:up", "n:asc:nulls_middle")],
    (1100, {"order_by_fields": "n", "iterator": "True"}), (1100, {"order_by_fields": "n", "group_by_fields": "n,b"}),
    # Numbers, bools and metrics are read as the contract's.
    *[(0, {"ignore_growing": text}) for text in ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE")],
    *[(1100, {"ignore_growing": text}) for text in ("yes", "tRue", "2")],
    (0, {"params": {"ignore_growing": True}}), (1100, {"params": {"ignore_growing": "maybe"}}),
    (0, {"offset": "0x2", "topk": "0b11"}), (1100, {"offset": "two"}), (1100, {"metric_type": "l2"}),
    (1100, {"group_size": "0"}), (1100, {"group_size": "x"}), (1100, {"strict_group_size": "maybe", **GROUP}),
    # The ends of a range may not be one, whatever the metric.
    (2000, {"params": {"radius": 3, "range_filter": 3}}), (2000, {"params": {"radius": 3, "range_filter": 4}}),
    (0, {"params": {"radius": 4, "range_filter": 3}}), (0, {"params": {"radius": -1}}),
    # Groups of many fields, of what has no groups, and casts that are none.
    (1100, {"group_by_fields": "id,n,b,t,dyn,x1,x2,x3,x4,x5,x6"}), (2001, {"group_by_field": "v"}),
    (1100, {"group_by_field": 'j["k"]', "json_type": "Nothing"}), (1100, {"group_by_field": "j", "json_path": "k"}),
    (1100, {"group_by_field": 'j["k"]', "strict_cast": "maybe"}),
    # Scopes of elements, zones and parts of moments; a namespace, which no collection has.
    (1100, {"params": {"element_scope": {"collapse": {"strategy": "max"}}}}),
    (1100, {"timezone": "No/where"}), (1100, {"time_fields": "year,week"}), (0, {"time_fields": "year, day hour"}),
    # A search for the second form of iterators is checked whole.
    *[(code, {"iterator": "True", "search_iter_v2": "True", "search_iter_batch_size": "3", **more}) for code, more in (
        (0, {}), (0, {"params": {"radius": 5}}), (1100, {"search_iter_batch_size": "x"}), (1100, {"offset": "1"}),
        (1100, {"search_iter_last_bound": "nan"}), (1100, {"search_iter_id": "1234"}))],
]


@pytest.mark.parametrize("code, params", SEARCHES)
def test_a_search_is_answered_or_refused(call, name, code, params):
    status = raw_search(call, name, [[1, 2, 3, 4]], **{"anns_field": "v", **params}).status
    assert status.code == code, status.reason


def found(call, name, **params):
    return [key for key, _ in hits_of(raw_search(call, name, [[1, 2, 3, 4]], **{"anns_field": "v", **params}))[0]]


def test_parameters_of_an_index_are_read_in_their_object_alone(call, name):
    usual = found(call, name)
    assert len(found(call, name, params={"radius": 0.5})) < len(usual) == 10
    for flat in ({"radius": "0.5"}, {"ef": "x"}, {"range_filter": "7"}, {"nprobe": "0"}):
        assert found(call, name, **flat) == usual, flat
    answer = raw_search(call, name, [[1, 2, 3, 4]], anns_field="v", topk=3, offset=4)
    assert list(answer.results.ids.int_id.data) == usual[4:7], "offset skips the best"
    assert (answer.results.num_queries, answer.results.top_k, list(answer.results.topks)) == (1, 3, [3])
    assert len(answer.results.scores) == 3 and not answer.results.distances and answer.session_ts == 0
    few = raw_search(call, name, [[1, 2, 3, 4]] * 2, anns_field="v", topk=30, filter_text="id < 4", order_by_fields="n:desc")
    assert list(few.results.topks) == [4, 4] and few.results.top_k == 4, "the most that a query has"
    assert list(few.results.ids.int_id.data) == [3, 2, 1, 0] * 2


def test_namespaces_are_refused(call, name):
    search, query = raw_search(None, name, [[1, 2, 3, 4]], anns_field="v"), query_request(name, "id == 1")
    for method, request in (("Search", search), ("Query", query)):
        setattr(request, "namespace", "mine")
        assert call(method, request).status.code == 10


@pytest.mark.parametrize("field, bound", [("v", -1), ("words", 1)])
def test_an_iterator_of_nothing_ends_before_it_begins(call, name, field, bound):
    request = searched_with(name, *({"v": (common_pb2.PlaceholderType.FloatVector, bytes(16)),
                                     "words": (common_pb2.PlaceholderType.VarChar, b"red")}[field]), anns_field=field,
                            filter_text="id < 0", iterator="True", search_iter_v2="True", search_iter_batch_size="3")
    page = call("Search", request).results.search_iterator_v2_results
    assert page.last_bound == bound * np.finfo(np.float32).max


@pytest.mark.parametrize("text, count", [("id in [1, 2, 900]", 3), ("id == 901", 1), ("id in [3, 902] and n >= 0", 1),
                                         ("n == 99", 0)])
def test_deletes_count_keys_that_are_sent_or_rows_that_are_found(client, text, count):
    own = "read_rules_deleted"
    client.create_collection(own, dimension=2)
    client.insert(own, [{"id": i, "vector": [i, 0], "n": i} for i in range(5)])
    assert client.delete(own, filter=text)["delete_count"] == count
    client.drop_collection(own)


def searched_with(name, kind, value, repeat=1, **params):
    """A search with one placeholder's value of that kind."""
    group = common_pb2.PlaceholderGroup()
    for _ in range(repeat):
        group.placeholders.add(tag="$0", type=kind).values.append(value)
    request = raw_search(None, name, [], **{"anns_field": "v", **params})
    request.placeholder_group = group.SerializeToString()
    return request


@pytest.mark.parametrize("code, kind, value, params", [
    (1100, "VarChar", b"red", {}), (0, "VarChar", b"red", {"anns_field": "words"}),
    (1100, "VarChar", b"red", {"anns_field": "words", "metric_type": "IP"}), (1100, "BinaryVector", b"r", {}),
    (0, "BinaryVector", b"r", {"anns_field": "bits"}), (1100, "FloatVector", bytes(16), {"anns_field": "bits"}),
    (1100, "FloatVector", bytes(16), {"repeat": 2}), (0, "FloatVector", bytes(16), {})])
def test_a_query_fits_its_field(call, name, code, kind, value, params):
    status = call("Search", searched_with(name, getattr(common_pb2.PlaceholderType, kind), value, **params)).status
    assert status.code == code, status.reason


GAUSS = {"function": "gauss", "origin": "0", "scale": "1"}


@pytest.mark.parametrize("code, reranker, params, inputs", [
    (0, "decay", GAUSS, ["n"]), (0, "Decay", {"FUNCTION": "gauss", "Origin": "0", "scale": "1", "norm_score": "maybe"}, ["n"]),
    *[(1100, "decay", GAUSS, [field]) for field in ("t", "b", "j", "a", "v", "dyn")], (0, "decay", GAUSS, ["f"]),
    (0, "decay", {**GAUSS, "decay": "0.001"}, ["d"]), (0, "decay", {**GAUSS, "decay": "0.999"}, ["id"]),
    (1100, "decay", {**GAUSS, "score_mode": "min"}, ["n"]), (1100, "decay", {**GAUSS, "scale": "-1"}, ["n"]),
    (1101, "decay", {"origin": "0", "scale": "1"}, ["n"]), (1100, "decay", GAUSS, ["n", "f"]),
    (1100, "rrf", {"k": "16384"}, []), (1100, "rrf", {"k": "x"}, []), (0, "rrf", {"k": "16383"}, []),
    (1100, "weighted", {"weights": "[-0.1]"}, []), (1100, "weighted", {"weights": "0.5"}, []), (1100, "weighted", {"weights": "[1]", "norm_score": "maybe"}, []),
    (1100, "weighted", {"weights": "[1.5]"}, []), (1100, "weighted", {}, []), (0, "weighted", {"weights": "[1]"}, []),
    (1100, "rrf", {"k": "0"}, []), (0, "RRF", {"k": "10"}, []), (1100, "boost", {}, []),
    (1100, "boost", {"weight": "2", "filter": "nobody(("}, []), (1100, "boost", {"weight": "2", "random_score": '{"seed": "x"}'}, []),
    (1100, "boost", {"weight": "2", "random_score": '{"seed": 1, "field": "t"}'}, []), (1100, "model", {"provider": "tei"}, ["t"])])
def test_a_reranker_is_taken_or_refused(call, name, code, reranker, params, inputs):
    request = raw_search(None, name, [[1, 2, 3, 4]], anns_field="v")
    made = request.function_score.functions.add(name="f", type=schema_pb2.FunctionType.Rerank, input_field_names=inputs)
    for key, value in {"reranker": reranker, **params}.items():
        made.params.add(key=key, value=value)
    status = call("Search", request).status
    assert status.code == code, status.reason
