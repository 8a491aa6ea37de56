"""The house rules of src/ as data: who may include whom, which headers are private, which words are refused."""

# Module -> modules it may include. Tests may look upward. Roles never include each other.
_GROUND = {"base", "model", "text", "simd", "store", "index", "expr", "trees"}
LAYERS = {
    "base": set(),
    "simd": {"base"},
    "model": {"base"},
    "store": {"base", "model"},
    "text": {"base", "simd", "model"},
    "geometry": {"base", "model"},
    "index": {"base", "simd", "model", "text"},
    "expr": {"base", "simd", "model", "text", "geometry"},
    "trees": {"base", "model", "text"},
    "roles": {"base", "model"},
    "http": {"base"},
    "functions": {"base", "model", "http"},
    "segment": set(_GROUND),
    "shard": _GROUND | {"roles", "segment"},
    "coord": {"base", "model", "store", "text", "index", "expr", "roles"},
    "streaming": _GROUND | {"segment", "shard", "roles"},
    "query": _GROUND | {"segment", "roles"},
    "data": _GROUND | {"segment", "roles"},
    "proxy": {"base", "simd", "model", "text", "index", "expr", "trees", "functions", "roles"},
    "wire": {"base", "model", "geometry", "roles", "proxy"},
    "backend": {"base", "model", "store", "http"},
    "server": _GROUND | {"roles", "segment", "shard", "coord", "streaming", "query", "data", "functions", "proxy", "wire",
                        "backend", "http"},
}

# Headers below a module's top level are private to it, except these families.
PUBLIC_SUBFOLDERS = {"model/requests/", "store/formats/", "store/memory/"}
# What `server` plugs together lives below the top level.
SERVER_MAY_INCLUDE = {"wire/grpc/", "wire/http/", "backend/local/", "backend/rocksdb/"}

# (pattern, why, modules where it is allowed): time, chance, files and threads come through interfaces.
FORBIDDEN = [
    (r"\bstd::j?thread\b(?!::hardware_concurrency)", "threads come from base/executor.h", {"base", "backend"}),
    (r"\b(std::this_thread::sleep_\w+|u?sleep|nanosleep)\s*\(", "nobody sleeps: wait on a Monitor", {"base", "backend"}),
    (r"\bsystem_clock\b", "time comes from base/clock.h", {"base", "backend"}),
    (r"(?<![\w.>:])s?rand\s*\(|\bstd::s?rand\b|\brandom_device\b", "chance is seeded", {"base", "backend"}),
    (r"\bfopen\s*\(", "files are reached through store", {"base", "backend"}),
    (r"\.(pb|grpc\.pb)\.h\b", "generated code is seen in wire only", {"wire"}),
    (r"\b__builtin_prefetch\b", "the compiler may remove it: base/prefetch.h keeps it", {"base"}),
    (r"#include <regex>", "costs seconds to compile", set()),
    (r"(?<![\w/])/(home|root|work|Users)/\w", "a path of one machine", set()),
]
FORBIDDEN_IN_HEADERS = [
    (r"#include <(regex|iostream|filesystem)>", "heavy headers stay out of headers", set()),
]

# The one visitor that everything shares may be longer than other files.
LONG_FILES = {"base/fields.h": 320}
