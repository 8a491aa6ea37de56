"""Moments in the SDK: rows and columns, any zone, filters, groups; Python's zoneinfo is the oracle."""
import random
import re
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from pymilvus import DataType, MilvusClient

from support import add_index, refused, vectors

ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe",
         "America/St_Johns", "Pacific/Kiritimati"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def moment(dice):
    """Any microsecond from 1970 on: offsets have whole minutes there."""
    return EPOCH + timedelta(microseconds=dice.randrange(0, 4_000_000_000_000_000))


def written(value, dice):
    """The moment as some client may write it, with an offset."""
    there = value.astimezone(ZoneInfo(dice.choice(ZONES)))
    sign = dice.choice("T ")
    return re.sub(r"\+00:00$", dice.choice(["Z", "+00:00", "+00"]), there.isoformat(sep=sign, timespec="microseconds"))


def shown(value, zone):
    """RFC 3339 in the zone, the fraction without zeros at its end."""
    if value is None:
        return None
    there = value.astimezone(ZoneInfo(zone))
    text = there.strftime("%Y-%m-%dT%H:%M:%S")
    if there.microsecond:
        text += f".{there.microsecond:06}".rstrip("0")
    offset = there.strftime("%z")
    return text + ("Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:5]}")


def make(client, name, zone=None, default=None):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("t", DataType.TIMESTAMPTZ, nullable=True)
    schema.add_field("kind", DataType.INT64)
    if default is not None:
        schema.add_field("d", DataType.TIMESTAMPTZ, default_value=default)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    properties = {"timezone": zone} if zone else {}
    client.create_collection(name, schema=schema, consistency_level="Strong", properties=properties)
    add_index(client, name, "FLAT", field="v")
    client.load_collection(name)


def fill(client, name, values):
    dice = random.Random(5)
    data = vectors(len(values), 4).tolist()
    client.insert(name, [{"id": i, "kind": i % 3, "v": data[i], "t": None if value is None else written(value, dice)}
                         for i, value in enumerate(values)])


@pytest.fixture
def moments():
    dice = random.Random(1)
    return [None if i % 9 == 0 else moment(dice) for i in range(300)]


@pytest.mark.parametrize("state", ["growing", "sealed", "indexed"])
def test_moments_come_back_by_the_clock_that_is_asked_for(client, name, moments, state):
    make(client, name, "Europe/Berlin")
    fill(client, name, moments)
    if state != "growing":
        client.flush(name)
    if state == "indexed":
        indexes = client.prepare_index_params()
        indexes.add_index("t", index_type="STL_SORT")
        client.create_index(name, indexes)
    for zone in [None] + ZONES:
        more = {"timezone": zone} if zone else {}
        rows = client.query(name, "id >= 0", output_fields=["t"], limit=1000, **more)
        for row in rows:
            assert row["t"] == shown(moments[row["id"]], zone or "Europe/Berlin"), (row, zone)
    cut = moments[100]
    for zone in ZONES:
        there = cut.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for sign, test in ((">=", lambda m: m >= cut), ("<", lambda m: m < cut), ("==", lambda m: m == cut)):
            found = client.query(name, f"t {sign} ISO '{there.isoformat()}'", output_fields=["id"], timezone=zone)
            assert {row["id"] for row in found} == {i for i, m in enumerate(moments) if m is not None and test(m)}
    hits = client.search(name, [[0, 0, 0, 0]], anns_field="v", limit=20, output_fields=["t"], timezone="Asia/Tokyo")[0]
    assert all(hit["entity"]["t"] == shown(moments[hit["id"]], "Asia/Tokyo") for hit in hits)


def test_clocks_that_change_are_read_as_python_reads_them(client, name):
    """Also times that are shown twice, and times that are skipped."""
    make(client, name, "America/New_York")
    local = [datetime(2024, 3, 10, 1, 30) + timedelta(minutes=15 * i) for i in range(12)]
    local += [datetime(2024, 11, 3, 0, 30) + timedelta(minutes=15 * i) for i in range(12)]
    data = vectors(len(local), 4).tolist()
    client.insert(name, [{"id": i, "t": value.isoformat(sep=" "), "kind": 0, "v": data[i]}
                         for i, value in enumerate(local)])
    rows = client.query(name, "id >= 0", output_fields=["t"], timezone="UTC", limit=100)
    for row in rows:
        expected = local[row["id"]].replace(tzinfo=ZoneInfo("America/New_York")).astimezone(timezone.utc)
        assert row["t"] == shown(expected, "UTC"), local[row["id"]]


def test_time_fields_take_moments_apart(client, name, moments):
    make(client, name)
    fill(client, name, moments)
    names = ["year", "month", "day", "hour", "minute", "second", "microsecond"]
    rows = client.query(name, "id >= 0", output_fields=["t"], limit=1000, timezone="Asia/Kathmandu",
                        time_fields=", ".join(names))
    for row in rows:
        value = moments[row["id"]]
        there = value and value.astimezone(ZoneInfo("Asia/Kathmandu"))
        assert row["t"] == (there and [getattr(there, part) for part in names])
    hits = client.search(name, [[0, 0, 0, 0]], anns_field="v", limit=5, output_fields=["t"], time_fields="hour year")[0]
    for hit in hits:
        value = moments[hit["id"]]
        assert hit["entity"]["t"] == (value and [value.hour, value.year])


def test_defaults_columns_and_upserts(client, name):
    make(client, name, "Asia/Tokyo", default="2025-01-01T00:00:00")
    described = {field["name"]: field for field in client.describe_collection(name)["fields"]}
    assert "2025-01-01T00:00:00+09:00" in str(described["d"]["default_value"])
    data = vectors(3, 4).tolist()
    client.insert(name, [{"id": 0, "t": None, "kind": 0, "v": data[0]},
                         {"id": 1, "t": "2025-06-01T00:00:00Z", "kind": 0, "v": data[1], "d": "2020-01-01T00:00:00Z"}])
    client.upsert(name, [{"id": 1, "t": "2025-06-02T00:00:00", "kind": 1, "v": data[1]}])
    rows = {row["id"]: row for row in client.query(name, "id >= 0", output_fields=["t", "d"])}
    assert rows[0]["t"] is None and rows[0]["d"] == "2025-01-01T00:00:00+09:00"
    assert rows[1]["t"] == "2025-06-02T00:00:00+09:00" and rows[1]["d"] == "2025-01-01T00:00:00+09:00"
    with refused(1100, "timestamptz"):
        client.insert(name, [{"id": 2, "t": "yesterday", "kind": 0, "v": data[2]}])
    with refused(1100, "Nowhere"):
        client.query(name, "id >= 0", output_fields=["t"], timezone="Nowhere/City")


@pytest.mark.parametrize("flushed", [False, True])
def test_rows_from_before_a_field_have_its_default(client, name, flushed):
    make(client, name, "Asia/Tokyo")
    fill(client, name, [EPOCH, None])
    if flushed:
        client.flush(name)
    client.add_collection_field(name, "later", DataType.TIMESTAMPTZ, nullable=True, default_value="2025-01-01T00:00:00")
    client.add_collection_field(name, "never", DataType.TIMESTAMPTZ, nullable=True)
    rows = client.query(name, "id >= 0", output_fields=["later", "never"], timezone="UTC")
    assert [(row["later"], row["never"]) for row in rows] == [("2024-12-31T15:00:00Z", None)] * 2
    found = client.query(name, "later == ISO '2025-01-01T00:00:00' and never is null", output_fields=["id"])
    assert [row["id"] for row in found] == [0, 1]


def test_the_zone_of_a_collection_can_change(client, name):
    make(client, name)
    fill(client, name, [EPOCH])
    client.alter_collection_properties(name, {"timezone": "Asia/Tokyo"})
    assert client.query(name, "id == 0", output_fields=["t"])[0]["t"] == "1970-01-01T09:00:00+09:00"
    with refused(1100, "zone"):
        client.alter_collection_properties(name, {"timezone": "Mars/Olympus"})
    with refused(1100, "zone"):
        make(client, name + "_2", "Mars/Olympus")


@pytest.mark.skipif(not hasattr(MilvusClient, "create_snapshot"), reason="the SDK does not know groups yet")
def test_least_and_greatest_moments_of_groups(client, name, moments):
    make(client, name)
    fill(client, name, moments)
    rows = client.query(name, "id >= 0", output_fields=["kind", "min(t)", "max(t)"], group_by_fields=["kind"],
                        timezone="Asia/Tokyo")
    for row in rows:
        known = [m for i, m in enumerate(moments) if i % 3 == row["kind"] and m is not None]
        assert row["min(t)"] == shown(min(known), "Asia/Tokyo")
        assert row["max(t)"] == shown(max(known), "Asia/Tokyo")


def test_indexes_on_moments(client, name):
    make(client, name)
    for kind in ["INVERTED", "BITMAP", "Trie"]:
        indexes = client.prepare_index_params()
        indexes.add_index("t", index_type=kind)
        with refused(1100):
            client.create_index(name, indexes)
    indexes = client.prepare_index_params()
    indexes.add_index("t", index_type="AUTOINDEX")
    client.create_index(name, indexes)
    assert client.describe_index(name, "t")["index_type"] == "AUTOINDEX"
