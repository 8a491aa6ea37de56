"""Messages made by hand: what the SDK would refuse before it is sent, and calls without its retries."""
from contextlib import contextmanager

import grpc
import numpy as np
from google.protobuf import message_factory
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

SERVICE = milvus_pb2.DESCRIPTOR.services_by_name["MilvusService"]
DECODE = {method.name: message_factory.GetMessageClass(method.output_type).FromString for method in SERVICE.methods}


@contextmanager
def calls(address):
    """Gives call(method, request): a request is a message or bytes; the answer is a message where the SDK has one."""
    with grpc.insecure_channel(address) as channel:
        def call(method, request=b"", timeout=20):
            send = request if isinstance(request, bytes) else request.SerializeToString()
            return channel.unary_unary(f"/{SERVICE.full_name}/{method}", request_serializer=lambda b: b,
                                       response_deserializer=DECODE.get(method))(send, timeout=timeout)
        yield call


def status_of(answer):
    return answer if isinstance(answer, common_pb2.Status) else answer.status


def column(field, kind, values, dim=0, valid=None):
    """A FieldData; `values` are flat for vectors, and JSON texts or lists for the types that want them."""
    data = schema_pb2.FieldData(field_name=field, type=getattr(schema_pb2, kind))
    member = {"Bool": "bool_data", "Int8": "int_data", "Int16": "int_data", "Int32": "int_data", "Int64": "long_data",
              "Float": "float_data", "Double": "double_data", "VarChar": "string_data", "JSON": "json_data"}
    if kind == "FloatVector":
        data.vectors.dim = dim
        data.vectors.float_vector.data.extend(values)
    elif kind == "BinaryVector":
        data.vectors.dim = dim
        data.vectors.binary_vector = values
    elif kind == "Array":
        data.scalars.array_data.element_type = schema_pb2.Int64
        for row in values:
            part = data.scalars.array_data.data.add()
            cell = part.string_data if row and isinstance(row[0], str) else part.long_data
            cell.SetInParent()  # An empty list is there, too.
            cell.data.extend(row)
    else:
        getattr(data.scalars, member[kind]).data.extend(values)
    if valid is not None:
        data.valid_data.extend(valid)
    return data


def insert_request(name, columns, rows=2, partition="", upsert=False):
    kind = milvus_pb2.UpsertRequest if upsert else milvus_pb2.InsertRequest
    return kind(collection_name=name, partition_name=partition, fields_data=columns, num_rows=rows)


def placeholder(vectors):
    """The bytes of a search's queries."""
    value = common_pb2.PlaceholderValue(tag="$0", type=common_pb2.PlaceholderType.FloatVector,
                                        values=[np.asarray(v, np.float32).tobytes() for v in vectors])
    return common_pb2.PlaceholderGroup(placeholders=[value]).SerializeToString()


def search_request(name, vectors, queries=None, filter_text="", output=(), partitions=(), nq=None, **params):
    """`params` are texts of search_params; None leaves a usual one out. Strong unless it says otherwise."""
    usual = {"anns_field": "vector", "topk": "3", "params": "{}", "metric_type": "L2", **params}
    request = milvus_pb2.SearchRequest(
        collection_name=name, dsl=filter_text, dsl_type=common_pb2.DslType.BoolExprV1, output_fields=output,
        partition_names=partitions, nq=len(vectors) if nq is None else nq,
        placeholder_group=placeholder(vectors) if queries is None else queries)
    for key, value in usual.items():
        if value is not None:
            request.search_params.add(key=key, value=value)
    return request


def query_request(name, filter_text="id >= 0", output=("id",), partitions=(), **params):
    request = milvus_pb2.QueryRequest(collection_name=name, expr=filter_text, output_fields=output,
                                      partition_names=partitions)
    for key, value in params.items():
        request.query_params.add(key=key, value=value)
    return request
