"""What structs, functions and dynamic columns may be, rule by rule, each with its code; messages are made by hand."""
import json
import math

import pytest
from pymilvus.grpc_gen import milvus_pb2, schema_pb2
from support import DIM, add_index, count
from test_schema_rules import KEY, VECTOR, create, default, elements, field
from wire import column, insert_request, status_of

# --- Structs ---------------------------------------------------------------------------------------------------------


def part(name, element="Int64", kind="Array", **more):
    params = more.pop("params", {"max_capacity": 4, **({"max_length": 8} if element == "VarChar" else {}),
                                 **({"dim": DIM} if kind == "ArrayOfVector" else {})})
    return field(name, kind, element_type=getattr(schema_pb2, element), params=params, **more)


def struct(*parts, name="things", **more):
    return schema_pb2.StructArrayFieldSchema(name=name, fields=parts, **more)


NUMBER, CLIP = part("number"), part("clip", "FloatVector", "ArrayOfVector")
REFUSED_STRUCTS = {
    "without parts": (1100, struct()),
    "a part that is no array": (1100, struct(NUMBER, field("x", "Int64"))),
    "a vector that is no list": (1100, struct(NUMBER, field("x", "FloatVector", params={"dim": 4}))),
    "lists of sparse vectors": (1100, struct(NUMBER, part("x", "SparseFloatVector", "ArrayOfVector"))),
    "arrays of JSON": (1100, struct(NUMBER, part("x", "JSON"))),
    "arrays of arrays": (1100, struct(NUMBER, part("x", "Array"))),
    "a part without max_capacity": (1101, struct(part("x", params={}))),
    "max_capacity 0": (1100, struct(part("x", params={"max_capacity": 0}))),
    "max_capacity 4097": (1100, struct(part("x", params={"max_capacity": 4097}))),
    "capacities that differ": (1100, struct(NUMBER, part("x", params={"max_capacity": 5}))),
    "texts without max_length": (1101, struct(part("x", "VarChar", params={"max_capacity": 4}))),
    "vectors without dim": (1100, struct(part("x", "FloatVector", "ArrayOfVector", params={"max_capacity": 4}))),
    "dim 1": (1100, struct(part("x", "FloatVector", "ArrayOfVector", params={"max_capacity": 4, "dim": 1}))),
    "bits of dim 12": (1100, struct(part("x", "BinaryVector", "ArrayOfVector",
                                         params={"max_capacity": 4, "dim": 12}))),
    "a part that is a primary key": (1100, struct(part("x", is_primary_key=True))),
    "a part that is a partition key": (105, struct(part("x", is_partition_key=True))),
    "a part that is a clustering key": (105, struct(part("x", is_clustering_key=True))),
    "a part with auto ids": (1100, struct(part("x", autoID=True))),
    "a part with a default": (1100, struct(part("x", **default(long_data=1)))),
    "the same part twice": (1100, struct(NUMBER, NUMBER)),
    "a part with a bad name": (1701, struct(part("1x"))),
    "a part with a system name": (1701, struct(part("RowID"))),
    "a name that a field has": (1100, struct(NUMBER, name="id")),
    "a bad name": (1701, struct(NUMBER, name="a b")),
    "a system name": (1701, struct(NUMBER, name="Timestamp")),
}


@pytest.mark.parametrize("what", list(REFUSED_STRUCTS))
def test_a_struct_that_may_not_be_has_its_code(client, call, name, what):
    code, bad = REFUSED_STRUCTS[what]
    status = call("CreateCollection", create(name, KEY, VECTOR, struct_array_fields=[bad]))
    assert status.code == code, status.reason
    assert not client.has_collection(name)


def test_structs_and_their_parts_count_as_fields(client, call, name):
    def many(parts):
        return create(name, KEY, VECTOR, struct_array_fields=[struct(*(part(f"p{i}") for i in range(parts)))])
    assert call("CreateCollection", many(62)).code == 1100, "65 with the struct"
    assert call("CreateCollection", create(name, KEY, VECTOR, struct_array_fields=[
        struct(*(part(f"v{i}", "FloatVector", "ArrayOfVector") for i in range(10)))])).code == 1100, "11 vectors"
    assert call("CreateCollection", create(name, KEY, VECTOR, struct_array_fields=[
        struct(NUMBER), struct(part("other"))])).code == 1100, "two of one name"
    assert call("CreateCollection", many(61)).code == 0


def lists(rows, dim=DIM, element="FloatVector"):
    data = schema_pb2.FieldData(field_name="clip", type=schema_pb2.ArrayOfVector)
    data.vectors.dim = dim
    data.vectors.vector_array.dim = dim
    data.vectors.vector_array.element_type = getattr(schema_pb2, element)
    for row in rows:
        one = data.vectors.vector_array.data.add(dim=dim)
        one.float_vector.data.extend(row)
    return data


def things(*parts, name="things"):
    data = schema_pb2.FieldData(field_name=name, type=schema_pb2.ArrayOfStruct)
    data.struct_arrays.fields.extend(parts)
    return data


def numbers(rows, name="number"):
    return elements(name, "Int64", rows, "long_data")


TWO = [0.5] * (2 * DIM)
REFUSED_THINGS = {
    "of another type": numbers([[1], [2]], "things"),
    "a part too few": things(numbers([[1], [2]])),
    "a part too many": things(numbers([[1], [2]]), lists([TWO, TWO]), numbers([[1], [2]], "more")),
    "an unknown part": things(numbers([[1, 2], [1, 2]], "other"), lists([TWO, TWO])),
    "lengths that differ": things(numbers([[1, 2], [1]]), lists([TWO, TWO])),
    "another number of rows": things(numbers([[1, 2]]), lists([TWO])),
    "more than max_capacity": things(numbers([[1] * 5, []]), lists([[0.5] * (5 * DIM), []])),
    "half a vector": things(numbers([[1], []]), lists([[0.5] * (DIM - 1), []])),
    "vectors of another dim": things(numbers([[1], []]), lists([[0.5] * 4, []], dim=4)),
    "a vector that is none": things(numbers([[1], []]), lists([[math.nan] * DIM, []])),
    "elements of another kind": things(elements("number", "VarChar", [["a"], []], "string_data"),
                                       lists([[0.5] * DIM, []])),
}


def test_structs_of_rows_that_may_not_be_have_their_code(client, call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR, struct_array_fields=[struct(NUMBER, CLIP)])).code == 0
    plain = [column("id", "Int64", [1, 2]), column("vector", "FloatVector", [0.5] * (2 * DIM), DIM)]
    for what, bad in REFUSED_THINGS.items():
        for upsert in (False, True):
            answer = call("Upsert" if upsert else "Insert", insert_request(name, [*plain, bad], rows=2, upsert=upsert))
            assert answer.status.code == 1100, (what, answer.status)
    assert status_of(call("Insert", insert_request(name, plain, rows=2))).code == 1100, "the struct is missing"
    good = things(numbers([[1, 2], []]), lists([TWO, []]))
    assert call("Insert", insert_request(name, [*plain, good], rows=2)).insert_cnt == 2


# --- Functions -------------------------------------------------------------------------------------------------------

TEXT = field("text", "VarChar", params={"max_length": 100, "enable_analyzer": "true"})
PLAIN = field("plain", "VarChar", params={"max_length": 100})
COUNTS, SIGN = field("counts", "SparseFloatVector"), field("sign", "BinaryVector", params={"dim": 64})


def function(kind="BM25", name="f", inputs=("text",), outputs=("counts",), **params):
    number = kind if isinstance(kind, int) else getattr(schema_pb2, kind)
    made = schema_pb2.FunctionSchema(name=name, type=number, input_field_names=inputs, output_field_names=outputs)
    for key, value in params.items():
        made.params.add(key=key, value=value)
    return made


def signs(**params):
    return function("MinHash", outputs=["sign"], **params)


REFUSED_FUNCTIONS = {
    "no name": (1101, function(name="")), "no input": (1101, function(inputs=[])),
    "no output": (1101, function(outputs=[])), "an empty input": (1101, function(inputs=[""])),
    "an empty output": (1101, function(outputs=[""])), "an input twice": (1100, function(inputs=["text", "text"])),
    "an output twice": (1100, function(outputs=["counts", "counts"])),
    "an input that is the output": (1100, function(outputs=["text"])),
    "an unknown input": (1100, function(inputs=["what"])), "an unknown output": (1100, function(outputs=["what"])),
    "a name twice": (1100, [function(), function(outputs=["counts2"])]),
    "an output of two": (1100, [function(), function(name="g")]),
    "the key as output": (1100, function(outputs=["id"])), "an unknown type": (1100, function(0)),
    "a reranker": (1100, function("Rerank")),
    "BM25 with params": (1100, function(k="1")), "BM25 of two texts": (1100, function(inputs=["text", "plain"])),
    "BM25 of a number": (1100, function(inputs=["id"])), "BM25 without analyzer": (1100, function(inputs=["plain"])),
    "BM25 to two fields": (1100, function(outputs=["counts", "counts2"])),
    "BM25 to a dense vector": (1100, function(outputs=["vector"])),
    "MinHash to a sparse vector": (1100, function("MinHash")),
    "MinHash of a number": (1100, function("MinHash", inputs=["id"], outputs=["sign"])),
    "MinHash of another dim": (1100, signs(num_hashes="3")), "no hash": (1100, signs(num_hashes="0")),
    "no shingle": (1100, signs(shingle_size="0")), "an unknown hash": (1100, signs(hash_function="md5")),
    "an unknown level": (1100, signs(token_level="page")), "a seed in words": (1100, signs(seed="one")),
    "an embedding without params": (1100, function("TextEmbedding", outputs=["vector"])),
    "an embedding to bits": (1100, function("TextEmbedding", outputs=["sign"], provider="tei", endpoint="http://x")),
}


@pytest.mark.parametrize("what", list(REFUSED_FUNCTIONS))
def test_a_function_that_may_not_be_has_its_code(client, call, name, what):
    code, bad = REFUSED_FUNCTIONS[what]
    status = call("CreateCollection", create(
        name, KEY, VECTOR, TEXT, PLAIN, COUNTS, field("counts2", "SparseFloatVector"), SIGN,
        functions=bad if isinstance(bad, list) else [bad]))
    assert status.code == code, status.reason
    assert not client.has_collection(name)


@pytest.mark.parametrize("more", [{"nullable": True}])
def test_what_a_function_fills_has_rules_of_its_own(client, call, name, more):
    bad = field("counts", "SparseFloatVector", **more)
    assert call("CreateCollection", create(name, KEY, VECTOR, TEXT, bad, functions=[function()])).code == 1100
    null = field("text", "VarChar", params={"max_length": 100}, nullable=True)
    embeds = function("TextEmbedding", outputs=["vector"], provider="tei", endpoint="http://localhost:1")
    assert call("CreateCollection", create(name, KEY, VECTOR, null, functions=[embeds])).code == 1100
    # The flag of a client says nothing: a field is filled when a function says so.
    plain = field("counts", "SparseFloatVector", is_function_output=True)
    assert call("CreateCollection", create(name, KEY, VECTOR, TEXT, plain)).code == 0
    told = call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name))
    assert not any(one.is_function_output for one in told.schema.fields)


# --- The dynamic column ----------------------------------------------------------------------------------------------

def dynamic(*rows, name="$meta"):
    data = column(name, "JSON", [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows])
    data.is_dynamic = True
    return data


REFUSED_DYNAMIC = {
    "no object": dynamic({}, [1]), "a number": dynamic({}, 5), "null": dynamic({}, None), "no JSON": dynamic({}, b"{"),
    "the name of the column": dynamic({}, {"$meta": 1}), "the name of a field": dynamic({}, {"id": 1}),
    "the name of the vector": dynamic({"vector": [1]}, {}), "too long": dynamic({}, {"x": "y" * 65536}),
    "a row too few": dynamic({}),
}


def test_dynamic_columns_that_may_not_be_have_their_code(client, call, name):
    assert call("CreateCollection", create(name, KEY, VECTOR, enable_dynamic_field=True)).code == 0
    add_index(client, name, "FLAT")
    client.load_collection(name)
    plain = [column("id", "Int64", [1, 2]), column("vector", "FloatVector", [0.5] * (2 * DIM), DIM)]
    for what, bad in REFUSED_DYNAMIC.items():
        answer = call("Insert", insert_request(name, [*plain, bad], rows=2))
        assert answer.status.code == 1100, (what, answer.status)
    assert count(client, name) == 0
    for good in ([], [dynamic({"a": 1}, {})], [dynamic({"b": 1}, {}, name="")]):
        assert call("Insert", insert_request(name, [*plain, *good], rows=2)).insert_cnt == 2, good
    assert count(client, name, "a == 1") == 1 and count(client, name, "b == 1") == 1
