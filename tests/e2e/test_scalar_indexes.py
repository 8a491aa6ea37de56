"""Every scalar index type, end to end: built on flushed rows, described as given, the same answers with and without."""
import time

import pytest
from pymilvus import DataType, MilvusException

from support import add_index, vectors

ROWS = 3000
# Name: field, type, parameters.
INDEXES = {
    "sorted": ("n", "STL_SORT", {}),
    "inverted": ("f", "INVERTED", {}),
    "bitmap": ("c", "BITMAP", {}),
    "trie": ("s", "Trie", {}),
    "ngram": ("t", "NGRAM", {"min_gram": 2, "max_gram": 3}),
    "auto": ("flag", "AUTOINDEX", {}),
    "of_array": ("a", "INVERTED", {}),
    "of_json": ("j", "INVERTED", {"json_path": "j['k']['x']", "json_cast_type": "DOUBLE"}),
    "of_json_too": ("j", "STL_SORT", {"json_path": "j['name']", "json_cast_type": "VARCHAR"}),
    "of_dynamic": ("color", "BITMAP", {"json_path": "color", "json_cast_type": "VARCHAR"}),
}
FILTERS = {
    "n == 77": lambda r: r["n"] == 77,
    "100 <= n < 120": lambda r: 100 <= r["n"] < 120,
    "not (n > 10)": lambda r: r["n"] <= 10,
    "n in [5, 6, 1000000]": lambda r: r["n"] in (5, 6),
    "f > 0.99": lambda r: r["f"] > 0.99,
    "c == 3 and f < 0.1": lambda r: r["c"] == 3 and r["f"] < 0.1,
    "c is null": lambda r: r["c"] is None,
    "not (c == 3)": lambda r: r["c"] is not None and r["c"] != 3,
    "s like 'name 12%'": lambda r: r["s"].startswith("name 12"),
    "s == 'name 7' or n == 8": lambda r: r["s"] == "name 7" or r["n"] == 8,
    "t like '%q77z%'": lambda r: "q77z" in r["t"],
    "t like '%q7%z'": lambda r: "q7" in r["t"] and r["t"].endswith("z"),
    "t =~ 'q7[0-3]z'": lambda r: any(f"q7{d}z" in r["t"] for d in range(4)),
    "flag == true and n < 50": lambda r: r["flag"] and r["n"] < 50,
    "array_contains(a, 13)": lambda r: 13 in r["a"],
    "array_contains_all(a, [1, 2])": lambda r: {1, 2} <= set(r["a"]),
    "j['k']['x'] < 20": lambda r: "k" in r["j"] and r["j"]["k"]["x"] < 20,
    "not (j['k']['x'] >= 20)": lambda r: "k" in r["j"] and r["j"]["k"]["x"] < 20,
    "j['name'] == 'name 9'": lambda r: r["j"].get("name") == "name 9",
    "color == 'red' and n < 100": lambda r: r.get("color") == "red" and r["n"] < 100,
}


def row(i, vector):
    made = {"id": i, "n": i * 7 % ROWS, "f": i / ROWS, "c": None if i % 11 == 0 else i % 5, "s": f"name {i}",
            "t": f"some q{i % 100}z text {i}" + ("z" if i % 2 else ""), "flag": i % 3 == 0,
            "a": [i % 7, i % 50, i % 3], "j": {"name": f"name {i % 100}"}, "v": vector}
    if i % 4:
        made["j"]["k"] = {"x": i % 1000}
    if i % 6 == 0:
        made["color"] = "red" if i % 12 == 0 else "blue"
    return made


@pytest.fixture
def filled(client, name):
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT32)
    schema.add_field("f", DataType.DOUBLE)
    schema.add_field("c", DataType.INT8, nullable=True)
    schema.add_field("s", DataType.VARCHAR, max_length=64)
    schema.add_field("t", DataType.VARCHAR, max_length=64)
    schema.add_field("flag", DataType.BOOL)
    schema.add_field("a", DataType.ARRAY, element_type=DataType.INT64, max_capacity=8)
    schema.add_field("j", DataType.JSON)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    rows = [row(i, vector) for i, vector in enumerate(vectors(ROWS, 4).tolist())]
    client.insert(name, rows)
    client.flush(name)
    add_index(client, name, "FLAT", field="v")
    client.load_collection(name)
    return rows


def check(client, name, rows):
    for text, passes in FILTERS.items():
        found = sorted(r["id"] for r in client.query(name, filter=text, output_fields=["id"]))
        assert found == [r["id"] for r in rows if passes(r)], text


def test_answers_are_the_same_with_every_index(client, name, filled):
    check(client, name, filled)
    for index_name, (field, kind, params) in INDEXES.items():
        indexes = client.prepare_index_params()
        indexes.add_index(field, index_type=kind, index_name=index_name, params=params)
        client.create_index(name, indexes)
    deadline = time.time() + 60
    while any(client.describe_index(name, index)["state"] != "Finished" for index in INDEXES):
        assert time.time() < deadline, "the indexes are not built"
        time.sleep(0.1)
    for index_name, (field, kind, params) in INDEXES.items():
        told = client.describe_index(name, index_name)
        assert (told["field_name"], told["index_type"]) == (field, kind), told
        assert {key: told[key] for key in params} == {key: str(value) for key, value in params.items()}, told
    check(client, name, filled)
    client.insert(name, [row(ROWS, [0.0] * 4)])  # Growing rows are beside the indexed ones.
    check(client, name, filled + [row(ROWS, None)])
    client.delete(name, filter="t like '%q77z%'")
    check(client, name, [r for r in filled + [row(ROWS, None)] if "q77z" not in r["t"]])
    for index_name in INDEXES:
        client.drop_index(name, index_name)


def test_a_json_field_has_one_index_for_each_path(client, name, filled):
    def add(path, index_name="", cast="DOUBLE"):
        indexes = client.prepare_index_params()
        indexes.add_index("j", index_type="INVERTED", index_name=index_name,
                          params={"json_path": path, "json_cast_type": cast})
        client.create_index(name, indexes)
    add("j['k']['x']")
    assert client.list_indexes(name, field_name="j") == ["j/k/x"]
    add("j['k']['x']")  # The same once more is nothing new.
    with pytest.raises(MilvusException) as refused:
        add("j['k']['x']", index_name="other", cast="VARCHAR")
    assert refused.value.code == 1100
    add("j['name']", cast="VARCHAR")
    assert sorted(client.list_indexes(name, field_name="j")) == ["j/k/x", "j/name"]


def built(client, name, field):
    """What AUTOINDEX has become, once every row has it."""
    for _ in range(300):
        shown = client.describe_index(name, field)
        if shown["pending_index_rows"] == 0 and shown["state"] == "Finished":
            return shown
        time.sleep(0.1)
    pytest.fail("the index is never whole")


JSON_FILTERS = {
    "j['k']['x'] == 20": lambda r: "k" in r["j"] and r["j"]["k"]["x"] == 20,
    "j['k']['x'] < 20 and n > 5": lambda r: "k" in r["j"] and r["j"]["k"]["x"] < 20 and r["n"] > 5,
    "j['name'] in ['name 1', 'name 2', 'none']": lambda r: r["j"].get("name") in ("name 1", "name 2"),
    "j['name'] like 'name 9%'": lambda r: r["j"].get("name", "").startswith("name 9"),
    "not (j['k']['x'] >= 20)": lambda r: "k" in r["j"] and r["j"]["k"]["x"] < 20,
    "j['name'] == 20": lambda r: False,
    "j['nowhere']['x'] == 1": lambda r: False,
}


def test_an_index_on_whole_documents_changes_no_answer(client, name, filled):
    client.flush(name)
    indexes = client.prepare_index_params()
    indexes.add_index("j", index_type="INVERTED", index_name="whole",
                      params={"json_path": "j", "json_cast_type": "json"})
    client.create_index(name, indexes)
    built(client, name, "whole")
    for text, keeps in JSON_FILTERS.items():
        found = [r["id"] for r in client.query(name, text, output_fields=["id"], limit=ROWS)]
        assert found == [r["id"] for r in filled if keeps(r)], text
    for kind, params in (("STL_SORT", {"json_cast_type": "JSON"}), ("INVERTED", {"json_cast_type": "STRING_TO_DOUBLE"}),
                         ("INVERTED", {"json_cast_type": "VARCHAR", "json_cast_function": "STRING_TO_DOUBLE"}),
                         ("INVERTED", {"json_cast_type": "DOUBLE", "json_cast_function": "DOUBLE_TO_STRING"})):
        indexes = client.prepare_index_params()
        indexes.add_index("j", index_type=kind, index_name="bad", params={"json_path": "j['name']", **params})
        with pytest.raises(MilvusException) as caught:
            client.create_index(name, indexes)
        assert caught.value.code == 1100


def test_texts_count_as_numbers_where_an_index_casts_them(client, name):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("j", DataType.JSON)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    values = ["1.5", " 2 apples", "+3", "x", True, 4, None, "-1e3", "1.5.2", ""] * 150
    data = vectors(len(values), 4).tolist()
    half = len(values) // 2
    rows = [{"id": i, "j": {"price": value}, "v": data[i]} for i, value in enumerate(values)]
    client.insert(name, rows[:half])
    client.flush(name)
    indexes = client.prepare_index_params()
    indexes.add_index("v", index_type="FLAT", metric_type="L2")
    indexes.add_index("j", index_type="INVERTED", index_name="price", params={
        "json_path": "j['price']", "json_cast_type": "double", "json_cast_function": "string_to_double"})
    client.create_index(name, indexes)
    built(client, name, "price")
    client.load_collection(name)
    client.insert(name, rows[half:])  # The index does not know these, and they are judged alike.
    numbers = {0: 1.5, 1: 2, 2: 3, 5: 4, 7: -1000, 8: 1.5}
    for text, keeps in (("> 1", lambda x: x > 1), ("== 1.5", lambda x: x == 1.5), ("in [2, 4]", lambda x: x in (2, 4)),
                        ("< 0", lambda x: x < 0)):
        found = [r["id"] for r in client.query(name, f"j['price'] {text}", output_fields=["id"], limit=len(values))]
        assert found == [i for i in range(len(values)) if i % 10 in numbers and keeps(numbers[i % 10])], text
    told = {field["name"]: field for field in client.describe_collection(name)["fields"]}
    assert told["j"]["params"] == {}, "how it is kept is nobody's business"
    client.drop_index(name, "price")
    found = client.query(name, "j['price'] > 1", output_fields=["id"], limit=len(values))
    assert {row["id"] % 10 for row in found} == {5}, "texts are texts again"


def test_autoindex_says_what_it_has_become(client, name, filled):
    wanted = {"n": "STL_SORT", "c": "BITMAP", "flag": "BITMAP", "s": "STL_SORT", "a": "BITMAP"}
    for field in wanted:
        indexes = client.prepare_index_params()
        indexes.add_index(field, index_type="AUTOINDEX")
        client.create_index(name, indexes)
    for field, kind in wanted.items():
        built(client, name, field)
        shown = client.describe_index(name, field)
        assert shown["index_type"] == "AUTOINDEX"
        assert kind in str(shown), (field, shown)
    client.drop_index(name, "a")
    indexes = client.prepare_index_params()
    indexes.add_index("a", index_type="AUTOINDEX", params={"bitmap_cardinality_limit": 5})
    client.create_index(name, indexes)
    built(client, name, "a")
    assert "INVERTED" in str(client.describe_index(name, "a"))
    for limit in ("0", "1001", "x"):
        client.drop_index(name, "a")
        indexes = client.prepare_index_params()
        indexes.add_index("a", index_type="AUTOINDEX", params={"bitmap_cardinality_limit": limit})
        with pytest.raises(MilvusException) as caught:
            client.create_index(name, indexes)
        assert caught.value.code == 1100
