#!/usr/bin/env python3
"""Compares our declaration of the wire contract with the descriptors inside an installed pymilvus.

  check.py --protos src/wire/proto --mode equal|contains     (run in an environment that has pymilvus)

equal: every message, field (number, type, label, oneof), enum value, service and method is the same on both sides.
contains: everything the wheel has is in ours. Prints 'N passed, N failed' and exits 1 on any difference.
"""
import argparse
import os
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2


# In 2.6.14 and gone in 3.0.2: ours is equal to the newer one. Its tag stays free, so old clients skip nothing wrong.
GONE = {("field", "milvus.proto.milvus.AlterCollectionSchemaResponse", "index_status", 2, 11, 1,
         ".milvus.proto.common.Status", "")}


# In no SDK yet: the masks that the next protocol has inside of the values.
AHEAD = {("field", "milvus.proto.schema.ScalarField", "valid_data", 17, 8, 3, "", ""),
         ("field", "milvus.proto.schema.VectorField", "valid_data", 9, 8, 3, "", "")}


def facts(file):
    """The contract of a FileDescriptorProto as a set of comparable lines."""
    found = set()

    def message(prefix, m):
        name = f"{prefix}.{m.name}"
        found.add(("message", name))
        for f in m.field:
            oneof = m.oneof_decl[f.oneof_index].name if f.HasField("oneof_index") else ""
            found.add(("field", name, f.name, f.number, f.type, f.label, f.type_name, oneof))
        for e in m.enum_type:
            enum(name, e)
        for nested in m.nested_type:
            message(name, nested)

    def enum(prefix, e):
        for value in e.value:
            found.add(("enum", f"{prefix}.{e.name}", value.name, value.number))

    for m in file.message_type:
        message(file.package, m)
    for e in file.enum_type:
        enum(file.package, e)
    for x in file.extension:
        found.add(("extension", x.extendee, x.name, x.number, x.type_name))
    for s in file.service:
        for r in s.method:
            found.add(("method", f"{file.package}.{s.name}", r.name, r.input_type, r.output_type,
                       r.client_streaming, r.server_streaming))
    return found


def ours(folder):
    with tempfile.NamedTemporaryFile() as out:
        names = sorted(n for n in os.listdir(folder) if n.endswith(".proto"))
        subprocess.run(["protoc", f"-I{folder}", f"--descriptor_set_out={out.name}", *names], check=True)
        with open(out.name, "rb") as f:
            files = descriptor_pb2.FileDescriptorSet.FromString(f.read()).file
    return set().union(*(facts(f) for f in files))


def theirs():
    from pymilvus.grpc_gen import milvus_pb2
    found, seen = set(), set()

    def visit(descriptor):
        if descriptor.name.startswith("google/") or descriptor.name in seen:
            return
        seen.add(descriptor.name)
        proto = descriptor_pb2.FileDescriptorProto()
        descriptor.CopyToProto(proto)
        found.update(facts(proto))
        for dependency in descriptor.dependencies:
            visit(dependency)

    visit(milvus_pb2.DESCRIPTOR)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--protos", required=True)
    parser.add_argument("--mode", choices=["equal", "contains"], required=True)
    args = parser.parse_args()
    a, b = ours(args.protos), theirs()
    missing = sorted(b - a - (GONE if args.mode == "contains" else set()), key=str)
    extra = sorted(a - b - AHEAD, key=str) if args.mode == "equal" else []
    for line in missing:
        print("missing in ours:", line)
    for line in extra:
        print("only in ours:", line)
    failed = len(missing) + len(extra)
    print(f"{len(a | b) - failed} passed, {failed} failed")
    return 1 if failed or not b else 0


if __name__ == "__main__":
    sys.exit(main())
