"""Asks a running server for every method of the contract and writes which are answered.

  list_methods.py --server build/release/elanus --out docs/generated/methods.md     (where pymilvus is installed)
"""
import argparse
import tempfile

import grpc
from pymilvus.grpc_gen import milvus_pb2

from server_process import Server


def answered(channel, path):
    """Sends an empty request; only UNIMPLEMENTED means that nobody is there."""
    call = channel.unary_unary(path, request_serializer=lambda b: b, response_deserializer=lambda b: b)
    try:
        call(b"", timeout=10)
    except grpc.RpcError as error:
        return error.code() != grpc.StatusCode.UNIMPLEMENTED
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    service = milvus_pb2.DESCRIPTOR.services_by_name["MilvusService"]
    with tempfile.TemporaryDirectory() as folder, Server(args.server, folder + "/data") as server:
        with grpc.insecure_channel(server.address) as channel:
            rows = [(m.name, answered(channel, f"/{service.full_name}/{m.name}")) for m in service.methods]
    yes = sum(good for _, good in rows)
    with open(args.out, "w") as out:
        out.write("# Methods of MilvusService\n\nWritten by `./dev docs`, which asks a running server for each one. "
                  f"{yes} of {len(rows)} are answered; the others answer UNIMPLEMENTED with their name.\n\n"
                  "| method | answered |\n| --- | --- |\n")
        for name, good in sorted(rows, key=lambda r: (not r[1], r[0])):
            out.write(f"| {name} | {'yes' if good else 'no'} |\n")


if __name__ == "__main__":
    main()
