"""Reads the files of a data directory from what docs/storage-format.md says, without a server and without its code."""
import ctypes
import os
import struct

import numpy as np

_XXHASH = ctypes.CDLL("libxxhash.so.0")
_XXHASH.XXH3_64bits_withSeed.restype = ctypes.c_uint64
_XXHASH.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]

FIXED = {1: "u1", 2: "i1", 3: "<i2", 4: "<i4", 5: "<i8", 10: "<f4", 11: "<f8", 26: "<i8"}  # Types of one number.
ARRAY, SPARSE = 22, 104
VECTORS = {100: ("u1", lambda dim: dim // 8), 101: ("<f4", lambda dim: dim), 102: ("<f2", lambda dim: dim),
           103: ("<u2", lambda dim: dim), 105: ("i1", lambda dim: dim)}


def checksum(data, seed=0):
    return _XXHASH.XXH3_64bits_withSeed(bytes(data), len(data), seed)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def signed(number):
    return number >> 1 ^ -(number & 1)


def fields(data):
    """The field encoding: {tag: unsigned number, float or bytes}."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        tag, kind = key >> 3, key & 7
        if kind == 0:
            found[tag], at = varint(data, at)
        elif kind == 1:
            found[tag], at = struct.unpack_from("<d", data, at)[0], at + 8
        else:
            size, at = varint(data, at)
            found[tag], at = data[at:at + size], at + size
            assert len(found[tag]) == size
    return found


def numbers(data):
    """A list of numbers, as they follow one another."""
    found, at = [], 0
    while at < len(data):
        number, at = varint(data, at)
        found.append(number)
    return found


def parts(data):
    """A list of structs or texts: each with its length."""
    found, at = [], 0
    while at < len(data):
        size, at = varint(data, at)
        found.append(data[at:at + size])
        at += size
    return found


def unframe(data, magic):
    """The payload of a framed file, and its version."""
    assert data[:8] == magic
    version, zero, size, check = struct.unpack_from("<IIQQ", data, 8)
    payload = data[32:]
    assert zero == 0 and len(payload) == size and checksum(payload, version) == check
    return payload, version


class Column:
    """Values by row from the three sections: data, offsets, valid."""

    def __init__(self, type_, element_type, dim, rows, data, offsets, valid):
        self.type, self.element_type, self.dim, self.rows = type_, element_type, dim, rows
        self.data, self.offsets, self.valid = data, offsets, valid

    def __getitem__(self, row):
        if len(self.valid) and not self.valid[row]:
            return None
        if self.type in FIXED:
            value = np.frombuffer(self.data, FIXED[self.type])[row]
            return bool(value) if self.type == 1 else value.item()
        if self.type in VECTORS:
            kind, width = VECTORS[self.type]
            return np.frombuffer(self.data, kind).reshape(self.rows, width(self.dim))[row]
        value = self.data[self.offsets[row]:self.offsets[row + 1]]
        if self.type == SPARSE:
            count = len(value) // 8
            return dict(zip(np.frombuffer(value[:4 * count], "<u4").tolist(),
                            np.frombuffer(value[4 * count:], "<f4").tolist()))
        if self.type == ARRAY and self.element_type in FIXED:
            return np.frombuffer(value, FIXED[self.element_type]).tolist()
        if self.type == ARRAY:
            count = struct.unpack_from("<I", value)[0]
            lengths = struct.unpack_from(f"<{count}I", value, 4)
            at, texts = 4 + 4 * count, []
            for length in lengths:
                texts.append(value[at:at + length].decode())
                at += length
            return texts
        return value.decode()

    def __iter__(self):
        return (self[row] for row in range(self.rows))


SALTS = (0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31)


def may_hold(key_filter, key):
    """Whether a filter of keys lets a key pass."""
    if isinstance(key, int):
        key = struct.pack("<q", key)
    else:
        key = key.encode()
    value, blocks = checksum(key), len(key_filter) // 32
    words = struct.unpack_from("<8I", key_filter, ((value >> 32) * blocks >> 32) * 32)
    return all(word >> ((value & 2 ** 32 - 1) * salt % 2 ** 32 >> 27) & 1 for word, salt in zip(words, SALTS))


def range_of(data):
    """(nulls, least, greatest) of statistics; None, None when they have no range."""
    found = fields(data)
    if not found.get(2):
        return found.get(1, 0), None, None
    kinds = [(4, 5, signed), (6, 7, float), (8, 9, bytes.decode)]
    least, most, read = next((kind for kind in kinds if kind[0] in found or kind[1] in found), kinds[0])
    empty = b"" if read is bytes.decode else 0
    return found.get(1, 0), read(found.get(least, empty)), read(found.get(most, empty))


def column_file(path):
    """The field and the column of a column file with its ranges and its filter, every checksum looked at."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:8] == b"ELCOLUMN"
    version, size, check = struct.unpack_from("<IIQ", data, 8)
    header = data[24:24 + size]
    assert version == 2 and checksum(header) == check
    head, base, sections = fields(header), (24 + size + 63) // 64 * 64, []
    for tag in (6, 7, 8, 11, 12):
        section = fields(head[tag])
        begin = base + section.get(1, 0)
        assert begin % 64 == 0
        sections.append(data[begin:begin + section.get(2, 0)])
        assert [checksum(sections[-1][at:at + head[9]]) for at in range(0, len(sections[-1]), head[9])] == \
            numbers(section.get(4, b""))
    offsets = np.frombuffer(sections[1], "<u8").tolist()
    column = Column(head[2], head.get(3, 0), head.get(4, 0), head.get(5, 0), sections[0], offsets, sections[2])
    column.range_rows, column.key_filter = head[10], sections[4]
    column.ranges = [range_of(part) for part in parts(fields(sections[3]).get(1, b""))]
    assert len(column.ranges) == -(-column.rows // column.range_rows)
    return signed(head[1]), column


def encoded_column(data):
    """A column inside a log record or a delta log."""
    head = fields(data)
    return signed(head.get(1, 0)), head.get(2, b"").decode(), Column(
        head[3], head.get(4, 0), head.get(5, 0), head.get(7, 0), head.get(8, b""), numbers(head.get(9, b"")),
        head.get(10, b""))


class Segment:
    """A sealed segment: rows, and columns by field id; 1 holds the moments of the inserts."""

    def __init__(self, objects, manifest_path):
        with open(manifest_path, "rb") as file:
            payload, version = unframe(file.read(), b"ELMANIFE")
        assert version == 1
        head = fields(payload)
        self.id, self.collection, self.partition = (signed(head[tag]) for tag in (1, 2, 3))
        self.rows, self.newest, self.columns = signed(head[4]), head[6], {}
        for part in parts(head[5]):
            file = fields(part)
            field, column = column_file(os.path.join(objects, file[2].decode()))
            assert field == signed(file[1]) and column.rows == self.rows
            self.columns[field] = column


def segments(data):
    """Every segment whose files are in a data directory."""
    objects, found = os.path.join(data, "objects"), []
    for folder, _, names in os.walk(os.path.join(objects, "segments")):
        if "manifest" in names:
            found.append(Segment(objects, os.path.join(folder, "manifest")))
    return found


def deltas(data):
    """(key, moment, partition) of every delete in the delta logs."""
    found = []
    for folder, _, names in os.walk(os.path.join(data, "objects", "deltas")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                payload, version = unframe(file.read(), b"ELDELTAS")
            assert version == 2
            head = fields(payload)
            _, _, keys = encoded_column(head[1])
            found += zip(keys, numbers(head[2]), map(signed, numbers(head[3])))
    return found


def log_records(data):
    """(position, moment, record as fields) of all streams of the log."""
    found = []
    for folder, _, names in sorted(os.walk(os.path.join(data, "wal"))):
        for name in sorted(names):
            if not name.endswith(".log"):
                continue
            with open(os.path.join(folder, name), "rb") as file:
                content = file.read()
            at, expected = 0, int(name[:20])
            while at < len(content):
                magic, size, position, durable, check = struct.unpack_from("<4sIQQQ", content, at)
                payload = content[at + 32:at + 32 + size]
                assert magic == b"ELRC" and position == expected and durable < position
                assert checksum(payload, position * 31 + durable & 2 ** 64 - 1) == check
                found.append((position, struct.unpack_from("<Q", payload)[0], fields(payload[8:])))
                at, expected = at + 32 + size, position + 1
    return found
