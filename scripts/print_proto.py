#!/usr/bin/env python3
"""Prints the public wire contract as .proto files, from the descriptors inside an installed pymilvus.

  print_proto.py --out src/wire/proto      (run it in an environment that has the pinned pymilvus)

Names, numbers and types are the contract; layout and comments are ours. tests/proto_contract compares the result.
"""
import argparse
import os

from google.protobuf.descriptor import FieldDescriptor as F

TYPES = {F.TYPE_DOUBLE: "double", F.TYPE_FLOAT: "float", F.TYPE_INT64: "int64", F.TYPE_UINT64: "uint64",
         F.TYPE_INT32: "int32", F.TYPE_FIXED64: "fixed64", F.TYPE_FIXED32: "fixed32", F.TYPE_BOOL: "bool",
         F.TYPE_STRING: "string", F.TYPE_BYTES: "bytes", F.TYPE_UINT32: "uint32", F.TYPE_SINT32: "sint32",
         F.TYPE_SINT64: "sint64", F.TYPE_SFIXED32: "sfixed32", F.TYPE_SFIXED64: "sfixed64"}
ABOUT = {"common.proto": "Status, codes and the small types that all services share.",
         "schema.proto": "Fields, columns and results.", "milvus.proto": "Requests, answers and services.",
         "msg.proto": "Messages of the log, of which clients see positions only.", "rg.proto": "Resource groups.",
         "feder.proto": "The retired index visualiser; its methods still have a place in the service."}


def type_name(field):
    if field.message_type is not None:
        return "." + field.message_type.full_name
    if field.enum_type is not None:
        return "." + field.enum_type.full_name
    return TYPES[field.type]


def print_field(field, indent):
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        entry = field.message_type
        kind = f"map<{type_name(entry.fields_by_name['key'])}, {type_name(entry.fields_by_name['value'])}>"
    else:
        proto3_optional = (field.containing_oneof is not None and len(field.containing_oneof.fields) == 1
                           and field.containing_oneof.name == "_" + field.name)
        label = "repeated " if field.is_repeated else "optional " if proto3_optional else ""
        kind = label + type_name(field)
    options = " [deprecated = true]" if field.GetOptions().deprecated else ""
    return f"{indent}{kind} {field.name} = {field.number}{options};"


def print_enum(enum, indent):
    lines = [f"{indent}enum {enum.name} {{"]
    if enum.GetOptions().allow_alias:
        lines.append(f"{indent}  option allow_alias = true;")
    lines += [f"{indent}  {value.name} = {value.number};" for value in enum.values]
    return lines + [f"{indent}}}"]


def print_message(message, indent, privilege):
    lines = [f"{indent}message {message.name} {{"]
    options = message.GetOptions()
    if privilege is not None and options.HasExtension(privilege):
        body = " ".join(str(options.Extensions[privilege]).split())
        lines.append(f"{indent}  option (.milvus.proto.common.privilege_ext_obj) = {{ {body} }};")
    for enum in message.enum_types:
        lines += print_enum(enum, indent + "  ")
    for nested in message.nested_types:
        if not nested.GetOptions().map_entry:
            lines += print_message(nested, indent + "  ", privilege)
    done = set()
    for field in message.fields:
        oneof = field.containing_oneof
        if oneof is None or (len(oneof.fields) == 1 and oneof.name == "_" + field.name):
            lines.append(print_field(field, indent + "  "))
        elif oneof.name not in done:
            done.add(oneof.name)
            lines.append(f"{indent}  oneof {oneof.name} {{")
            lines += [print_field(member, indent + "    ") for member in oneof.fields]
            lines.append(f"{indent}  }}")
    return lines + [f"{indent}}}"]


def print_file(file, privilege):
    lines = [f"// {ABOUT[file.name]}", "// Printed by scripts/print_proto.py; names, numbers and types are the wire contract.",
             'syntax = "proto3";', "", f"package {file.package};", ""]
    lines += [f'import "{dependency.name}";' for dependency in file.dependencies] + [""]
    if file.extensions_by_name:
        for extension in file.extensions_by_name.values():
            lines += [f"extend .{extension.containing_type.full_name} {{",
                      f"  {type_name(extension)} {extension.name} = {extension.number};", "}", ""]
    for enum in file.enum_types_by_name.values():
        lines += print_enum(enum, "") + [""]
    for message in file.message_types_by_name.values():
        lines += print_message(message, "", privilege) + [""]
    for service in file.services_by_name.values():
        lines.append(f"service {service.name} {{")
        for method in service.methods:
            request = ("stream " if method.client_streaming else "") + "." + method.input_type.full_name
            answer = ("stream " if method.server_streaming else "") + "." + method.output_type.full_name
            lines.append(f"  rpc {method.name}({request}) returns ({answer});")
        lines += ["}", ""]
    return "\n".join(lines).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    out = parser.parse_args().out
    from pymilvus.grpc_gen import common_pb2, milvus_pb2
    files = {}

    def visit(file):
        if file.name.startswith("google/") or file.name in files:
            return
        files[file.name] = file
        for dependency in file.dependencies:
            visit(dependency)

    visit(milvus_pb2.DESCRIPTOR)
    os.makedirs(out, exist_ok=True)
    for name, file in files.items():
        with open(os.path.join(out, name), "w") as to:
            to.write(print_file(file, getattr(common_pb2, "privilege_ext_obj", None)))


if __name__ == "__main__":
    main()
