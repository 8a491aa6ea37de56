"""Values of every type: given, null, left out, replaced and updated in part, in fresh rows and in stored ones, before and
after a restart; a model in Python says what every query and search has to answer."""
import copy

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient
from test_vector_types import stored

NONE = object()  # There is no default of this type.


def half(*values):
    return np.array(values, np.float16)


def bfloat(*values):
    """The upper halves of float32 numbers."""
    return (np.array(values, np.float32).view(np.uint32) >> 16).astype(np.uint16).tobytes()


def int8(*values):
    return np.array(values, np.int8)


# Name: what the schema says, two values, and the default. Numbers are exact in their type.
SCALARS = {
    "flag": (DataType.BOOL, {}, True, False, True),
    "tiny": (DataType.INT8, {}, -128, 127, -1),
    "small": (DataType.INT16, {}, -32768, 32767, -2),
    "middle": (DataType.INT32, {}, -2 ** 31, 2 ** 31 - 1, -3),
    "large": (DataType.INT64, {}, -2 ** 63, 2 ** 63 - 1, -4),
    "real": (DataType.FLOAT, {}, 0.5, -2.0 ** 127, 1.25),
    "wide": (DataType.DOUBLE, {}, 0.1, -1.0e308, 2.5),
    "word": (DataType.VARCHAR, {"max_length": 6}, "\u4e2d\u4e2d", "", "plain"),
    "doc": (DataType.JSON, {}, {"a": [1, None, {"b": "c"}], "n": 2 ** 53 + 1}, [], NONE),
    "place": (DataType.GEOMETRY, {}, "POINT (1 2)", "LINESTRING (0 0, 1 1.5)", "POINT (0 0)"),
    "moment": (DataType.TIMESTAMPTZ, {}, "2025-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.5Z", "2000-01-01T00:00:00Z"),
}
if hasattr(DataType, "TEXT"):
    SCALARS["text"] = (DataType.TEXT, {}, "long " * 2000, "", "by default")
ELEMENTS = {"flags": (DataType.BOOL, [True, False], []), "tinies": (DataType.INT8, [-128, 127], [0]),
            "smalls": (DataType.INT16, [-32768, 32767], [0]), "middles": (DataType.INT32, [-2 ** 31, 2 ** 31 - 1], []),
            "larges": (DataType.INT64, [-2 ** 63, 2 ** 63 - 1], [5]), "reals": (DataType.FLOAT, [0.5, -0.25], []),
            "wides": (DataType.DOUBLE, [0.1, 1e300], [2.0]), "words": (DataType.VARCHAR, ["\u00e9", ""], [])}
VECTORS = {
    "floats": (DataType.FLOAT_VECTOR, {"dim": 2}, [0.5, -1.5], [0.0, 0.0], "FLAT", "L2"),
    "halves": (DataType.FLOAT16_VECTOR, {"dim": 2}, half(0.5, 65504), half(1, 2), "FLAT", "L2"),
    "bfloats": (DataType.BFLOAT16_VECTOR, {"dim": 2}, bfloat(0.5, 2), bfloat(1, -1), "FLAT", "L2"),
    "bytes": (DataType.INT8_VECTOR, {"dim": 2}, int8(-128, 127), int8(1, 2), "FLAT", "L2"),
    "bits": (DataType.BINARY_VECTOR, {"dim": 16}, b"\x01\xff", b"\x80\x00", "BIN_FLAT", "HAMMING"),
    "sparse": (DataType.SPARSE_FLOAT_VECTOR, {}, {0: 0.5, 2 ** 32 - 2: 1.0}, {7: 2.0}, "SPARSE_INVERTED_INDEX", "IP"),
}


def kinds():
    """Each field beside key and vector: its name, its arguments, two values, what is there when it is null or left out."""
    for name, (kind, params, one, other, default) in SCALARS.items():
        yield name, dict(params, datatype=kind, nullable=True), one, other, None
        if default is not NONE:
            yield name + "_or", dict(params, datatype=kind, nullable=True, default_value=default), one, other, default
            yield name + "_must", dict(params, datatype=kind, default_value=default), one, other, default
    for name, (element, one, other) in ELEMENTS.items():
        params = {"max_capacity": 2, **({"max_length": 2} if element == DataType.VARCHAR else {})}
        yield name, dict(params, datatype=DataType.ARRAY, element_type=element, nullable=True), one, other, None
    for name, (kind, params, one, other, *_) in VECTORS.items():
        yield name, dict(params, datatype=kind, nullable=True), one, other, None
    if hasattr(MilvusClient, "add_collection_struct_field"):  # Null structs are of 3.0.
        yield ("clips", dict(datatype=DataType.ARRAY, element_type=DataType.STRUCT, max_capacity=4, nullable=True),
               [{"label": "a", "spot": [0.5, 1.5]}, {"label": "", "spot": [0.0, -1.0]}], [], None)


FIELDS = {name: rest for name, *rest in kinds()}
UNFILTERED = {*VECTORS, "text", "text_or", "text_must", "clips"}


def parts_of_clips(client):
    parts = client.create_struct_field_schema()
    parts.add_field("label", DataType.VARCHAR, max_length=4)
    parts.add_field("spot", DataType.FLOAT_VECTOR, dim=2)
    return parts


def index_of(client, field):
    """How the field is indexed, where it has to be."""
    index, metric = ("FLAT", "MAX_SIM_L2") if field == "clips" else VECTORS[field][4:]
    indexes = client.prepare_index_params()
    indexes.add_index("clips[spot]" if field == "clips" else field, index_type=index, metric_type=metric)
    return indexes


def make(client, name, fields):
    schema, indexes = client.create_schema(auto_id=False), client.prepare_index_params()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    indexes.add_index("v", index_type="FLAT", metric_type="L2")
    for field in fields:
        arguments, *_ = FIELDS[field]
        if field == "clips":
            arguments = dict(arguments, struct_schema=parts_of_clips(client))
        schema.add_field(field, **arguments)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    client.create_index(name, indexes)
    for field in fields:
        if field == "clips" or field in VECTORS:
            client.create_index(name, index_of(client, field))
    client.load_collection(name)


def add(client, name, field):
    """The field comes to a collection that lives."""
    arguments = dict(FIELDS[field][0])
    if field == "clips":
        client.add_collection_struct_field(name, field, parts_of_clips(client), max_capacity=arguments["max_capacity"])
    else:
        client.add_collection_field(name, field, arguments.pop("datatype"), **arguments)
    if field == "clips" or field in VECTORS:
        client.create_index(name, index_of(client, field))


class Rows:
    """What is written to a collection, and what it has to be then."""

    def __init__(self, client, name, fields=tuple(FIELDS)):
        self.client, self.name, self.fields, self.want = client, name, fields, {}

    def write(self, key, values, partial=False):
        """`values`: for each field that is given 0 or 1 (its one or other value) or None (null)."""
        given = {field: value if value is None else copy.copy(FIELDS[field][1 + value])
                 for field, value in values.items()}
        row = {"id": key, **given}
        if not partial or key not in self.want:
            row["v"] = [float(key), 0.0]
        if key in self.want or partial:
            self.client.upsert(self.name, [row], partial_update=partial)
        else:
            self.client.insert(self.name, [row])
        kept = self.want.get(key, {}) if partial else {}
        self.want[key] = {field: (FIELDS[field][3] if given[field] is None else given[field]) if field in given
                          else kept.get(field, FIELDS[field][3]) for field in self.fields}

    def begin(self, *fields):
        """These fields are added: all rows have their defaults."""
        for field in fields:
            add(self.client, self.name, field)
            for row in self.want.values():
                row[field] = FIELDS[field][3]
        self.fields += fields

    def check(self):
        rows = self.client.query(self.name, "id >= 0", output_fields=["*"], limit=100)
        hits = self.client.search(self.name, [[0.0, 0.0]], anns_field="v", limit=100, output_fields=["*"])[0]
        for found in ({row["id"]: row for row in rows}, {hit["id"]: hit["entity"] for hit in hits}):
            assert sorted(found) == sorted(self.want)
            for key, row in found.items():
                for field in self.fields:
                    assert plain(field, row[field]) == plain(field, self.want[key][field]), (key, field)
        for field in set(self.fields) - UNFILTERED:
            null = [key for key, row in self.want.items() if row[field] is None]
            got = self.client.query(self.name, f"{field} is null", output_fields=["id"], limit=100)
            assert sorted(row["id"] for row in got) == sorted(null), field


def plain(field, value):
    """A value in one form, however the SDK wraps it."""
    if field == "clips" and value is not None:
        return [(clip["label"], list(map(float, clip["spot"]))) for clip in value]
    if value is None or field not in VECTORS:
        return value
    if field == "floats":
        return list(map(float, value))
    value = stored(value)
    return {int(at): float(of) for at, of in value.items()} if field == "sparse" else value


EVERY = {field: 0 for field in FIELDS}
OTHER = {field: 1 for field in FIELDS}
NULLS = dict.fromkeys(FIELDS)
EVEN = list(FIELDS)[::2]


def change(rows, first):
    """Rows `first` to `first` + 9: each in its own way."""
    for key in range(first, first + 10):
        rows.write(key, NULLS if key == first + 1 else {} if key == first + 2 else EVERY)
    rows.write(first + 3, OTHER)
    rows.write(first + 4, {})
    rows.write(first + 5, NULLS, partial=True)
    rows.write(first + 6, {field: 1 for field in EVEN}, partial=True)
    rows.write(first + 7, dict.fromkeys(EVEN), partial=True)
    rows.write(first + 1, OTHER, partial=True)
    rows.write(first + 2, {field: 1 for field in EVEN}, partial=True)
    rows.write(first + 8, {}, partial=True)
    rows.write(first + 10, {field: 0 for field in EVEN}, partial=True)
    rows.write(first + 11, NULLS, partial=True)


def test_values_of_every_type_are_what_was_written_last(own_server):
    client = MilvusClient(uri=own_server.uri)
    make(client, "c", FIELDS)
    rows = Rows(client, "c")
    change(rows, 0)
    rows.check()
    client.flush("c")
    rows.check()
    # Stored rows change as fresh ones do.
    for key in range(20, 30):
        rows.write(key, EVERY if key % 2 else NULLS)
    client.flush("c")
    for key in range(20, 30):
        half = {field: None if key % 3 else 1 for field in EVEN}
        rows.write(key, half, partial=key < 27)
    rows.check()
    client.close()
    own_server.kill()
    own_server.start()
    rows.client = MilvusClient(uri=own_server.uri)
    rows.check()
    change(rows, 40)
    rows.client.flush("c")
    rows.check()
    rows.client.release_collection("c")
    rows.client.load_collection("c")
    rows.check()
    rows.client.close()


def later():
    """The fields that may come later: those of 2.6 are no vectors."""
    with_vectors = hasattr(MilvusClient, "add_collection_struct_field")
    for field, (arguments, *_) in FIELDS.items():
        if arguments.get("nullable") and field != "text_or" and (with_vectors or field not in VECTORS):
            yield field


def test_rows_from_before_a_field_have_its_default_whatever_its_type(own_server):
    """And take values as rows from after it do."""
    fields = tuple(later())
    client = MilvusClient(uri=own_server.uri)
    make(client, "c", ())
    rows = Rows(client, "c", ())
    for key in range(10):
        rows.write(key, {})
        if key == 4:
            client.flush("c")
    rows.begin(*fields[::2])
    for key in range(10, 14):
        rows.write(key, {field: 0 for field in fields[::2]})
    rows.begin(*fields[1::2])
    rows.check()
    for key in (0, 1, 5, 6, 10):
        rows.write(key, {field: 1 for field in fields[key % 2::3]}, partial=True)
    for key in (2, 7, 11):
        rows.write(key, {field: 0 for field in fields})
    for key in (3, 8, 12):
        rows.write(key, dict.fromkeys(fields), partial=True)
    rows.check()
    client.flush("c")
    rows.check()
    client.close()
    own_server.kill()
    own_server.start()
    rows.client = MilvusClient(uri=own_server.uri)
    rows.check()
    for key in range(14):
        rows.write(key, {field: key % 2 for field in fields[key % 3::3]}, partial=True)
    rows.check()
    rows.client.release_collection("c")
    rows.client.load_collection("c")
    rows.check()
    rows.client.close()
