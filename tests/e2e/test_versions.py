"""A key inserted twice has two versions, and reads show the newer one, wherever the two lie and however rows are ordered."""
import random

import pytest
from support import make, row, vectors
from wire import query_request, status_of

DATA = vectors(400, seed=4)


def ordered(call, name, order, limit, offset=0):
    request = query_request(name, "id >= 0", output=["group"], order_by_fields=order, limit=str(limit), offset=str(offset))
    answer = call("Query", request)
    assert status_of(answer).code == 0, status_of(answer)
    columns = {data.field_name: list(data.scalars.long_data.data) for data in answer.fields_data}
    return list(zip(columns["id"], columns["group"]))


@pytest.mark.parametrize("flushes", [(), (1,), (2,), (1, 2), (1, 2, 3)], ids=lambda done: f"flushed after {done}")
def test_rows_in_the_order_of_a_field_are_the_newest(client, call, name, flushes):
    """Three rounds of inserts of the same keys with other values, each perhaps flushed."""
    make(client, name)
    draw, newest = random.Random(1), {}
    for turn in (1, 2, 3):
        keys = draw.sample(range(60), 40)
        rows = [{**row(key, DATA[key]), "group": draw.randrange(1000)} for key in keys]
        client.insert(name, rows)
        newest.update({r["id"]: r["group"] for r in rows})
        if turn in flushes:
            client.flush(name)
    for limit, offset in ((1, 0), (3, 0), (10, 0), (10, 7), (30, 25), (100, 0)):
        expected = sorted((group, key) for key, group in newest.items())[offset:offset + limit]
        assert ordered(call, name, "group:asc", limit, offset) == [(key, group) for group, key in expected]
        expected = sorted((-group, key) for key, group in newest.items())[offset:offset + limit]
        assert ordered(call, name, "group:desc", limit, offset) == [(key, -group) for group, key in expected]


def test_pages_in_the_order_of_keys_are_the_newest(client, name):
    make(client, name)
    newest = {}
    for turn in range(4):
        rows = [{**row(key, DATA[key]), "group": 1000 * turn + key} for key in range(turn, 60, turn + 1)]
        client.insert(name, rows)
        newest.update({r["id"]: r["group"] for r in rows})
        if turn % 2 == 0:
            client.flush(name)
    for limit, offset in ((1, 0), (7, 0), (7, 20), (200, 0)):
        found = client.query(name, filter="id >= 0", output_fields=["group"], limit=limit, offset=offset, consistency_level="Strong")
        assert [(r["id"], r["group"]) for r in found] == sorted(newest.items())[offset:offset + limit]
    last, pages = -1, []
    while page := client.query(name, filter=f"id > {last}", output_fields=["group"], limit=9, consistency_level="Strong"):
        pages += [(r["id"], r["group"]) for r in page]
        last = page[-1]["id"]
    assert pages == sorted(newest.items())
