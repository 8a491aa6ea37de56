"""Queries that keep elements: which of a row's they are, and indexes on the sub-fields that say so."""
import pytest

from support import refused
from test_struct_arrays import clips, make, newer_sdk, row, seal

ROWS = 300


def filled(client, name):
    make(client, name)
    client.insert(name, [row(i) for i in range(ROWS)])


def places(keeps):
    return [(i, e) for i in range(ROWS) for e, one in enumerate(clips(i)) if keeps(one)]


FILTERS = {
    "element_filter(clips, $[second] % 10 == 2)": lambda one: one["second"] % 10 == 2,
    "id >= 0 && element_filter(clips, $[second] >= 100 and $[second] < 500)": lambda one: 100 <= one["second"] < 500,
    'element_filter(clips, $[label] in ["clip 3.1", "clip 4.0", "clip 4.3", "none"])':
        lambda one: one["label"] in ("clip 3.1", "clip 4.0", "clip 4.3"),
    "element_filter(clips, $[second] < 0)": lambda one: False,
}


@newer_sdk
@pytest.mark.parametrize("state", ["growing", "sealed", "indexed", "mixed"])
def test_queries_say_which_elements_are_kept(client, name, state):
    filled(client, name)
    if state != "growing":
        seal(client, name)
    if state == "indexed":
        indexes = client.prepare_index_params()
        indexes.add_index("clips[second]", index_type="INVERTED")
        indexes.add_index("clips[label]", index_type="INVERTED")
        client.create_index(name, indexes)
    if state == "mixed":
        client.upsert(name, [row(i) for i in range(0, ROWS, 7)])
    for text, keeps in FILTERS.items():
        found = client.query(name, text, output_fields=["id", "clips[second]"], limit=ROWS)
        assert [(one["id"], one["offset"]) for one in found] == places(keeps), text
        assert all(one["clips"][one["offset"]] is not None for one in found)
    page = client.query(name, "element_filter(clips, $[second] % 10 == 2)", output_fields=["id"], limit=5, offset=3)
    rows = sorted({i for i, _ in places(lambda one: one["second"] % 10 == 2)})[3:8]
    assert [one["id"] for one in page] == rows
    assert client.query(name, "element_filter(clips, $[second] % 10 == 2)",
                        output_fields=["count(*)"])[0]["count(*)"] == len(places(lambda one: one["second"] % 10 == 2))


def test_conditions_on_elements_have_the_same_rows_with_indexes(client, name):
    filled(client, name)
    filters = {'array_contains(clips[label], "clip 7.1")': lambda of: any(one["label"] == "clip 7.1" for one in of),
               "array_contains_any(clips[second], [31, 32, 40])":
                   lambda of: any(one["second"] in (31, 32, 40) for one in of),
               "match_any(clips, $[second] == 43)": lambda of: any(one["second"] == 43 for one in of),
               "array_length(clips) == 3": lambda of: len(of) == 3}

    def ask():
        return {text: [one["id"] for one in client.query(name, text, output_fields=["id"])] for text in filters}

    want = {text: [i for i in range(ROWS) if keeps(clips(i))] for text, keeps in filters.items()}
    assert ask() == want
    seal(client, name)
    assert ask() == want
    for kinds in (("INVERTED", "INVERTED"), ("BITMAP", "BITMAP"), ("STL_SORT", "STL_SORT"), ("AUTOINDEX", "AUTOINDEX")):
        indexes = client.prepare_index_params()
        indexes.add_index("clips[label]", index_type=kinds[0])
        indexes.add_index("clips[second]", index_type=kinds[1])
        client.create_index(name, indexes)
        assert client.describe_index(name, "clips[second]")["index_type"] == kinds[1]
        assert ask() == want, kinds
        for field in ("clips[label]", "clips[second]"):
            client.drop_index(name, field)
    indexes = client.prepare_index_params()
    indexes.add_index("clips[nothing]", index_type="INVERTED")
    with refused(1101, "json_cast_type"):  # No sub-field, so a key of the dynamic field.
        client.create_index(name, indexes)
