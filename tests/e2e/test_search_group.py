"""Grouped search against exact answers."""

import numpy as np
import pytest
from search_data import DIM, Rows, collection_in_every_state, hits_of, raw_search, same_hits, small_indexes

DATA = Rows(seed=6)
QUERIES = np.random.default_rng(8).normal(size=(2, DIM)).astype(np.float32)
server = small_indexes()
name = collection_in_every_state(DATA)


def grouped(query, value_of, limit, size=1, offset=0, keep=None):
    """Places of the best `limit` groups, group by group."""
    groups = {}
    for place in DATA.best("dense", query, keep=keep):
        groups.setdefault(value_of(place), []).append(place)
    return [place for group in list(groups.values())[offset:offset + limit] for place in group[:size]]


def expect(answer, value_of, limit, **more):
    lists = hits_of(answer)
    assert len(lists) == len(QUERIES)
    for got, query in zip(lists, QUERIES):
        places = grouped(query, value_of, limit, **more)
        same_hits(got, places, DATA.scores("dense", query)[places], DATA)


@pytest.mark.parametrize("field, column", [("group", DATA.group), ("label", DATA.label), ("id", DATA.ids)])
def test_one_hit_a_group(call, name, field, column):
    answer = raw_search(call, name, QUERIES, group_by_field=field, topk=9)
    expect(answer, lambda i: column[i], 9)
    values = answer.results.group_by_field_value
    assert values.field_name == field
    texts = field == "label"
    data = list((values.scalars.string_data if texts else values.scalars.long_data).data)
    valid = list(values.valid_data) or [True] * len(data)
    by_key = dict(zip(DATA.ids.tolist(), column))
    expected = [by_key[key] for hits in hits_of(answer) for key, _ in hits]
    got = [value if good else None for value, good in zip(data, valid)]
    assert got == [value if value is None or texts else int(value) for value in expected]


def test_all_groups_and_a_filter_and_an_offset(call, name):
    expect(raw_search(call, name, QUERIES, group_by_field="label", topk=100), lambda i: DATA.label[i], 100)
    expect(raw_search(call, name, QUERIES, group_by_field="label", topk=4, offset=3),
           lambda i: DATA.label[i], 4, offset=3)
    expect(raw_search(call, name, QUERIES, group_by_field="label", topk=5, filter_text="group < 3"),
           lambda i: DATA.label[i], 5, keep=DATA.group < 3)


def test_strict_groups_are_filled(call, name):
    expect(raw_search(call, name, QUERIES, group_by_field="label", topk=5, group_size=4, strict_group_size="True"),
           lambda i: DATA.label[i], 5, size=4)
    # A group of fewer rows than asked for gives what it has.
    expect(raw_search(call, name, QUERIES, group_by_field="group", topk=4, group_size=10, strict_group_size="true",
                      offset=2, filter_text="group < 10"),
           lambda i: DATA.group[i], 4, size=10, offset=2, keep=DATA.group < 10)


def test_groups_that_are_not_strict_have_their_best_hit_and_more(call, name):
    answer = raw_search(call, name, QUERIES, group_by_field="label", topk=6, group_size=3)
    by_key = dict(zip(DATA.ids.tolist(), range(len(DATA.ids))))
    for got, query in zip(hits_of(answer), QUERIES):
        groups = {}
        for key, _ in got:
            groups.setdefault(DATA.label[by_key[key]], []).append(key)
        heads = grouped(query, lambda i: DATA.label[i], 6)
        assert [members[0] for members in groups.values()] == [int(DATA.ids[i]) for i in heads]
        flat = [key for members in groups.values() for key in members]
        assert flat == [key for key, _ in got], "groups stand together"
        assert all(len(members) <= 3 for members in groups.values())


def kind(i):
    value = DATA.meta[i].get("kind")
    return None if value is None else str(value)


@pytest.mark.parametrize("params, value_of", [
    ({"group_by_field": 'meta["deep"]["n"]'}, lambda i: DATA.meta[i].get("deep", {}).get("n")),
    ({"group_by_field": 'meta["deep"]["n"]', "json_type": "Int32"}, lambda i: DATA.meta[i].get("deep", {}).get("n")),
    ({"group_by_field": "meta", "json_path": "/kind", "json_type": "VarChar"}, kind),
    ({"group_by_field": "meta", "json_path": "/kind", "json_type": "VarChar", "strict_cast": "true"},
     lambda i: None if isinstance(DATA.meta[i].get("kind"), int) else DATA.meta[i].get("kind"))])
def test_a_place_in_json(call, name, params, value_of):
    expect(raw_search(call, name, QUERIES, topk=20, **params), value_of, 20)


def test_several_fields(call, name):
    answer = raw_search(call, name, QUERIES, group_by_fields="group,label", topk=30)
    expect(answer, lambda i: (DATA.group[i], DATA.label[i]), 30)
    assert [values.field_name for values in answer.results.group_by_field_values] == ["group", "label"]


def test_the_sdk_as_people_call_it(client, name):
    got = client.search(name, [QUERIES[0]], anns_field="dense", limit=5, group_by_field="group",
                        output_fields=["group"], consistency_level="Strong")
    places = grouped(QUERIES[0], lambda i: DATA.group[i], 5)
    assert [hit["entity"]["group"] for hit in got[0]] == [int(DATA.group[i]) for i in places]


def test_whole_groups_are_ordered_by_a_field(call, name):
    answer = raw_search(call, name, QUERIES[:1], group_by_field="group", topk=4, group_size=2, strict_group_size="True",
                        order_by_fields="price:desc", offset=1)
    members = grouped(QUERIES[0], lambda i: DATA.group[i], 5, size=2)
    groups = {}
    for place in members:
        groups.setdefault(DATA.group[place], []).append(place)

    def key(group):
        price = DATA.price[group[0]]
        return (price is not None, -(price or 0))
    order = sorted(groups.values(), key=key)[1:5]
    assert [k for k, _ in hits_of(answer)[0]] == [int(DATA.ids[i]) for group in order for i in group]


@pytest.mark.parametrize("code, params", [
    (1100, {"group_by_field": "group", "iterator": "True"}),
    (1100, {"group_by_field": "group", "params": {"radius": 10}}),
    (1100, {"group_by_field": "group", "anns_field": "bits"}),
    (1100, {"group_by_field": "group", "group_size": 0}), (1100, {"group_by_field": "group", "group_size": 11}),
    (1100, {"group_by_field": "group", "group_size": "many"}),
    (1100, {"group_by_fields": "group,group"}), (1100, {"group_by_fields": 'group,meta["a"]'}),
    (1100, {"group_by_fields": "group,label", "order_by_fields": "price"}),
    (1100, {"group_by_field": 'meta["a"]', "json_type": "Nothing"}),
    (1700, {"group_by_field": "nobody"}), (2001, {"group_by_field": "price"}), (2001, {"group_by_field": "dense"})])
def test_what_does_not_go_together(call, name, code, params):
    status = raw_search(call, name, QUERIES, **params).status
    assert status.code == code, status.reason
