"""Sends requests that were encoded before, from several processes, for a while; the time of each from send to answer.

  replay.py PORT METHOD REQUESTS CLIENTS SECONDS     REQUESTS: a file of requests, each behind its length (4 bytes)
Prints one line of JSON: qps, p50_ms, p95_ms, p99_ms. A process has up to eight requests in flight: a client more costs
no process more, so that with many clients the machine is the server's."""
import json
import multiprocessing
import struct
import sys
import threading
import time

import grpc

SERVICE = "/milvus.proto.milvus.MilvusService/"
IN_FLIGHT = 8


def read(path):
    requests = []
    with open(path, "rb") as file:
        while head := file.read(4):
            requests.append(file.read(struct.unpack("<I", head)[0]))
    return requests


def write(path, requests):
    with open(path, "wb") as file:
        for request in requests:
            file.write(struct.pack("<I", len(request)) + request)


def client(call, requests, first, end, times):
    i = first
    while time.perf_counter() < end:
        begin = time.perf_counter()
        call(requests[i % len(requests)], timeout=60)
        times.append(time.perf_counter() - begin)
        i += 1


def process(port, method, requests, clients, seconds, number, results):
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_receive_message_length", -1)]) as channel:
        call = channel.unary_unary(SERVICE + method, request_serializer=None, response_deserializer=None)
        call(requests[0], timeout=60)
        times, end = [[] for _ in range(clients)], time.perf_counter() + seconds
        threads = [threading.Thread(target=client, args=(call, requests, 131 * (number + 8 * i), end, times[i]))
                   for i in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        results.put([t for one in times for t in one])


def replay(port, method, requests, clients, seconds):
    results, shares = multiprocessing.Queue(), []
    while clients:
        shares.append(min(IN_FLIGHT, clients))
        clients -= shares[-1]
    workers = [multiprocessing.Process(target=process, args=(port, method, requests, share, seconds, n, results))
               for n, share in enumerate(shares)]
    for worker in workers:
        worker.start()
    times = sorted(t for _ in workers for t in results.get(timeout=seconds + 120))
    for worker in workers:
        worker.join()
    return {"qps": len(times) / seconds,
            **{f"p{p}_ms": times[min(len(times) - 1, len(times) * p // 100)] * 1e3 for p in (50, 95, 99)}}


if __name__ == "__main__":
    print(json.dumps(replay(int(sys.argv[1]), sys.argv[2], read(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))))
