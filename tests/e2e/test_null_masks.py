"""Null rows as clients say them: by a mask beside the values or inside of them, without values, for a whole struct, for the
dynamic keys; messages are made by hand."""
import pytest
from pymilvus.grpc_gen import milvus_pb2, schema_pb2
from support import DIM, add_index, count
from test_schema_rules import KEY, VECTOR, create, default, elements, field, pairs
from test_schema_rules_more import TWO, lists, numbers, part, struct, things
from test_schema_rules_rows import index_of_structs, insert, loaded, read, upsert
from wire import column

PLACE = schema_pb2.FieldData(field_name="x", type=schema_pb2.Geometry)
PLACE.scalars.geometry_wkt_data.data.append("POINT (1 2)")


def vector(kind, member, payload, dim=8):
    data = schema_pb2.FieldData(field_name="x", type=getattr(schema_pb2, kind))
    data.vectors.dim = dim
    if isinstance(payload, bytes):
        setattr(data.vectors, member, payload)
    else:
        data.vectors.MergeFrom(payload)
    return data


FLOATS = schema_pb2.VectorField(float_vector=schema_pb2.FloatArray(data=[0.5] * 8))
SPARSE = schema_pb2.VectorField(sparse_float_vector=schema_pb2.SparseFloatArray(contents=[pairs((1, 0.5))], dim=2))
TEXTS = {"params": {"max_length": 8}}
# Each type: its field, and a column with one value.
ONE = {
    "Bool": ({}, column("x", "Bool", [True])), "Int8": ({}, column("x", "Int8", [1])),
    "Int16": ({}, column("x", "Int16", [1])), "Int32": ({}, column("x", "Int32", [1])),
    "Int64": ({}, column("x", "Int64", [1])), "Float": ({}, column("x", "Float", [0.5])),
    "Double": ({}, column("x", "Double", [0.5])), "VarChar": (TEXTS, column("x", "VarChar", ["a"])),
    "Text": ({}, column("x", "VarChar", ["a"])), "JSON": ({}, column("x", "JSON", [b"{}"])),
    "Geometry": ({}, PLACE), "Timestamptz": ({}, column("x", "VarChar", ["2025-01-01T00:00:00Z"])),
    "Array": ({"element_type": schema_pb2.Int64, "params": {"max_capacity": 4}}, elements("x", "Int64", [[1]], "long_data")),
    "FloatVector": ({"params": {"dim": 8}}, vector("FloatVector", "", FLOATS)),
    "BinaryVector": ({"params": {"dim": 8}}, vector("BinaryVector", "binary_vector", b"\1")),
    "Float16Vector": ({"params": {"dim": 8}}, vector("Float16Vector", "float16_vector", b"\0\x3c" * 8)),
    "BFloat16Vector": ({"params": {"dim": 8}}, vector("BFloat16Vector", "bfloat16_vector", b"\x80\x3f" * 8)),
    "Int8Vector": ({"params": {"dim": 8}}, vector("Int8Vector", "int8_vector", b"\1" * 8)),
    "SparseFloatVector": ({}, vector("SparseFloatVector", "", SPARSE)),
}
INDEXES = {"BinaryVector": ("x", "BIN_FLAT", "HAMMING"), "SparseFloatVector": ("x", "SPARSE_INVERTED_INDEX", "IP")}


def inside(data, *mask):
    """A copy whose mask stands inside of the values, as the newest protocol has it, which no SDK knows yet."""
    made = schema_pb2.FieldData.FromString(data.SerializeToString())
    values, tag = (made.vectors, b"\x4a") if made.HasField("vectors") else (made.scalars, b"\x8a\x01")
    values.MergeFromString(tag + bytes([len(mask), *mask]))
    return made


def beside(data, *mask):
    made = schema_pb2.FieldData.FromString(data.SerializeToString())
    made.valid_data.extend(mask)
    return made


def bare(name, kind="None", *mask):
    return schema_pb2.FieldData(field_name=name, type=getattr(schema_pb2, kind), valid_data=mask)


def nulls(call, name):
    """Of each key whether its x is null."""
    found = read(call, name, "x")
    return dict(zip(found["id"].scalars.long_data.data, (not valid for valid in found["x"].valid_data)))


@pytest.mark.parametrize("kind", list(ONE))
def test_nulls_of_every_type_are_said_in_every_way(client, call, name, kind):
    more, one = ONE[kind]
    index = [INDEXES.get(kind, ("x", "FLAT", "L2"))] if "Vector" in kind else []
    loaded(client, call, name, field("x", kind, nullable=True, **more), indexes=index)
    assert insert(call, name, beside(one, True, False), ids=(1, 2)) == 0
    assert insert(call, name, inside(one, True, False), ids=(3, 4)) == 0
    assert insert(call, name, beside(inside(one, True, False), True, False), ids=(5, 6)) == 0, "twice the same"
    # Nulls alone: without values, of a type that is not said, or that is another's.
    assert insert(call, name, bare("x", kind, False, False), ids=(7, 8)) == 0
    assert insert(call, name, bare("x", "None", False, False), ids=(9, 10)) == 0
    assert insert(call, name, bare("x", "Bool", False, False), ids=(11, 12)) == 0
    other = column("x", "JSON", [], valid=[False, False])
    other.scalars.json_data.SetInParent()
    assert insert(call, name, other, ids=(13, 14)) == 0
    for what, bad in (("two that differ", beside(inside(one, True, False), False, True)),
                      ("too short", inside(one, True)), ("too long", inside(one, True, False, False)),
                      ("two values of one", inside(one, True, True)), ("no value", inside(bare("x", kind), True, False)),
                      ("nothing at all", bare("x", kind))):
        assert insert(call, name, bad, ids=(98, 99)) == 1100, what
    assert nulls(call, name) == {i: i not in (1, 3, 5) for i in range(1, 15)}
    found = read(call, name, "x")["x"]
    assert len(found.valid_data) == 14 and sum(found.valid_data) == 3, "answers have it beside the values"


@pytest.mark.parametrize("kind", list(ONE))
def test_answers_of_nulls_alone_say_their_type(client, call, name, kind):
    more, _ = ONE[kind]
    index = [INDEXES.get(kind, ("x", "FLAT", "L2"))] if "Vector" in kind else []
    loaded(client, call, name, field("x", kind, nullable=True, **more), indexes=index)
    assert insert(call, name) == 0
    for flushed in (False, True):
        if flushed:
            client.flush(name)
        found = read(call, name, "x")["x"]
        assert found.type == getattr(schema_pb2, kind) and list(found.valid_data) == [False, False]
        values = found.vectors if "Vector" in kind else found.scalars
        assert values.WhichOneof("data"), "the typed member"
        if kind not in ("SparseFloatVector",) and "Vector" in kind:
            assert values.dim == 8


@pytest.mark.parametrize("kind", [kind for kind in ONE if kind not in ("JSON", "Array") and "Vector" not in kind])
def test_nulls_become_the_default_however_they_are_said(client, call, name, kind):
    more, one = ONE[kind]
    value = {"Bool": {"bool_data": True}, "Int64": {"long_data": 1}, "Float": {"float_data": 0.5},
             "Double": {"double_data": 0.5}, "VarChar": {"string_data": "a"}, "Text": {"string_data": "a"},
             "Geometry": {"string_data": "POINT (1 2)"},
             "Timestamptz": {"string_data": "2025-01-01T00:00:00Z"}}.get(kind, {"int_data": 1})
    loaded(client, call, name, field("x", kind, **more, **default(**value)),
           field("y", kind, nullable=True, **more, **default(**value)))

    def both(data):
        copy = schema_pb2.FieldData.FromString(data.SerializeToString())
        copy.field_name = "y"
        return data, copy
    for ids, data in (((1, 2), beside(one, True, False)), ((3, 4), inside(one, False, True)),
                      ((5, 6), bare("x", kind, False, False)), ((7, 8), bare("x", "None", False, False))):
        assert insert(call, name, *both(data), ids=ids) == 0, ids
    assert insert(call, name, ids=(9, 10)) == 0
    found = read(call, name, "x", "y")
    values = [list(getattr(data.scalars, data.scalars.WhichOneof("data")).data) for data in (found["x"], found["y"])]
    assert values[0] == values[1] == [values[0][0]] * 10 and values[0][0]
    assert not found["x"].valid_data and all(found["y"].valid_data)


def test_dynamic_keys_that_are_null_are_none(client, call, name):
    loaded(client, call, name, enable_dynamic_field=True)

    def keys(values, mask, is_dynamic=True):
        data = column("$meta", "JSON", values, valid=mask)
        data.is_dynamic = is_dynamic
        return data
    assert insert(call, name, keys([b'{"a": 1}'], [True, False]), ids=(1, 2)) == 0
    assert insert(call, name, keys([b'{"a": 1}', b'{"a": 1}'], [True, True]), ids=(3, 4)) == 0
    assert insert(call, name, keys([], [False, False], is_dynamic=False), ids=(5, 6)) == 0
    assert insert(call, name, keys([b'{"a": 1}', b"{}"], [True, False]), ids=(7, 8)) == 1100
    assert count(client, name) == 6 and count(client, name, "a == 1") == 3 and count(client, name, "not exists a") == 3
    # In a part of a row they change nothing.
    assert upsert(call, name, [column("id", "Int64", [1, 2]), keys([b'{"b": 2}'], [False, True])], rows=2,
                  partial_update=True) == 0
    assert count(client, name, "a == 1") == 3 and count(client, name, "b == 2") == 1


def test_elements_of_lists_are_not_null(client, call, name):
    loaded(client, call, name, field("x", "Array", element_type=schema_pb2.Int64, params={"max_capacity": 4}))
    for code, mask in ((0, (1, 1)), (1100, (1, 0)), (1100, (0,))):
        data = elements("x", "Int64", [[1, 2], [3]], "long_data")
        data.scalars.array_data.data[0].MergeFromString(b"\x8a\x01" + bytes([len(mask), *mask]))
        assert insert(call, name, data) == code, mask


def test_a_struct_without_anything_is_left_out(client, call, name):
    if not hasattr(milvus_pb2, "AddCollectionStructFieldRequest"):
        pytest.skip("of 3.0")
    parts = (part("number"), part("clip", "FloatVector", "ArrayOfVector"))
    for turn, nullable in enumerate((True, False)):
        made = f"{name}_{turn}"
        assert call("CreateCollection", create(made, KEY, VECTOR, struct_array_fields=[
            struct(*parts, nullable=nullable)])).code == 0
        client.create_index(made, index_of_structs(client))
        client.load_collection(made)
        number, clip = bare("number"), bare("clip")
        fine = 0 if nullable else 1100
        assert insert(call, made, things(number, clip), ids=(1, 2)) == fine
        assert insert(call, made, things(bare("number", "Array", False, False), bare("clip", "None", False, False)),
                      ids=(3, 4)) == fine
        assert insert(call, made, things(inside(numbers([[1]]), False, True), inside(lists([TWO[:DIM]]), False, True)),
                      ids=(5, 6)) == fine
        for what, bad in (("an unknown part", things(number, clip, bare("more"))),
                          ("another part", things(number, bare("more"))), ("a part alone", things(number)),
                          ("an unknown struct", things(number, clip, name="others")),
                          ("values of one part", things(numbers([[1], [2]]), clip)),
                          ("a mask of one part", things(bare("number", "Array", False, False), clip))):
            assert insert(call, made, bad, ids=(8, 9)) == 1100, what
        rows = client.query(made, "id >= 0", output_fields=["things"], consistency_level="Strong") if nullable else []
        assert [row["things"] is None for row in rows] == [True, True, True, True, True, False][:len(rows)]
        if nullable:
            found = read(call, made, "things")["things"].struct_arrays.fields
            assert [len(found[0].scalars.array_data.data), len(found[1].vectors.vector_array.data)] == [6, 6], "dense"
            assert all(list(one.valid_data).count(True) == 1 and len(one.valid_data) == 6 for one in found)
        client.drop_collection(made)
