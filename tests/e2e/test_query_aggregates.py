"""Queries with aggregates, groups and an order, against exact answers."""

import numpy as np
import pytest
from search_data import Rows, collection_in_every_state
from wire import query_request

DATA = Rows(seed=12)
name = collection_in_every_state(DATA)


def columns_of(answer):
    """Lists by field name; null is None."""
    assert answer.status.code == 0, answer.status.reason
    columns = {}
    for field in answer.fields_data:
        kind = field.scalars.WhichOneof("data")
        data = list(getattr(field.scalars, kind).data) if kind else []
        valid = list(field.valid_data) or [True] * len(data)
        columns[field.field_name] = [value if good else None for value, good in zip(data, valid)]
    return columns


def ask(call, name, output, filter_text="", **params):
    return call("Query", query_request(name, filter_text, output, **{key: str(value) for key, value in params.items()}))


def numbers(values):
    values = [v for v in values if v is not None]
    if not values:
        return [0, None, None, None, None]
    return [len(values), sum(values), sum(values) / len(values), min(values), max(values)]


AGGREGATES = ["count(price)", "sum(price)", "avg(price)", "min(price)", "max(price)"]


def test_over_all_rows(call, name):
    got = columns_of(ask(call, name, ["count(*)", *AGGREGATES, "sum(group)", "avg(group)", "min(label)", "max(label)"]))
    labels = [label for label in DATA.label if label is not None]
    assert got["count(*)"] == [len(DATA.ids)]
    assert [got[field][0] for field in AGGREGATES] == pytest.approx(numbers(DATA.price))
    assert got["sum(group)"] == [int(DATA.group.sum())]
    assert got["avg(group)"] == [pytest.approx(float(DATA.group.mean()))]
    assert (got["min(label)"], got["max(label)"]) == ([min(labels)], [max(labels)])


def test_over_no_rows(call, name):
    got = columns_of(ask(call, name, ["count(*)", *AGGREGATES], "group < 0"))
    assert [got[field][0] for field in ["count(*)", *AGGREGATES]] == [0, 0, None, None, None, None]
    got = columns_of(ask(call, name, ["label", "count(*)"], "group < 0", group_by_fields="label"))
    assert got == {"label": [], "count(*)": []}


@pytest.mark.parametrize("keep, text", [(None, ""), (DATA.group < 9, "group < 9")])
def test_by_groups(call, name, keep, text):
    got = columns_of(ask(call, name, ["label", "COUNT( * )", *AGGREGATES], text, group_by_fields="label"))
    groups = {}
    for i, label in enumerate(DATA.label):
        if keep is None or keep[i]:
            groups.setdefault(label, []).append(DATA.price[i])
    order = sorted(groups, key=lambda label: (label is None, label or ""))
    assert got["label"] == order
    assert got["COUNT( * )"] == [len(groups[label]) for label in order]
    for number, label in enumerate(order):
        assert [got[field][number] for field in AGGREGATES] == pytest.approx(numbers(groups[label]))


def test_groups_of_two_fields_ordered_and_cut(call, name):
    got = columns_of(ask(call, name, ["group", "label", "count(*)"], "group < 4", group_by_fields="group,label",
                         order_by_fields="group:desc,label:asc:nulls_first", limit=9, offset=2))
    counts = {}
    for i in np.flatnonzero(DATA.group < 4):
        key = (int(DATA.group[i]), DATA.label[i])
        counts[key] = counts.get(key, 0) + 1
    order = sorted(counts, key=lambda key: (-key[0], key[1] is not None, key[1] or ""))[2:11]
    assert list(zip(got["group"], got["label"], got["count(*)"])) == [(*key, counts[key]) for key in order]


@pytest.mark.parametrize("text, descending", [("price,id", False), ("price:desc", True)])
def test_rows_in_the_order_of_fields(call, name, text, descending):
    got = columns_of(ask(call, name, ["label"], "group < 15", order_by_fields=text, limit=40, offset=7))
    keep = np.flatnonzero(DATA.group < 15)

    def key(i):
        price = DATA.price[i]
        null = (price is None) != descending
        return null, 0 if price is None else -price if descending else price, DATA.ids[i]
    order = sorted(keep, key=key)[7:47]
    assert got["id"] == [int(DATA.ids[i]) for i in order]
    assert got["label"] == [DATA.label[i] for i in order]
    assert "price" not in got, "what is ordered by was not asked for"


@pytest.mark.parametrize("output, params", [
    (["count(*)", "label"], {}), (["sum(label)"], {}), (["sum(*)"], {}), (["sum(nobody)"], {}), (["avg(meta)"], {}),
    (["min(dense)"], {}), (["label"], {"group_by_fields": "group"}), (["count(*)"], {"group_by_fields": "nobody"}),
    (["count(*)"], {"group_by_fields": "meta"}), (["count(*)"], {"group_by_fields": "price"}),
    (["count(*)"], {"group_by_fields": "group,group"}), (["count(*)"], {"limit": 3}),
    (["group", "count(*)"], {"group_by_fields": "group", "order_by_fields": "label", "limit": 3}),
    (["id"], {"order_by_fields": "price"}), (["id"], {"order_by_fields": "price", "limit": 3, "iterator": "True"}),
    (["id"], {"order_by_fields": "meta", "limit": 3}), (["id"], {"order_by_fields": 'meta["kind"]', "limit": 3}),
    (["id"], {"order_by_fields": "dense", "limit": 3}), (["id"], {"order_by_fields": "nobody", "limit": 3}),
    (["id"], {"query_iter_last_pk": "3", "limit": 3})])
def test_bad_queries(call, name, output, params):
    status = ask(call, name, output, "id >= 0", **params).status
    assert status.code == 1100, status.reason
