"""Of two mistakes in a search the one is told that is looked at first: every pair, in the order of the contract."""
from itertools import combinations

import pytest
from pymilvus import MilvusClient
from support import make
from wire import search_request, status_of

# In the contract's order: what is wrong, and what is said of it.
FAULTS = {
    "collection": ({"collection": "nobody"}, 100, "collection not found"),
    "partition": ({"partitions": ["nobody"]}, 1100, "partition"),
    "output field": ({"output": ["nobody"]}, 1100, "nobody"),
    "number of queries": ({"nq": 20000}, 1100, "nq ["),
    "growing rows": ({"ignore_growing": "perhaps"}, 1100, "ignore_growing"),
    "vector field": ({"anns_field": "nowhere"}, 1700, "nowhere"),
    "topk": ({"topk": "0"}, 1100, "topk ["),
    "offset": ({"offset": "-1"}, 1100, "offset ["),
    "metric": ({"metric_type": "IP"}, 1100, "metric type not match"),
    "decimals": ({"round_decimal": "9"}, 1100, "round_decimal"),
    "parameters": ({"params": "[1"}, 1100, "search params"),
    "size of groups": ({"group_size": "0"}, 1100, "group_size"),
    "groups of an iterator": ({"iterator": "True", "group_by_field": "group"}, 1100, "iterators cannot be grouped"),
    "filter": ({"filter_text": "id >"}, 1100, "failed to create query plan"),
    "query vector": ({"vectors": [[1.0, 2.0]]}, None, "dim"),
    "order of hits": ({"order_by_fields": "never"}, None, "never"),
}


@pytest.fixture(scope="module")
def name(server):
    client = MilvusClient(uri=server.uri)
    client.drop_collection("faults")
    make(client, "faults", rows=10)
    yield "faults"
    client.drop_collection("faults")
    client.close()


def search(call, name, *faults):
    """The code and the words of the answer."""
    wrong = {key: value for fault in faults for key, value in FAULTS[fault][0].items()}
    collection, vectors = wrong.pop("collection", name), wrong.pop("vectors", [[0.5] * 8])
    status = status_of(call("Search", search_request(collection, vectors, **wrong)))
    return status.code, status.reason


def test_without_a_mistake_there_is_an_answer(call, name):
    assert search(call, name) == (0, "")


@pytest.mark.parametrize("fault", FAULTS)
def test_each_mistake_is_told(call, name, fault):
    _, code, words = FAULTS[fault]
    told, reason = search(call, name, fault)
    assert told != 0 and words in reason, (told, reason)
    assert code is None or told == code


@pytest.mark.parametrize("first, second", combinations(FAULTS, 2), ids=" and ".join)
def test_of_two_mistakes_the_first_is_told(call, name, first, second):
    assert search(call, name, first, second) == search(call, name, first)


def test_these_are_all_pairs():
    assert len(list(combinations(FAULTS, 2))) == 120
