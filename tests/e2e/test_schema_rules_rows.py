"""What rows, nulls, sparse queries and operations on arrays may be, rule by rule, each with its code, and how nulls come
back; messages are made by hand."""
import math

import numpy as np
import pytest
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2
from support import DIM, count
from test_schema_rules import KEY, VECTOR, bits, create, default, elements, field, pairs, sparse
from test_schema_rules_more import TWO, dynamic, lists, numbers, part, struct, things
from wire import column, insert_request, query_request, search_request, status_of

OPERATIONS = schema_pb2.FieldPartialUpdateOp


def loaded(client, call, name, *fields, indexes=(), **more):
    """A loaded collection of these fields beside key and vector; `indexes` are of other vectors."""
    assert call("CreateCollection", create(name, KEY, VECTOR, *fields, **more)).code == 0
    made = client.prepare_index_params()
    for at, kind, metric in (("vector", "FLAT", "L2"), *indexes):
        made.add_index(at, index_type=kind, metric_type=metric)
    client.create_index(name, made)
    client.load_collection(name)


def rows_of(*columns, ids=(1, 2)):
    return [column("id", "Int64", ids), column("vector", "FloatVector", [0.5] * (len(ids) * DIM), DIM), *columns]


def insert(call, name, *columns, ids=(1, 2)):
    return status_of(call("Insert", insert_request(name, rows_of(*columns, ids=ids), rows=len(ids)))).code


def read(call, name, *fields):
    answer = call("Query", query_request(name, "id >= 0", output=("id", *fields)))
    assert answer.status.code == 0, answer.status
    return {data.field_name: data for data in answer.fields_data}


# --- Schemas ---------------------------------------------------------------------------------------------------------

def list_of(element, **params):
    return field("x", "Array", element_type=getattr(schema_pb2, element), params={"max_capacity": 4, **params})


REFUSED = {
    "an int8 default of -129": (1100, field("x", "Int8", **default(int_data=-129))),
    "an int16 default of -32769": (1100, field("x", "Int16", **default(int_data=-32769))),
    "a bool default that is a text": (1100, field("x", "Bool", **default(string_data="true"))),
    "a default of Text that is a number": (1100, field("x", "Text", **default(long_data=1))),
    **{f"an array of {kind}": (1100, list_of(kind, dim=8, max_length=4)) for kind in
       ["Text", "BinaryVector", "Float16Vector", "BFloat16Vector", "Int8Vector", "ArrayOfVector"]},
    "an array of nothing": (1100, field("x", "Array", params={"max_capacity": 4})),
    "an array of structs": (1100, field("x", "Array", element_type=schema_pb2.Struct, params={"max_capacity": 4})),
    "max_capacity in words": (65535, list_of("Int64", max_capacity="four")),
    "max_length in words": (65535, field("x", "VarChar", params={"max_length": "four"})),
    "int8 vectors of dim 1": (1100, field("x", "Int8Vector", params={"dim": 1})),
    "bfloat16 vectors of dim 32769": (1100, field("x", "BFloat16Vector", params={"dim": 32769})),
    "bits of dim 0": (1100, field("x", "BinaryVector", params={"dim": 0})),
    "a field of an external collection": (10, field("x", "Int64", external_field="y")),
    "a float default that is none": (1100, field("x", "Float", **default(float_data=math.nan))),
    "a double default without end": (1100, field("x", "Double", **default(double_data=-math.inf))),
    "a default that no float holds": (1100, field("x", "Float", **default(double_data=1e39))),
    "a moment after year 9999": (1100, field("x", "Timestamptz", **default(timestamptz_data=2 ** 62))),
    "an int8 default of 2 ** 40": (1100, field("x", "Int8", **default(long_data=2 ** 40))),
    "a parameter of the index twice": (1100, schema_pb2.FieldSchema(
        name="x", data_type=schema_pb2.Int64, index_params=[common_pb2.KeyValuePair(key="a", value="b")] * 2)),
    **{f"the name {bad!r}": (1701, field(bad, "Int64")) for bad in (" x", "x ", " ", "x\n", "\tx", "x-y", "\u00e4", "$x")},
}


@pytest.mark.parametrize("what", list(REFUSED))
def test_more_fields_that_may_not_be_have_their_code(client, call, name, what):
    code, bad = REFUSED[what]
    status = call("CreateCollection", create(name, KEY, VECTOR, bad))
    assert status.code == code, status
    assert not client.has_collection(name)


def test_what_is_not_built_says_so(client, call, name):
    for more in ({"external_source": "s3://x"}, {"external_spec": "{}"}, {"enable_namespace": True}):
        if next(iter(more)) not in schema_pb2.CollectionSchema.DESCRIPTOR.fields_by_name:
            continue  # Of a newer proto.
        status = call("CreateCollection", create(name, KEY, VECTOR, **more))
        assert status.code == 10 and "not supported" in status.reason, status
    assert not client.has_collection(name)


def test_shards_are_as_many_as_may_be(client, call, name):
    for shards, code in ((17, 1100), (16, 0)):
        request = create(name, KEY, VECTOR)
        request.shards_num = shards
        assert call("CreateCollection", request).code == code, shards
    assert client.describe_collection(name)["num_shards"] == 16


def test_the_least_and_greatest_of_what_may_be_is_taken(client, call, name):
    fields = [field("a", "Int8", nullable=True, **default(int_data=-128)), field("b", "Int16", **default(int_data=32767)),
              field("c", "VarChar", params={"max_length": 65535}, **default(string_data="")),
              field("d", "Array", element_type=schema_pb2.Bool, params={"max_capacity": 4096}),
              field("e", "BinaryVector", params={"dim": 262144}), field("f", "Float16Vector", params={"dim": 32768}),
              field("g", "Int8Vector", params={"dim": 2}), field("_", "Int64"), field("x" * 255, "Int64")]
    assert call("CreateCollection", create(name, KEY, VECTOR, *fields, description="x" * 1024)).code == 0


TAKEN = {
    **{f"a clustering key of {kind}": field("x", kind, is_clustering_key=True, params={"max_length": 8} if kind == "VarChar"
                                            else {}) for kind in
       ["Int8", "Int16", "Int32", "Int64", "Float", "Double", "VarChar"]},
    "a key of rows and their order": field("x", "Int64", is_clustering_key=True, is_partition_key=True),
    "a partition key with a default": field("x", "Int64", is_partition_key=True, **default(long_data=3)),
    # As SDKs send them.
    "an int64 default as an int": field("x", "Int64", **default(int_data=3)),
    "an int8 default as a long": field("x", "Int8", **default(long_data=-128)),
    "a float default as a double": field("x", "Float", **default(double_data=0.5)),
    "a double default as a float": field("x", "Double", **default(float_data=0.5)),
    "a moment as microseconds": field("x", "Timestamptz", **default(timestamptz_data=-1)),
    "a default that is not said": field("x", "Int64", default_value=schema_pb2.ValueField()),
    "a long text with a default": field("x", "Text", **default(string_data="x" * 70000)),
    # Function names are kept from fields as they are written in filters.
    **{f"the name {good}": field(good, "Int64") for good in
       ["And", "LIKE", "Exists", "Json_Contains", "array_Length", "Text_match", "nul", "nulls", "_", "X9"]},
}


@pytest.mark.parametrize("what", list(TAKEN))
def test_fields_that_may_be_are_taken_as_they_are_said(call, name, what):
    made = TAKEN[what]
    assert call("CreateCollection", create(name, KEY, VECTOR, made, autoID=True)).code == 0
    told = call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name)).schema
    shown = told.fields[2]
    assert (shown.name, shown.data_type, shown.is_partition_key, shown.is_clustering_key) == (
        made.name, made.data_type, made.is_partition_key, made.is_clustering_key)
    value = made.default_value.WhichOneof("data")
    assert shown.HasField("default_value") == (value is not None)
    if value:
        [(_, shown_value)] = shown.default_value.ListFields()
        wanted = getattr(made.default_value, value)
        assert shown_value == (wanted if value != "timestamptz_data" else "1969-12-31T23:59:59.999999Z")
    assert not told.autoID and not told.fields[0].autoID, "that of the schema is not looked at"


# --- Nulls on the wire -----------------------------------------------------------------------------------------------

def test_nulls_go_in_without_values_and_come_out_with_them(client, call, name):
    loaded(client, call, name, field("maybe", "Int64", nullable=True), field("text", "VarChar", nullable=True,
                                                                             params={"max_length": 8}),
           field("plain", "Int32"), field("given", "Int64", nullable=True, **default(long_data=5)))
    plain = column("plain", "Int32", [7, 8])
    assert insert(call, name, plain, column("maybe", "Int64", [4], valid=[False, True]),
                  column("text", "VarChar", ["a"], valid=[True, False]),
                  column("given", "Int64", [6], valid=[True, False])) == 0
    # No mask at all: every row has a value.
    assert insert(call, name, plain, column("maybe", "Int64", [1, 2]), ids=(3, 4)) == 0
    assert insert(call, name, plain, column("maybe", "Int64", [1]), ids=(5, 6)) == 1100, "a value for two rows"
    found = read(call, name, "maybe", "text", "plain", "given")
    order = np.argsort(found["id"].scalars.long_data.data)

    def dense(what, member):
        data = found[what]
        values, valid = getattr(data.scalars, member).data, data.valid_data
        assert len(values) == 4 and len(valid) in (0, 4), "one value a row, whether null or not"
        return [values[i] if not valid or valid[i] else None for i in order]
    assert dense("maybe", "long_data") == [None, 4, 1, 2]
    assert dense("text", "string_data") == ["a", None, None, None]
    assert dense("given", "long_data") == [6, 5, 5, 5], "what is null becomes the default"
    assert dense("plain", "int_data") == [7, 8, 7, 8] and not found["plain"].valid_data


@pytest.mark.parametrize("kind, given, two", [
    ("FloatVector", {"float_vector": schema_pb2.FloatArray(data=[1.5, 2.5])}, {"dim": 2}),
    ("BinaryVector", {"binary_vector": b"\1"}, {"dim": 8}), ("Int8Vector", {"int8_vector": b"\1\2"}, {"dim": 2}),
    ("Float16Vector", {"float16_vector": np.array([1, 2], np.float16).tobytes()}, {"dim": 2}),
    ("SparseFloatVector", {"sparse_float_vector": schema_pb2.SparseFloatArray(contents=[pairs((3, 0.5))], dim=4)}, {})])
def test_null_vectors_are_left_out_both_ways(client, call, name, kind, given, two):
    index = {"BinaryVector": ("maybe", "BIN_FLAT", "HAMMING"),
             "SparseFloatVector": ("maybe", "SPARSE_INVERTED_INDEX", "IP")}.get(kind, ("maybe", "FLAT", "L2"))
    loaded(client, call, name, field("maybe", kind, nullable=True, params=two), indexes=[index])
    data = schema_pb2.FieldData(field_name="maybe", type=getattr(schema_pb2, kind), valid_data=[False, True])
    data.vectors.MergeFrom(schema_pb2.VectorField(dim=two.get("dim", 4), **given))
    assert insert(call, name, data) == 0
    full = schema_pb2.FieldData.FromString(data.SerializeToString())
    full.valid_data[0] = True
    assert insert(call, name, full, ids=(3, 4)) == 1100, "one vector for two rows"
    found = read(call, name, "maybe")["maybe"]
    at = list(read(call, name)["id"].scalars.long_data.data).index(2)
    assert sorted(found.valid_data) == [False, True] and found.valid_data[at]
    member = found.vectors.WhichOneof("data")
    assert member in given
    stored = getattr(found.vectors, member)
    if kind == "SparseFloatVector":
        assert list(stored.contents) == list(given[member].contents)
    else:
        assert stored == given[member], "of the one row alone"


# --- Rows ------------------------------------------------------------------------------------------------------------

def vector_column(kind, member, payload, dim=2):
    data = schema_pb2.FieldData(field_name="x", type=getattr(schema_pb2, kind))
    data.vectors.dim = dim
    if member == "float_vector":
        data.vectors.float_vector.data.extend(payload)
    else:
        setattr(data.vectors, member, payload)
    return data


def half(*values):
    return np.array(values, np.float16).tobytes()


REFUSED_VECTORS = {
    "a half that is none": ("Float16Vector", vector_column("Float16Vector", "float16_vector", half(1, 2, math.nan, 4))),
    "a half without end": ("Float16Vector", vector_column("Float16Vector", "float16_vector", half(1, math.inf, 3, 4))),
    "half a half": ("Float16Vector", vector_column("Float16Vector", "float16_vector", half(1, 2, 3, 4)[:-1])),
    "halves of one row": ("Float16Vector", vector_column("Float16Vector", "float16_vector", half(1, 2))),
    "halves of another dim": ("Float16Vector", vector_column("Float16Vector", "float16_vector", half(*range(8)), 4)),
    "a float that no half is": ("Float16Vector", vector_column("Float16Vector", "float_vector", [1, 2, 3, 65536])),
    "a bfloat16 that is none": ("BFloat16Vector", vector_column("BFloat16Vector", "bfloat16_vector",
                                                                b"\x80\x3f\xc1\x7f" * 2)),
    "a bfloat16 without end": ("BFloat16Vector", vector_column("BFloat16Vector", "bfloat16_vector",
                                                               b"\x80\x3f\x80\x7f" * 2)),
    "a float that no bfloat16 is": ("BFloat16Vector", vector_column("BFloat16Vector", "float_vector",
                                                                    [1, 2, 3, 3.4e38])),
    "floats for bytes": ("Int8Vector", vector_column("Int8Vector", "float_vector", [1, 2, 3, 4])),
    "too few bytes": ("Int8Vector", vector_column("Int8Vector", "int8_vector", b"\1\2\3")),
    "bfloat16 for float16": ("Float16Vector", vector_column("Float16Vector", "bfloat16_vector", b"\x80\x3f" * 4)),
}


@pytest.mark.parametrize("what", list(REFUSED_VECTORS))
def test_vectors_that_may_not_be_have_their_code(client, call, name, what):
    kind, bad = REFUSED_VECTORS[what]
    loaded(client, call, name, field("x", kind, params={"dim": 2}), indexes=[("x", "FLAT", "L2")])
    assert insert(call, name, bad) == 1100
    assert count(client, name) == 0


def test_sparse_rows_and_queries_have_the_same_rules(client, call, name):
    loaded(client, call, name, field("sparse", "SparseFloatVector"), indexes=[("sparse", "SPARSE_INVERTED_INDEX", "IP")])
    assert insert(call, name, sparse(pairs((0, 0.0), (2 ** 32 - 2, 1.0)), b"")) == 0, "zeros and nothing are fine"

    def search(row):
        group = common_pb2.PlaceholderGroup(placeholders=[common_pb2.PlaceholderValue(
            tag="$0", type=common_pb2.PlaceholderType.SparseFloatVector, values=[row])])
        return status_of(call("Search", search_request(name, [row], queries=group.SerializeToString(),
                                                       anns_field="sparse", metric_type="IP"))).code
    for what, row in {"no pairs": b"1234567", "no order": pairs((2, 1), (1, 1)), "an index twice": pairs((1, 1), (1, 1)),
                      "the last index": pairs((2 ** 32 - 1, 1)), "a value below 0": pairs((1, -1)),
                      "a value that is none": pairs((1, math.nan)), "one without end": pairs((1, math.inf))}.items():
        assert insert(call, name, sparse(row, b""), ids=(3, 4)) == 1100, what
        assert search(row) == 1100, what
    assert search(b"") == 0 and search(pairs((2 ** 32 - 2, 0.5))) == 0
    assert count(client, name) == 2


def test_structs_are_null_as_a_whole(client, call, name):
    if not hasattr(milvus_pb2, "AddCollectionStructFieldRequest"):
        pytest.skip("of 3.0")
    parts = (part("number"), part("clip", "FloatVector", "ArrayOfVector"))
    assert call("CreateCollection", create(name, KEY, VECTOR, struct_array_fields=[struct(*parts, nullable=True)])
                ).code == 0
    client.create_index(name, index_of_structs(client))
    client.load_collection(name)

    def masked(one, mask):
        one.valid_data.extend(mask)
        return one
    one_null = things(masked(numbers([[1, 2]]), [True, False]), masked(lists([TWO]), [True, False]))
    other = things(masked(numbers([[1, 2]]), [True, False]), masked(lists([TWO]), [False, True]))
    some = things(masked(numbers([[1, 2]]), [True, False]), lists([TWO, TWO]))
    nothing = things(masked(schema_pb2.FieldData(field_name="number", type=schema_pb2.Array), [True, False]),
                     masked(schema_pb2.FieldData(field_name="clip", type=schema_pb2.ArrayOfVector), [True, False]))
    for what, bad in (("masks that differ", other), ("a mask of one part", some), ("true without values", nothing)):
        assert insert(call, name, bad) == 1100, what
    assert insert(call, name, one_null) == 0 and insert(call, name, ids=(3, 4)) == 0, "left out is null"
    # One of the parts cannot be null alone.
    status = call("CreateCollection", create(name + "_b", KEY, VECTOR, struct_array_fields=[
        struct(part("number", nullable=True))]))
    assert status.code == 1100, status


def index_of_structs(client):
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="L2")
    indexes.add_index("things[clip]", index_type="FLAT", metric_type="MAX_SIM_COSINE")
    return indexes


# --- Partial updates -------------------------------------------------------------------------------------------------

def upsert(call, name, columns, ops=(), rows=1, **more):
    request = milvus_pb2.UpsertRequest(collection_name=name, fields_data=columns, num_rows=rows, **more)
    for field_name, op in ops:
        request.field_ops.add(field_name=field_name, op=op)
    return status_of(call("Upsert", request)).code


def test_operations_on_arrays_have_their_codes(client, call, name):
    if not hasattr(OPERATIONS, "ARRAY_APPEND"):
        pytest.skip("of 3.0")
    append, remove, replace = OPERATIONS.ARRAY_APPEND, OPERATIONS.ARRAY_REMOVE, OPERATIONS.REPLACE
    loaded(client, call, name, field("list", "Array", element_type=schema_pb2.Int64, nullable=True,
                                     params={"max_capacity": 3}),
           field("reals", "Array", element_type=schema_pb2.Double, params={"max_capacity": 3}), field("n", "Int64"),
           struct_array_fields=[struct(part("number"))])
    assert insert(call, name, elements("list", "Int64", [[1, 2], []], "long_data"),
                  elements("reals", "Double", [[math.nan, 1], [1]], "double_data"), column("n", "Int64", [5, 6]),
                  things(numbers([[1], [2]]))) == 0
    key, n = column("id", "Int64", [1]), column("n", "Int64", [7])

    def of(values, element="Int64", member="long_data", what="list"):
        return elements(what, element, [values], member)
    for what, code, columns, ops in [
            ("no name", 1101, [key, of([3])], [("", append)]),
            ("a field twice", 1100, [key, of([3])], [("list", append), ("list", replace)]),
            ("the key", 1100, [key, of([3])], [("id", append)]),
            ("a struct", 1100, [key, of([3])], [("things", append)]),
            ("a part of a struct", 1100, [key, of([3])], [("things[number]", append)]),
            ("a part of a struct, replaced", 1100, [key, of([3])], [("things[number]", replace)]),
            ("an unknown field", 1100, [key, of([3])], [("nothing", remove)]),
            ("no array", 1100, [key, n], [("n", append)]),
            ("no data", 1100, [key, n], [("list", append)]),
            ("no array in the data", 1100, [key, column("list", "Int64", [3])], [("list", append)]),
            ("other elements", 1100, [key, of(["a"], "VarChar", "string_data")], [("list", append)]),
            ("more than there may be", 1100, [key, of([3, 4, 5, 6])], [("list", append)]),
            ("more than there may be then", 1100, [key, of([3, 4])], [("list", append)])]:
        assert upsert(call, name, columns, ops) == code, what
    assert upsert(call, name, [key, n], [("n", replace)], partial_update=True) == 0, "replacing is what it does anyway"
    assert upsert(call, name, [key, of([2])], [("list", append)]) == 0, "an operation makes it partial"
    assert upsert(call, name, [key, of([2])], [("list", remove)]) == 0
    both = [key, of([1, math.nan], "Double", "double_data", "reals")]
    assert upsert(call, name, both, [("reals", remove)]) == 0
    row = client.query(name, "id == 1", output_fields=["*"], consistency_level="Strong")[0]
    assert list(row["list"]) == [1] and row["n"] == 7
    assert len(row["reals"]) == 1 and math.isnan(row["reals"][0]), "what is no number equals nothing"


def test_keys_of_rows_from_before_a_field_stay(client, call, name):
    loaded(client, call, name, enable_dynamic_field=True)
    assert insert(call, name, dynamic({"later": 1, "own": 2}, {})) == 0
    made = field("later", "Int64", nullable=True)
    request = milvus_pb2.AddCollectionFieldRequest(collection_name=name, schema=made.SerializeToString())
    assert status_of(call("AddCollectionField", request)).code == 0
    clash = [column("id", "Int64", [1]), dynamic({"later": 3})]
    full = [*rows_of(ids=(1,)), dynamic({"later": 3})]
    assert upsert(call, name, full) == 1100, "a key hides a field"
    assert upsert(call, name, clash, partial_update=True) == 0
    rows = client.query(name, 'id == 1', output_fields=["later", '$meta["later"]', "own"], consistency_level="Strong")
    assert rows[0]["later"] is None and rows[0]["own"] == 2
    assert count(client, name, '$meta["later"] == 3') == 1


def test_bits_are_counted(client, call, name):
    loaded(client, call, name, field("bits", "BinaryVector", params={"dim": 8}),
           indexes=[("bits", "BIN_FLAT", "HAMMING")])
    assert insert(call, name, bits(b"\1\2\3")) == 1100
    assert insert(call, name, bits(b"\1\2")) == 0
