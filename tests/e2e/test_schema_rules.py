"""What a schema and a row may be, rule by rule, each with its code; messages are made by hand, past the SDK."""
import math
import struct

import pytest
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from support import DIM, add_index, count, vectors
from wire import column, insert_request, query_request, status_of


def field(name, kind, **more):
    params = more.pop("params", {})
    number = kind if isinstance(kind, int) else getattr(schema_pb2, kind)
    made = schema_pb2.FieldSchema(name=name, data_type=number, **more)
    for key, value in params.items() if isinstance(params, dict) else params:
        made.type_params.add(key=key, value=str(value))
    return made


def create(name, *fields, properties=None, **more):
    schema = schema_pb2.CollectionSchema(name=name, fields=fields, **more)
    request = milvus_pb2.CreateCollectionRequest(collection_name=name, schema=schema.SerializeToString())
    for key, value in (properties or {}).items():
        request.properties.add(key=key, value=value)
    return request


def default(**value):
    return {"default_value": schema_pb2.ValueField(**value)}


def array(element, **params):
    return field("x", "Array", element_type=getattr(schema_pb2, element), params={"max_capacity": 4, **params})


KEY, VECTOR = field("id", "Int64", is_primary_key=True), field("vector", "FloatVector", params={"dim": DIM})
TEXT = {"max_length": 8}
REFUSED_FIELDS = {
    # Types that exist as numbers only, or not at all.
    "none": (1100, field("x", 0)), "string": (1100, field("x", "String")), "mol": (1100, field("x", 27)),
    "date": (1100, field("x", 28)), "time": (1100, field("x", 29)), "decimal": (1100, field("x", 30)),
    "uuid": (1100, field("x", 31)), "lists of vectors outside of a struct":
    (1100, field("x", "ArrayOfVector", element_type=schema_pb2.FloatVector, params={"dim": 4, "max_capacity": 4})),
    "an array of structs as a field": (1100, field("x", 200)), "a struct as a field": (1100, field("x", 201)),
    # Names.
    "no name": (1701, field("", "Int64")), "a digit first": (1701, field("1x", "Int64")),
    "a dot": (1701, field("a.b", "Int64")), "a long name": (1701, field("x" * 256, "Int64")),
    **{f"the word {word}": (1701, field(word, "Int64")) for word in
       ["$meta", "like", "exists", "EXISTS", "and", "or", "not", "in", "json_contains", "json_contains_all",
        "json_contains_any", "JSON_CONTAINS", "array_contains", "array_contains_all", "ARRAY_CONTAINS_ANY",
        "array_length", "ARRAY_LENGTH", "true", "True", "TRUE", "false", "False", "FALSE", "text_match", "TEXT_MATCH",
        "phrase_match", "PHRASE_MATCH", "random_sample", "RANDOM_SAMPLE", "null", "NULL", "Null", "nuLL", "RowID",
        "Timestamp", "__virtual_pk__"]},
    "a name twice": (1100, field("id", "Int64")),
    # Keys.
    "a second key": (1100, field("x", "Int64", is_primary_key=True)),
    "auto ids beside the key": (1100, field("x", "Int64", autoID=True)),
    "dynamic by hand": (1100, field("x", "JSON", is_dynamic=True)),
    "two clustering keys": (105, [field("x", "Int64", is_clustering_key=True),
                                  field("y", "Int64", is_clustering_key=True)]),
    "a clustering key of JSON": (105, field("x", "JSON", is_clustering_key=True)),
    "a clustering key of bools": (105, field("x", "Bool", is_clustering_key=True)),
    "a clustering key of vectors": (107, field("x", "FloatVector", is_clustering_key=True, params={"dim": 4})),
    # Lengths and capacities.
    "text without max_length": (1101, field("x", "VarChar")),
    "max_length 0": (1100, field("x", "VarChar", params={"max_length": 0})),
    "max_length below 0": (1100, field("x", "VarChar", params={"max_length": -1})),
    "max_length 65536": (1100, field("x", "VarChar", params={"max_length": 65536})),
    "an array without max_capacity": (1101, field("x", "Array", element_type=schema_pb2.Int64)),
    "max_capacity 0": (1100, array("Int64", max_capacity=0)),
    "max_capacity 4097": (1100, array("Int64", max_capacity=4097)),
    "an array of texts without max_length": (1101, array("VarChar")),
    **{f"an array of {kind}": (1100, array(kind, dim=4, max_length=4)) for kind in
       ["JSON", "Geometry", "Array", "FloatVector", "SparseFloatVector", "String", "Timestamptz"]},
    "a parameter twice": (1100, field("x", "VarChar", params=[("max_length", 4), ("max_length", 4)])),
    "warmup of its own making": (1100, field("x", "Int64", params={"warmup": "soon"})),
    "mmap perhaps": (1100, field("x", "Int64", params={"mmap.enabled": "perhaps"})),
    # Dims.
    "dim 1": (1100, field("x", "FloatVector", params={"dim": 1})), "no dim": (1100, field("x", "Int8Vector")),
    "dim 32769": (1100, field("x", "Float16Vector", params={"dim": 32769})),
    "binary dim 12": (1100, field("x", "BinaryVector", params={"dim": 12})),
    "binary dim 262152": (1100, field("x", "BinaryVector", params={"dim": 262152})),
    "a sparse dim": (1100, field("x", "SparseFloatVector", params={"dim": 4})),
    # Defaults: the wrong member, out of range, and where there is none.
    "a bool default of 1": (1100, field("x", "Bool", **default(int_data=1))),
    "an int8 default of 128": (1100, field("x", "Int8", **default(int_data=128))),
    "an int16 default of 32768": (1100, field("x", "Int16", **default(int_data=32768))),
    "an int default that is a text": (1100, field("x", "Int32", **default(string_data="1"))),
    "an int64 default that is a float": (1100, field("x", "Int64", **default(double_data=1))),
    "a float default that is an int": (1100, field("x", "Float", **default(long_data=1))),
    "a double default that is a text": (1100, field("x", "Double", **default(string_data="1"))),
    "a text default that is a number": (1100, field("x", "VarChar", params=TEXT, **default(long_data=1))),
    "a text default that is too long": (1100, field("x", "VarChar", params=TEXT, **default(string_data="x" * 9))),
    "a default of JSON": (1100, field("x", "JSON", **default(bytes_data=b"{}"))),
    "a default of JSON as a text": (1100, field("x", "JSON", **default(string_data="{}"))),
    "a default of an array": (1100, field("x", "Array", element_type=schema_pb2.Int64, params={"max_capacity": 4},
                                          **default(long_data=1))),
    "a default of a vector": (1100, field("x", "FloatVector", params={"dim": 4}, **default(float_data=1))),
    "a moment for a number": (1100, field("x", "Int64", **default(timestamptz_data=1))),
    "a moment that is a float": (1100, field("x", "Timestamptz", **default(float_data=1))),
    "a moment that is none": (1100, field("x", "Timestamptz", **default(string_data="soon"))),
    "a geometry that is none": (1100, field("x", "Geometry", **default(string_data="POINT(1"))),
}


@pytest.mark.parametrize("what", list(REFUSED_FIELDS))
def test_a_field_that_may_not_be_has_its_code(client, call, name, what):
    code, bad = REFUSED_FIELDS[what]
    status = call("CreateCollection", create(name, KEY, VECTOR, *(bad if isinstance(bad, list) else [bad])))
    assert status.code == code, status.reason
    assert not client.has_collection(name)


REFUSED_KEYS = {
    "of floats": (1100, field("id", "Float", is_primary_key=True)),
    "of moments": (1100, field("id", "Timestamptz", is_primary_key=True)),
    "of JSON": (1100, field("id", "JSON", is_primary_key=True)),
    "nullable": (1100, field("id", "Int64", is_primary_key=True, nullable=True)),
    "with a default": (1100, field("id", "Int64", is_primary_key=True, **default(long_data=1))),
    "that rows are spread by": (1100, field("id", "Int64", is_primary_key=True, is_partition_key=True)),
    "of texts without a length": (1101, field("id", "VarChar", is_primary_key=True)),
    "of texts without a length, though the server makes them":
    (1101, field("id", "VarChar", is_primary_key=True, autoID=True)),
    "none": (1101, field("id", "Int64")),
}


@pytest.mark.parametrize("what", list(REFUSED_KEYS))
def test_a_primary_key_that_may_not_be_has_its_code(client, call, name, what):
    code, key = REFUSED_KEYS[what]
    status = call("CreateCollection", create(name, key, VECTOR))
    assert status.code == code, status.reason
    assert not client.has_collection(name)


REFUSED_PROPERTIES = [
    ("timezone", "Mars/Olympus"), ("timezone", "../etc/passwd"), ("collection.ttl.seconds", "-2"),
    ("collection.ttl.seconds", "3155760001"), ("collection.ttl.seconds", "soon"), ("ttl_field", "nothing"),
    ("ttl_field", "id"),
]


@pytest.mark.parametrize("key, value", REFUSED_PROPERTIES)
def test_a_property_that_may_not_be_has_its_code(client, call, name, key, value):
    assert call("CreateCollection", create(name, KEY, VECTOR, properties={key: value})).code == 1100
    assert not client.has_collection(name)


def test_a_row_ends_once(client, call, name):
    both = {"ttl_field": "t", "collection.ttl.seconds": "10"}
    assert call("CreateCollection", create(name, KEY, VECTOR, field("t", "Timestamptz"), properties=both)).code == 1100
    ends = create(name, KEY, VECTOR, field("t", "Timestamptz", nullable=True), properties={"ttl_field": "t"})
    assert call("CreateCollection", ends).code == 0
    add_index(client, name, "FLAT")
    client.load_collection(name)
    data = vectors(3).tolist()
    client.insert(name, [{"id": 1, "t": None, "vector": data[0]},
                         {"id": 2, "t": "2000-01-01T00:00:00Z", "vector": data[1]},
                         {"id": 3, "t": "2100-01-01T00:00:00Z", "vector": data[2]}])
    rows = client.query(name, "id > 0", output_fields=["id"], consistency_level="Strong")
    assert [row["id"] for row in rows] == [1, 3]


def test_as_many_fields_as_may_be(client, call, name):
    def many(fields):
        return create(name, KEY, VECTOR, *(field(f"f{i}", "Int64") for i in range(fields - 2)))
    assert call("CreateCollection", many(65)).code == 1100
    assert call("CreateCollection", create(name, KEY, VECTOR, description="x" * 1025)).code == 1100
    assert call("CreateCollection", many(64)).code == 0


# --- Rows ------------------------------------------------------------------------------------------------------------

def filled(client, call, name):
    schema = create(name, KEY, field("vector", "FloatVector", params={"dim": 2}), field("tiny", "Int8"),
                    field("small", "Int16"), field("real", "Float"),
                    field("wide", "Double", nullable=True), field("text", "VarChar", params=TEXT),
                    field("list", "Array", element_type=schema_pb2.Int8, params={"max_capacity": 2}),
                    field("reals", "Array", element_type=schema_pb2.Float, params={"max_capacity": 2}),
                    field("texts", "Array", element_type=schema_pb2.VarChar,
                          params={"max_capacity": 2, "max_length": 2}),
                    field("doc", "JSON"), field("t", "Timestamptz", nullable=True),
                    field("sparse", "SparseFloatVector"), field("bits", "BinaryVector", params={"dim": 8}),
                    field("given", "Int64", **default(long_data=5)))
    assert call("CreateCollection", schema).code == 0
    indexes = client.prepare_index_params()
    for at, kind, metric in (("vector", "FLAT", "L2"), ("sparse", "SPARSE_INVERTED_INDEX", "IP"),
                             ("bits", "BIN_FLAT", "HAMMING")):
        indexes.add_index(at, index_type=kind, metric_type=metric)
    client.create_index(name, indexes)
    client.load_collection(name)


def elements(name, kind, rows, member):
    data = schema_pb2.FieldData(field_name=name, type=schema_pb2.Array)
    data.scalars.array_data.element_type = getattr(schema_pb2, kind)
    for row in rows:
        cell = getattr(data.scalars.array_data.data.add(), member)
        cell.SetInParent()  # An empty list is there, too.
        cell.data.extend(row)
    return data


def sparse(*rows, valid=None):
    data = schema_pb2.FieldData(field_name="sparse", type=schema_pb2.SparseFloatVector)
    data.vectors.dim = 10
    data.vectors.sparse_float_vector.contents.extend(rows)
    return data


def pairs(*of):
    return b"".join(struct.pack("<If", index, value) for index, value in of)


def moments(values, valid=None):
    data = column("t", "VarChar", values, valid=valid)
    data.type = schema_pb2.Timestamptz
    return data


def bits(payload, dim=8):
    data = schema_pb2.FieldData(field_name="bits", type=schema_pb2.BinaryVector)
    data.vectors.dim = dim
    data.vectors.binary_vector = payload
    return data


def good():
    return {"id": column("id", "Int64", [1, 2]), "tiny": column("tiny", "Int8", [-128, 127]),
            "small": column("small", "Int16", [-32768, 32767]), "real": column("real", "Float", [0.5, -0.5]),
            "wide": column("wide", "Double", [0.5], valid=[True, False]),
            "text": column("text", "VarChar", ["a", "x" * 8]),
            "list": elements("list", "Int8", [[-128, 127], []], "int_data"),
            "reals": elements("reals", "Float", [[1.5], [math.nan, math.inf]], "float_data"),
            "texts": elements("texts", "VarChar", [["ab", ""], []], "string_data"),
            "doc": column("doc", "JSON", [b"{}", b"[1]"]), "t": moments(["2025-01-01T00:00:00Z"], valid=[False, True]),
            "sparse": sparse(pairs((1, 0.5)), b""), "bits": bits(b"\1\2"),
            "given": column("given", "Int64", [7], valid=[False, True]),
            "vector": column("vector", "FloatVector", [0.5] * 4, 2)}


REFUSED_COLUMNS = {
    "int8 above": column("tiny", "Int8", [0, 128]), "int8 below": column("tiny", "Int8", [-129, 0]),
    "int16 above": column("small", "Int16", [0, 32768]), "int16 below": column("small", "Int16", [-32769, 0]),
    "a float that is none": column("real", "Float", [0, math.nan]),
    "a float without end": column("real", "Float", [math.inf, 0]),
    "a double that is none": column("wide", "Double", [math.nan, 0]),
    "a double without end": column("wide", "Double", [0, -math.inf]),
    "a text too long": column("text", "VarChar", ["", "x" * 9]),
    "a text too long in bytes": column("text", "VarChar", ["\u4e2d" * 3, ""]),
    "an array too long": elements("list", "Int8", [[1, 2, 3], []], "int_data"),
    "an element above": elements("list", "Int8", [[128], []], "int_data"),
    "elements of another member": elements("list", "Int8", [[1], []], "long_data"),
    "a text element too long": elements("texts", "VarChar", [["abc"], []], "string_data"),
    "JSON too long": column("doc", "JSON", [b"{}", b'"' + b"x" * 65536 + b'"']),
    "a moment that is none": moments(["soon", "2025-01-01T00:00:00Z"]),
    "a moment as a number": column("t", "Int64", [1, 2]),
    "a moment with a far offset": moments(["2025-01-01T00:00:00+14:01", "2025-01-01T00:00:00Z"]),
    "sparse bytes that are no pairs": sparse(b"1234567", b""),
    "sparse indexes in no order": sparse(pairs((2, 1), (1, 1)), b""),
    "a sparse index twice": sparse(pairs((1, 1), (1, 1)), b""),
    "the last sparse index": sparse(pairs((2 ** 32 - 1, 1)), b""),
    "a sparse value below 0": sparse(pairs((1, -1)), b""),
    "a sparse value that is none": sparse(pairs((1, math.nan)), b""),
    "fewer sparse rows": sparse(b""), "bits of another dim": bits(b"\1\2\3\4", 16), "too few bits": bits(b"\1"),
    "bits in place of numbers": column("vector", "BinaryVector", b"\1\2", 8),
    "a vector that is none": column("vector", "FloatVector", [math.nan] * 4, 2),
    "a mask where nothing is null": column("tiny", "Int8", [1, 2], valid=[True, True]),
    "a null where nothing is null": column("tiny", "Int8", [1], valid=[True, False]),
    "a mask too short": column("wide", "Double", [0.5], valid=[True]),
    "a mask too long": column("wide", "Double", [0.5, 0.5], valid=[True, True, False]),
    "more values than the mask has": column("wide", "Double", [0.5, 0.5], valid=[True, False]),
    "a text for a number": column("tiny", "VarChar", ["1", "2"]),
    "a double for a float": column("real", "Double", [1, 2]),
    "an int64 for an int8": column("tiny", "Int64", [1, 2]), "a bool for a text": column("text", "Bool", [True, False]),
    "no data": schema_pb2.FieldData(field_name="tiny", type=schema_pb2.Int8),
    "three rows": column("tiny", "Int8", [1, 2, 3]),
    "a key that is null": column("id", "Int64", [1], valid=[True, False]),
}


def test_rows_that_may_not_be_have_their_code_and_leave_nothing(client, call, name):
    filled(client, call, name)
    for what, bad in REFUSED_COLUMNS.items():
        columns = {**good(), bad.field_name: bad}
        for upsert in (False, True):
            answer = call("Upsert" if upsert else "Insert", insert_request(name, columns.values(), upsert=upsert))
            assert answer.status.code == 1100, (what, answer.status)
            assert list(answer.err_index) == [0, 1] and answer.insert_cnt == 0, what
    for missing in ("id", "tiny", "text", "list", "doc", "sparse", "vector"):
        columns = [data for data in good().values() if data.field_name != missing]
        assert status_of(call("Insert", insert_request(name, columns))).code == 1100, missing
    twice = [*good().values(), good()["tiny"]]
    assert status_of(call("Insert", insert_request(name, twice))).code == 1100
    more = [*good().values(), column("more", "Int64", [1, 2])]
    assert status_of(call("Insert", insert_request(name, more))).code == 1100
    meta = [*good().values(), column("$meta", "JSON", [b"{}", b"{}"])]
    assert status_of(call("Insert", insert_request(name, meta))).code == 1100
    assert status_of(call("Insert", insert_request(name, good().values(), rows=0))).code == 1100
    assert count(client, name) == 0
    assert call("Insert", insert_request(name, good().values())).insert_cnt == 2
    rows = {row["id"]: row for row in client.query(name, "id > 0", output_fields=["given", "t", "wide", "list"],
                                                   consistency_level="Strong")}
    assert [rows[i]["given"] for i in (1, 2)] == [5, 7] and rows[1]["t"] is None and rows[2]["wide"] is None
    assert list(rows[1]["list"]) == [-128, 127]


def test_a_schema_that_has_changed_has_its_code(client, call, name):
    filled(client, call, name)
    request = insert_request(name, good().values())
    request.schema_timestamp = 12345
    status = status_of(call("Insert", request))
    assert status.code == 109, status
    described = call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name))
    request.schema_timestamp = described.update_timestamp
    assert status_of(call("Insert", request)).code == 0


def test_keys_may_be_there_twice_but_not_in_one_upsert(client, call, name):
    filled(client, call, name)
    same = {**good(), "id": column("id", "Int64", [4, 4])}
    assert call("Insert", insert_request(name, same.values())).insert_cnt == 2
    assert status_of(call("Upsert", insert_request(name, same.values(), upsert=True))).code == 1100
    answer = call("Upsert", insert_request(name, good().values(), upsert=True))
    assert (answer.upsert_cnt, answer.insert_cnt, answer.delete_cnt) == (2, 2, 2)


def test_deletes_that_may_not_be_have_their_code(client, call, name):
    filled(client, call, name)
    call("Insert", insert_request(name, good().values()))

    def delete(text, partition=""):
        return call("Delete", milvus_pb2.DeleteRequest(collection_name=name, expr=text, partition_name=partition))
    for text in ("", "  ", "true", "1 == 1", "id >", "nothing == 1"):
        assert delete(text).status.code == 1100, text
    assert delete("id == 1", "nowhere").status.code == 200
    assert delete("id in [1, 1, 9]").delete_cnt == 3, "as many as are listed"
    assert delete("tiny == 127").delete_cnt == 1
    rows = call("Query", query_request(name, "id > 0"))
    assert rows.status.code == 0 and count(client, name) == 0


def test_auto_ids_are_the_servers(client, call, name):
    key = field("id", "VarChar", is_primary_key=True, autoID=True, params={"max_length": 1})
    assert call("CreateCollection", create(name, key, VECTOR)).code == 0
    data = column("vector", "FloatVector", vectors(2).ravel(), DIM)
    given = column("id", "VarChar", ["a", "b"])
    assert status_of(call("Insert", insert_request(name, [given, data]))).code == 1100
    ids = call("Insert", insert_request(name, [data])).IDs.str_id.data
    assert len(set(ids)) == 2 and all(one.isdigit() for one in ids), "whatever the length"
    assert status_of(call("Upsert", insert_request(name, [data], upsert=True))).code == 1100, "a key is needed"
    answer = call("Upsert", insert_request(name, [column("id", "VarChar", ids), data], upsert=True))
    assert answer.status.code == 0 and not set(answer.IDs.str_id.data) & set(ids)
