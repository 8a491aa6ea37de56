"""The reference's table of filters, and its sentences as filters, through the SDK, with the rows growing, sealed and
indexed."""
import json
import os

import pytest
from pymilvus import DataType, MilvusException

from support import add_index, refused, vectors

ROWS = [
    (1, 10, 1, 1.5, True, "alpha", [1, 2, 3], ["red", "blue"], {"a": 1, "b": {"c": "x"}, "l": [1, 2, "z"]}),
    (2, 20, None, 2.0, False, "beta", [2], [], {"a": 1.5, "b": {"c": "y"}, "l": []}),
    (3, 30, -3, -0.5, True, None, None, ["red"], {"a": "one", "b": None}),
    (4, 40, 127, 4.0, False, "a%b", [], ["green", "red"], None),
    (5, 50, 0, 5.25, True, "Alphabet", [5, 5, 7, 9], ["blue"], {"a": True, "l": [[1, 2], [3]]}),
    (6, -60, -128, 0.0, False, "", [-1], ["Red"], {"a": {"z": 0}, "l": [2.0]}),
]
MORE = [
    ("the quick brown fox", "POINT(0 0)", "2025-01-01T00:00:00Z", "1p 5q", {"color": "red", "size": 7}),
    ("quick red dog", "POINT(2 2)", "2025-01-31T00:00:00Z", "2p", {"color": "blue"}),
    ("brown fox jumps", "POLYGON((0 0,4 0,4 4,0 4,0 0))", None, "", {}),
    ("", None, "2025-03-01T12:00:00Z", "9q 1p 3p", {"size": 9, "meta": {"x": 1}}),
    ("lazy dog quick", "LINESTRING(1 1,3 3)", "2024-12-31T23:59:59Z", "4r", {"color": None}),
    ("fox quick the", "POINT(10 0)", "2025-01-01T08:00:00+08:00", "1p 1p", {"size": "7"}),
]


def table():
    """Number or section, filter, values of its placeholders, outcome."""
    for name in ("filter_table.txt", "filter_rules.txt"):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), encoding="utf-8") as lines:
            for line in lines:
                if not line.startswith("#"):
                    number, text, values, outcome = (part.strip() for part in line.split(" | "))
                    given = (one.split("=", 1) for one in values.split())
                    values = {key: json.loads(value) for key, value in given}
                    yield number, text.replace("\u00a6", "|"), values, outcome


def make(client, name):
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT64)
    schema.add_field("n8", DataType.INT8, nullable=True)
    schema.add_field("f", DataType.DOUBLE)
    schema.add_field("flag", DataType.BOOL)
    schema.add_field("s", DataType.VARCHAR, max_length=64, nullable=True)
    schema.add_field("ai", DataType.ARRAY, element_type=DataType.INT64, max_capacity=8, nullable=True)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=8, max_length=16)
    schema.add_field("j", DataType.JSON, nullable=True)
    schema.add_field("txt", DataType.VARCHAR, max_length=64, enable_analyzer=True, enable_match=True)
    schema.add_field("g", DataType.GEOMETRY, nullable=True)
    schema.add_field("ts", DataType.TIMESTAMPTZ, nullable=True)
    parts = client.create_struct_field_schema()
    parts.add_field("k", DataType.INT64)
    parts.add_field("tag", DataType.VARCHAR, max_length=8)
    schema.add_field("evs", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=parts, max_capacity=8)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    add_index(client, name, "FLAT", field="v")
    client.load_collection(name)
    names = ("id", "n", "n8", "f", "flag", "s", "ai", "tags", "j")
    data = vectors(len(ROWS), 4).tolist()
    made = []
    for at, (row, (txt, g, ts, evs, dynamic)) in enumerate(zip(ROWS, MORE)):
        structs = [{"k": int(one[:-1]), "tag": one[-1]} for one in evs.split()]
        made.append({**dict(zip(names, row)), "txt": txt, "g": g, "ts": ts, "evs": structs, "v": data[at], **dynamic})
    client.insert(name, made)


INDEXES = {"n": "STL_SORT", "n8": "BITMAP", "f": "INVERTED", "flag": "AUTOINDEX", "s": "Trie", "ai": "INVERTED",
           "tags": "AUTOINDEX", "ts": "STL_SORT", "g": "RTREE", "evs[k]": "INVERTED", "evs[tag]": "BITMAP"}


def add_indexes(client, name):
    for field, kind in INDEXES.items():
        indexes = client.prepare_index_params()
        indexes.add_index(field, index_type=kind)
        client.create_index(name, indexes)
    indexes = client.prepare_index_params()
    indexes.add_index("j", index_type="INVERTED", params={"json_path": "j", "json_cast_type": "JSON"})
    client.create_index(name, indexes)


@pytest.mark.parametrize("state", ["growing", "sealed", "indexed"])
def test_every_line_of_the_table(client, name, state):
    make(client, name)
    if state == "indexed":
        add_indexes(client, name)
    if state != "growing":
        client.flush(name)
    wrong = []
    for number, text, values, outcome in table():
        try:
            rows = client.query(name, text, output_fields=["id"], limit=100, filter_params=values)
            found = " ".join(str(one) for one in sorted({row["id"] for row in rows})) or "none"
        except MilvusException as error:
            found = {1100: "E", 2000: "X"}.get(error.code, f"code {error.code}")
        wanted = "1 2 3 4 5 6" if outcome == "all" else outcome
        if found != wanted:
            wrong.append(f"{number}: {text}  {values}  gives {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)
    if state == "growing":
        return
    seen = {row["id"] for row in client.query(name, "random_sample(0.5)", output_fields=["id"], limit=100)}
    assert seen and seen <= set(range(1, 7))
    one = client.query(name, "n > 0 and random_sample(0.01)", output_fields=["id"], limit=100)
    assert len(one) == 1 and one[0]["id"] in range(1, 6)
    assert len(client.query(name, "", output_fields=["id"], limit=100)) == 6
    with refused(1100, "limit"):
        client.query(name, "", output_fields=["id"])
    with refused(1100, "always true"):
        client.delete(name, filter="1 == 1")
