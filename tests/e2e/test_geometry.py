"""Geometries: written and read as text, every spatial filter as shapely has it, in every state of the rows."""
import math
import random
import time
import uuid

import pytest
import shapely
from pymilvus import DataType, MilvusClient
from shapely import wkt

from support import add_index, count, refused

ROWS = 1500  # More than a segment needs to get an index.
AREA = "POLYGON ((-10 -10, 30 -15, 40 30, 5 45, -20 20, -10 -10), (0 0, 8 0, 8 8, 0 8, 0 0))"
RELATIONS = {
    "equals": shapely.equals,
    "touches": shapely.touches,
    "overlaps": shapely.overlaps,
    "crosses": shapely.crosses,
    "contains": shapely.contains,
    "intersects": shapely.intersects,
    "within": shapely.within,
}
CONSTANTS = [
    AREA,
    "POLYGON ((0 0, 8 0, 8 8, 0 8, 0 0))",
    "POINT (8 8)",
    "LINESTRING (-50 -50, 50 50)",
    "MULTIPOINT ((1 1), (8 8), (200 200))",
    "MULTIPOLYGON (((0 0, 3 0, 3 3, 0 0)), ((20 20, 25 20, 25 25, 20 20)))",
    "POLYGON EMPTY",
]


def shape(i):
    """Points, lines, polygons with and without holes, several of them, empty ones, invalid ones; every seventh null."""
    draw = random.Random(i)
    x, y = draw.randint(-60, 60), draw.randint(-60, 60)
    if i % 7 == 0:
        return None
    kind = i % 11
    if kind == 1:
        return "POINT EMPTY"
    if kind == 2:
        return f"LINESTRING ({x} {y}, {x + draw.randint(1, 9)} {y}, {x + 3} {y + 5})"
    if kind == 3:
        return f"POLYGON (({x} {y}, {x + 8} {y}, {x + 8} {y + 8}, {x} {y + 8}, {x} {y}))"
    if kind == 4:
        return f"POLYGON (({x} {y}, {x + 9} {y}, {x + 9} {y + 9}, {x} {y}), ({x + 6} {y + 1}, {x + 8} {y + 1}, " \
               f"{x + 8} {y + 3}, {x + 6} {y + 1}))"
    if kind == 5:
        return f"MULTIPOINT (({x} {y}), ({y} {x}))"
    if kind == 6:
        return f"POLYGON (({x} {y}, {x + 2} {y + 2}, {x + 2} {y}, {x} {y + 2}, {x} {y}))"  # Crosses itself.
    if kind == 8:
        return f"MULTILINESTRING (({x} {y}, {x + 1} {y + 1}), ({y} {x}, {y} {x + 4}))"
    return f"POINT ({x + draw.random():.6f} {y + draw.random():.6f})" if kind == 9 else f"POINT ({x} {y})"


def row(i):
    return {"id": i, "g": shape(i), "n": i % 100, "v": [float(i % 17), 1.0]}


def make(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("g", DataType.GEOMETRY, nullable=True)
    schema.add_field("n", DataType.INT64)
    schema.add_field("home", DataType.GEOMETRY, default_value="point(7 8)")
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection(name, schema=schema, consistency_level="Strong")
    add_index(client, name, "FLAT", field="v")
    client.load_collection(name)


def found(client, name, text, **more):
    return sorted(r["id"] for r in client.query(name, filter=text, output_fields=["id"], **more))


def metres(shape_of_row, x, y):
    """What st_dwithin measures: great circles between points, else degrees as long as at the point."""
    if shape_of_row.geom_type == "Point":
        half = [math.radians(b - a) / 2 for a, b in ((y, shape_of_row.y), (x, shape_of_row.x))]
        cosines = math.cos(math.radians(y)) * math.cos(math.radians(shape_of_row.y))
        return 2 * 6371000 * math.asin(math.sqrt(math.sin(half[0]) ** 2 + cosines * math.sin(half[1]) ** 2))
    degree = 111320 * math.sqrt((1 + math.cos(math.radians(y)) ** 2) / 2)
    return shapely.distance(shape_of_row, shapely.Point(x, y)) * degree


def check(client, name, rows):
    """Every spatial function against shapely; of rows that cross themselves only st_isvalid is asked."""
    shapes = {i: wkt.loads(text) for i, text in rows.items() if text is not None}
    plain = {i: s for i, s in shapes.items() if s.is_valid}
    for relation, passes in RELATIONS.items():
        for text in CONSTANTS:
            wanted = [i for i, s in plain.items() if passes(s, wkt.loads(text))]
            got = found(client, name, f"st_{relation}(g, '{text}') and st_isvalid(g)")
            assert got == wanted, f"st_{relation} {text}"
            got = found(client, name, f"st_isvalid(g) and not ST_{relation.upper()}(g, '{text}')")
            assert got == sorted(set(plain) - set(wanted)), f"not st_{relation} {text}"
    assert found(client, name, "not st_isvalid(g)") == sorted(set(shapes) - set(plain))
    assert found(client, name, "g is null") == [i for i, text in rows.items() if text is None]
    for x, y, limit in ((0, 0, 0), (5, 5, 500_000), (-40, 30, 2_000_000.5), (10, 80, 7_000_000), (170, 0, 9_000_000)):
        wanted = [i for i, s in plain.items() if not s.is_empty and metres(s, x, y) <= limit]
        got = found(client, name, f"st_dwithin(g, 'POINT({x} {y})', {limit}) and st_isvalid(g)")
        assert got == wanted, (x, y, limit)
    both = [i for i, s in plain.items() if shapely.within(s, wkt.loads(AREA)) and i % 100 < 10]
    assert found(client, name, "n < 10 and st_within(g, {area}) and st_isvalid(g)", filter_params={"area": AREA}) == both


def index_geometry(client, name, kind="RTREE"):
    indexes = client.prepare_index_params()
    indexes.add_index("g", index_type=kind, index_name="places")
    client.create_index(name, indexes)
    deadline = time.time() + 60
    while client.describe_index(name, "places")["state"] != "Finished":
        assert time.time() < deadline, "the index is not built"
        time.sleep(0.1)


def test_spatial_filters_agree_with_shapely_in_every_state(own_server):
    name = "c_" + uuid.uuid4().hex[:10]
    client = MilvusClient(uri=own_server.uri)
    make(client, name)
    rows = {i: shape(i) for i in range(ROWS)}
    client.insert(name, [row(i) for i in range(ROWS)])
    check(client, name, rows)  # Growing.
    client.flush(name)
    check(client, name, rows)  # Sealed.
    index_geometry(client, name)
    told = client.describe_index(name, "places")
    assert (told["field_name"], told["index_type"], int(told["indexed_rows"])) == ("g", "RTREE", ROWS)
    check(client, name, rows)  # Indexed.
    more = {i: shape(i) for i in range(ROWS, ROWS + 60)}
    client.insert(name, [row(i) for i in more])
    client.delete(name, filter=f"st_within(g, '{CONSTANTS[1]}') and st_isvalid(g)")
    client.upsert(name, [{**row(5), "g": "POINT (1 2)"}, {**row(6), "g": None}])
    eight = wkt.loads(CONSTANTS[1])
    rows = {i: text for i, text in {**rows, **more}.items()
            if text is None or not wkt.loads(text).is_valid or not shapely.within(wkt.loads(text), eight)}
    rows = dict(sorted({**rows, 5: "POINT (1 2)", 6: None}.items()))
    check(client, name, rows)  # Indexed and growing rows beside each other, some deleted.
    client.close()
    own_server.kill()
    own_server.start()
    client = MilvusClient(uri=own_server.uri)
    client.load_collection(name)
    check(client, name, rows)  # Restarted.
    client.flush(name)
    job = client.compact(name)
    deadline = time.time() + 60
    while client.get_compaction_state(job) != "Completed":
        assert time.time() < deadline, "the compaction does not end"
        time.sleep(0.1)
    check(client, name, rows)  # Compacted.
    assert count(client, name) == len(rows)
    client.close()


def test_geometries_come_back_in_one_form(client, name):
    make(client, name)
    texts = {1: "point(1.50 2)", 2: None, 3: "POLYGON((0 0,1 0,1 1,0 0))", 4: "multipoint(1 2, 3 4)", 5: "POINT EMPTY",
             6: "POINT Z(1 2 3)"}
    shown = {1: "POINT (1.5 2)", 2: None, 3: "POLYGON ((0 0, 1 0, 1 1, 0 0))", 4: "MULTIPOINT ((1 2), (3 4))",
             5: "POINT EMPTY", 6: "POINT Z (1 2 3)"}
    client.insert(name, [{"id": i, "g": text, "n": i, "v": [float(i), 0.0]} for i, text in texts.items()])
    for sealed in (False, True):
        if sealed:
            client.flush(name)
        got = client.query(name, filter="id > 0", output_fields=["g", "home"])
        assert {r["id"]: r["g"] for r in got} == shown
        assert {r["home"] for r in got} == {"POINT (7 8)"}
        hits = client.search(name, [[0.0, 0.0]], limit=10, output_fields=["g"])[0]
        assert {hit["id"]: hit["entity"]["g"] for hit in hits} == shown
        assert client.get(name, ids=[4], output_fields=["g"])[0]["g"] == shown[4]
        near = client.search(name, [[0.0, 0.0]], limit=10, filter="st_intersects(g, 'POINT(1.5 2)')")[0]
        assert [hit["id"] for hit in near] == [1]
    fields = {f["name"]: f for f in client.describe_collection(name)["fields"]}
    assert fields["g"]["type"] == DataType.GEOMETRY and fields["g"]["nullable"]
    assert fields["home"]["default_value"].string_data == "POINT (7 8)"


def test_what_is_no_geometry_is_refused_and_nothing_stored(client, name):
    make(client, name)
    for text in ("POINT(1", "POINT(1 2) x", "POINT(nan 1)", "POLYGON((0 0,1 0,1 1,0 2))", "circle(1 2)", ""):
        with refused(1100, "row number: 1"):
            client.insert(name, [row(1), {**row(2), "g": text}])
    assert count(client, name) == 0
    client.insert(name, [row(1)])
    for text in ("st_within(g, 'POLYGON((0 0')", "st_within(n, 'POINT(0 0)')", "st_dwithin(g, 'POINT(0 0)', -1)",
                 "st_dwithin(g, 'LINESTRING(0 0,1 1)', 1)", "g == 'POINT(0 0)'", "st_within(g, {missing})"):
        with refused(1100):
            client.query(name, filter=text)


def test_where_geometries_have_no_place(client, name):
    def schema(**more):
        made = client.create_schema()
        made.add_field("id", DataType.INT64, is_primary=True)
        made.add_field("v", DataType.FLOAT_VECTOR, dim=2)
        made.add_field("g", **more)
        return made
    with refused(1100, "default"):
        client.create_collection(name, schema=schema(datatype=DataType.GEOMETRY, default_value="POINT(1"))
    with refused(1100, "element type"):
        client.create_collection(name, schema=schema(datatype=DataType.ARRAY, element_type=DataType.GEOMETRY,
                                                     max_capacity=4))
    make(client, name)
    for kind in ("INVERTED", "STL_SORT", "BITMAP", "Trie", "HNSW"):
        indexes = client.prepare_index_params()
        indexes.add_index("g", index_type=kind)
        with refused(1100):
            client.create_index(name, indexes)
    for params in ({"mmap.enabled": True},):
        indexes = client.prepare_index_params()
        indexes.add_index("g", index_type="RTREE", params=params)
        with refused(1100):
            client.create_index(name, indexes)
    indexes = client.prepare_index_params()
    indexes.add_index("n", index_type="RTREE")
    with refused(1100):
        client.create_index(name, indexes)
    with refused(2001):
        client.insert(name, [row(1)])
        client.search(name, [[0.0, 0.0]], group_by_field="g")


@pytest.mark.parametrize("kind", ["AUTOINDEX", ""])
def test_autoindex_is_an_rtree(client, name, kind):
    make(client, name)
    client.insert(name, [row(i) for i in range(ROWS)])
    client.flush(name)
    index_geometry(client, name, kind)
    assert client.describe_index(name, "places")["index_type"] == "AUTOINDEX"
    wanted = [i for i in range(ROWS) if shape(i) and shapely.intersects(wkt.loads(shape(i)), wkt.loads("POINT (8 8)"))]
    assert found(client, name, "st_intersects(g, 'POINT (8 8)')") == wanted


def test_a_geometry_field_may_be_added_later(client, name):
    make(client, name)
    client.insert(name, [row(1), row(2)])
    client.flush(name)
    client.insert(name, [row(3)])
    client.add_collection_field(name, "spot", DataType.GEOMETRY, nullable=True)
    client.add_collection_field(name, "place", DataType.GEOMETRY, nullable=True, default_value="point(5 6)")
    client.insert(name, [{**row(4), "spot": "POINT (1 1)", "place": "POINT (2 2)"}])
    got = {r["id"]: (r["spot"], r["place"]) for r in
           client.query(name, filter="id > 0", output_fields=["spot", "place"])}
    assert got == {1: (None, "POINT (5 6)"), 2: (None, "POINT (5 6)"), 3: (None, "POINT (5 6)"),
                   4: ("POINT (1 1)", "POINT (2 2)")}
    assert found(client, name, "st_within(place, 'POLYGON((4 4,7 4,7 7,4 7,4 4))')") == [1, 2, 3]
    assert found(client, name, "spot is null") == [1, 2, 3]
    with refused(1100, "default"):
        client.add_collection_field(name, "other", DataType.GEOMETRY, nullable=True, default_value="POINT(1")


def test_a_partial_update_leaves_other_geometries_alone(client, name):
    make(client, name)
    client.insert(name, [{**row(1), "g": "POINT (1 2)"}, {**row(2), "g": "POINT (3 4)", "home": "POINT (9 9)"}])
    client.upsert(name, [{"id": 1, "g": "POINT (30 40)"}, {"id": 2, "g": None}], partial_update=True)
    client.upsert(name, [{"id": 2, "n": 77}], partial_update=True)
    got = {r["id"]: (r["g"], r["home"], r["n"]) for r in
           client.query(name, filter="id > 0", output_fields=["g", "home", "n"])}
    assert got == {1: ("POINT (30 40)", "POINT (7 8)", 1), 2: (None, "POINT (9 9)", 77)}
    with refused(1100, "no geometry"):
        client.upsert(name, [{"id": 1, "g": "POINT"}], partial_update=True)


@pytest.mark.skipif(not hasattr(MilvusClient, "create_snapshot"), reason="the SDK has no snapshots")
def test_a_snapshot_holds_geometries(client, name):
    make(client, name)
    client.insert(name, [row(i) for i in range(50)])
    client.flush(name)
    client.create_snapshot("s_" + name, name)
    client.delete(name, filter="id >= 0")
    restored = name + "_restored"
    job = client.restore_snapshot("s_" + name, name, restored)
    deadline = time.time() + 60
    while client.get_restore_snapshot_state(job).state != "RestoreSnapshotCompleted":
        assert time.time() < deadline, "the restore does not end"
        time.sleep(0.1)
    client.load_collection(restored)
    check(client, restored, {i: shape(i) for i in range(50)})
    client.drop_collection(restored)
    client.drop_snapshot("s_" + name, name)
