"""The same filters in DuckDB, on one thread and tables in memory: `duck.py FOLDER REPEATS` prints lines of JSON."""
import json
import os
import sys
import time

import duckdb

KEYS = ", ".join(str(i * 9973 % 10_000_000) for i in range(1000))
FILTERS = {
    "range_int": ("plain", "n >= 500000 and n < 510000"),
    "range_double": ("plain", "d >= 0.25 and d < 0.26"),
    "equal_class": ("plain", "c = 7"),
    "in_1000": ("plain", f"k in ({KEYS})"),
    "and_four": ("plain", "n < 5000 and d > 0.5 and k < 8000000 and s >= 'b'"),
    "or_four": ("plain", "n = 5 or k = 77 or d < 0.0001 or s < 'aab'"),
    "like_prefix": ("plain", "s like 'abc%'"),
    "like_infix": ("plain", "s like '%xyz%'"),
    "json_path": ("nested", "cast(j->>'$.a.b' as double) >= 990"),
    "array_contains": ("nested", "list_contains(a, 17)"),
}


def main():
    folder, repeats = sys.argv[1], int(sys.argv[2])
    db = duckdb.connect(":memory:", config={"threads": 1})
    db.execute(f"""create table plain as select * from read_csv('{os.path.join(folder, "plain.csv")}', header=true,
        columns={{'n': 'integer', 'k': 'bigint', 'd': 'double', 'c': 'tinyint', 's': 'varchar'}})""")
    db.execute(f"""create table nested as select j, a::integer[] as a from read_csv(
        '{os.path.join(folder, "nested.tsv")}', header=true, delim='\t', quote='', escape='',
        columns={{'j': 'json', 'a': 'varchar'}})""")
    for name, (table, condition) in FILTERS.items():
        best, count = float("inf"), 0
        for _ in range(repeats):
            begin = time.perf_counter()
            count = db.execute(f"select count(*) from {table} where {condition}").fetchone()[0]
            best = min(best, (time.perf_counter() - begin) * 1000)
        print(json.dumps({"name": name, "count": count, "ms": best}), flush=True)


if __name__ == "__main__":
    main()
