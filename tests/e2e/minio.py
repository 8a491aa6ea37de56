"""A real MinIO for the tests of the object store, and what is in its bucket."""
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from go_tool import go_tool
from support import settings

KEY, SECRET, BUCKET = "elanus-tests", "hush-hush-hush", "a-bucket"


class Minio:
    """A running MinIO over a folder of its own. `pause` makes it silent, `stop` and `start` end and begin it."""

    def __init__(self, program, folder, certificates=None):
        self.program, self.folder, self.certificates = program, str(folder), certificates
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = None
        self.start()

    def start(self):
        environment = {**os.environ, "MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_BROWSER": "off",
                       "MINIO_UPDATE": "off", "MINIO_DOMAIN": "localhost"}
        command = [self.program, "server", self.folder, "--address", f"127.0.0.1:{self.port}", "--quiet"]
        if self.certificates:
            command += ["--certs-dir", str(self.certificates)]
        with open(self.folder.rstrip("/") + ".log", "ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, "MinIO has ended"
            assert time.monotonic() < end, "MinIO is not ready after 60 s"
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    if self.certificates or self.healthy():
                        return
            except OSError:
                pass
            time.sleep(0.1)

    def healthy(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/minio/health/live", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def options(self, **more):
        """The arguments of a server that keeps its objects here."""
        return settings({"common.storageType": "minio", "minio.address": "127.0.0.1", "minio.port": self.port,
                         "minio.accessKeyID": KEY, "minio.secretAccessKey": SECRET, "minio.bucketName": BUCKET,
                         "minio.requestTimeoutMs": 2000,
                         **{key.replace("__", "."): value for key, value in more.items()}})

    def objects(self, prefix="files/", bucket=BUCKET):
        """Keys in the bucket, as MinIO keeps them: a folder an object."""
        root = os.path.join(self.folder, bucket)
        found = []
        for folder, _, names in os.walk(root):
            if "xl.meta" in names:
                found.append(os.path.relpath(folder, root))
        return sorted(key for key in found if key.startswith(prefix))


def minio_program():
    program = go_tool("minio")
    if program is None:
        pytest.skip("no MinIO: it is built by `go install`, and there is no `go` here (packages/go.txt)")
    return program
