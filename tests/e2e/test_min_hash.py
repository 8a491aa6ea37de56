"""MinHash functions: signatures beside an independent implementation, and near duplicates found by them."""
import hashlib
import random

import numpy as np
import pytest
from pymilvus import DataType, Function, FunctionType
from support import count, refused

PRIME = 2 ** 61 - 1
MASK = 2 ** 64 - 1


def twister(seed):
    """MT19937-64 by its authors' description (Nishimura 2000)."""
    state = [seed & MASK]
    for i in range(1, 312):
        state.append((6364136223846793005 * (state[-1] ^ (state[-1] >> 62)) + i) & MASK)
    while True:
        for i in range(312):
            x = (state[i] & 0xFFFFFFFF80000000) | (state[(i + 1) % 312] & 0x7FFFFFFF)
            state[i] = state[(i + 156) % 312] ^ (x >> 1) ^ (0xB5026F5AA96619E9 if x & 1 else 0)
        for x in state:
            x ^= (x >> 29) & 0x5555555555555555
            x ^= (x << 17) & 0x71D67FFFEDA60000
            x ^= (x << 37) & 0xFFF7EEE000000000
            yield (x ^ (x >> 43)) & MASK


def signature(shingles, hashes, seed=1234):
    """Of shingles as bytes, hashed by SHA-1."""
    numbers = [int.from_bytes(hashlib.sha1(s).digest()[:4], "little") for s in shingles]
    draw = twister(seed)
    out = []
    for _ in range(hashes):
        a, b = next(draw) % (PRIME - 1) + 1, next(draw) % PRIME
        out.append(min([((a * x + b) & MASK) % PRIME & 0xFFFFFFFF for x in numbers], default=0xFFFFFFFF))
    return np.array(out, "<u4").tobytes()


def make(client, name, dim, params, metric="MHJACCARD", index="MINHASH_LSH", **index_params):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=4000, nullable=True)
    schema.add_field("sign", DataType.BINARY_VECTOR, dim=dim)
    schema.add_function(Function(name="signs", function_type=FunctionType.MINHASH, input_field_names=["text"],
                                 output_field_names=["sign"], params=params))
    client.create_collection(name, schema=schema, consistency_level="Strong")
    indexes = client.prepare_index_params()
    indexes.add_index("sign", index_type=index, metric_type=metric, params=index_params)
    client.create_index(name, indexes)
    client.load_collection(name)


def stored(client, name):
    rows = client.query(name, filter="id >= 0", output_fields=["sign"])
    return {row["id"]: row["sign"][0] if isinstance(row["sign"], list) else row["sign"] for row in rows}


def test_signatures_are_those_of_the_definition(client, name):
    make(client, name, 32 * 24, {"hash_function": "sha1", "token_level": "char", "shingle_size": 4, "seed": 99},
         mh_element_bit_width=32, mh_lsh_band=6)
    texts = ["the same text", "the same test", "abc", "", "Ünï"]
    client.insert(name, [{"id": i, "text": text} for i, text in enumerate(texts)] + [{"id": 9, "text": None}])
    for state in ("growing", "sealed", "mixed"):
        if state == "sealed":
            client.flush(name)
        if state == "mixed":
            client.upsert(name, [{"id": 0, "text": texts[0]}])
        signs = stored(client, name)
        for i, text in enumerate(texts):
            raw = text.encode()
            size = min(4, len(raw))
            shingles = [raw[at:at + size] for at in range(len(raw) - size + 1)] if raw else []
            assert signs[i] == signature(shingles, 24, 99), (text, state)
        assert signs[9] == b"\xff" * 96


def test_signatures_of_words(client, name):
    make(client, name, 32 * 16, {"hash_function": "sha1", "shingle_size": 2}, mh_element_bit_width=32, mh_lsh_band=4)
    client.insert(name, [{"id": 1, "text": "One, two THREE"}, {"id": 2, "text": "alone"}])
    signs = stored(client, name)
    assert signs[1] == signature([b"onetwo", b"twothree"], 16)
    assert signs[2] == signature([b"alone"], 16)


@pytest.mark.parametrize("state", ["growing", "sealed", "mixed"])
def test_near_duplicates_are_found_by_their_text(client, name, state):
    make(client, name, 32 * 128, {"shingle_size": 2}, mh_element_bit_width=32, mh_lsh_band=32, with_raw_data="true")
    source = random.Random(3)
    words = [f"word{i}" for i in range(5000)]
    texts = [" ".join(source.choices(words, k=60)) for _ in range(300)]
    rows = [{"id": i, "text": text} for i, text in enumerate(texts)]
    first = 200 if state == "mixed" else len(rows)
    client.insert(name, rows[:first])
    if state != "growing":
        client.flush(name)
    if state == "mixed":
        client.insert(name, rows[first:])
    for i in (0, 150, 299):
        changed = texts[i].split()
        changed[7] = "changed"
        params = {"params": {"mh_search_with_jaccard": "true", "refine_k": 50}}
        hits = client.search(name, data=[" ".join(changed)], anns_field="sign", limit=3, search_params=params)[0]
        assert hits[0]["id"] == i
        # 57 of the 61 shingles that the two have.
        assert hits[0]["distance"] == pytest.approx(57 / 61, abs=0.08)
        same = stored(client, name)[i]
        assert client.search(name, data=[same], anns_field="sign", limit=1, search_params=params)[0][0]["id"] == i


def test_bad_functions_are_refused(client, name):
    def refuse(words, dim=96, **params):
        with refused(1100, words):
            make(client, name, dim, params)
        assert not client.has_collection(name)

    refuse("num_hashes", num_hashes=4)
    refuse("dim", dim=104)
    refuse("shingle_size", shingle_size=0)
    refuse("hash_function", hash_function="md5")
    refuse("token_level", token_level="line")
    refuse("seed", seed="x")
    refuse("num_hashes", num_hashes=0)
    refuse("dim", dim=32 * 3, num_hashes=2)
    # Names of parameters are read in any case.
    make(client, name, 96, {"NUM_HASHES": 3, "Hash_Function": "XXHASH64", "token_level": "character"},
         mh_element_bit_width=32, mh_lsh_band=3)
    client.insert(name, [{"id": 1, "text": "abcd"}])
    assert len(stored(client, name)[1]) == 12


def test_a_signature_is_the_servers_to_make(client, name):
    make(client, name, 64, {}, mh_element_bit_width=32, mh_lsh_band=2)
    client.insert(name, [{"id": 1, "text": "a"}])
    client.upsert(name, [{"id": 1, "text": "b"}, {"id": 2, "text": "b"}])
    signs = stored(client, name)
    assert signs[1] == signs[2] and count(client, name) == 2
