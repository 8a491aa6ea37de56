"""Starts the real server for tests, demo and benchmarks, on free ports, and stops it."""
import os
import re
import select
import signal
import subprocess
import time

READY = re.compile(r"elanus ready: port=(\d+) management_port=(\d+)")


class StartFailed(RuntimeError):
    """The server ended before it was ready; the text is what it said."""


class Server:
    """A running `elanus serve`. A context manager; `stop` and `kill` may be called in between. Collections may be flushed
    as often as one likes, unless the arguments say otherwise."""

    def __init__(self, binary, data, port=0, management_port=0, arguments=()):
        self.binary, self.data = os.path.abspath(binary), data
        self.arguments = ["--data", data, "--port", str(port), "--management-port", str(management_port),
                          "--set", "quotaAndLimits.flushRate.enabled=false", *arguments]
        self.process = None
        self.start()

    def start(self, timeout_s=30):
        """Starts the process and waits until it says that it is ready."""
        begin = time.perf_counter()
        self.log_path = self.data.rstrip("/") + ".log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.binary, "serve", *self.arguments], stdout=subprocess.PIPE, stderr=log)
        text = b""
        while True:
            left = timeout_s - (time.perf_counter() - begin)
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.kill()
                raise StartFailed(f"not ready after {timeout_s} s: {self._said(text)}")
            piece = os.read(self.process.stdout.fileno(), 65536)
            text += piece
            found = READY.search(text.decode(errors="replace"))
            if found:
                break
            if not piece:
                self.process.wait()
                raise StartFailed(f"exit status {self.process.returncode}: {self._said(text)}")
        self.ready_s = time.perf_counter() - begin
        self.port, self.management_port = int(found.group(1)), int(found.group(2))
        self.address = f"127.0.0.1:{self.port}"
        self.uri = f"http://{self.address}"

    def _said(self, out):
        with open(self.log_path, "rb") as log:
            return (out + log.read()[-4000:]).decode(errors="replace")

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, timeout_s=30):
        """Asks with SIGTERM and returns the exit status."""
        return self._end(signal.SIGTERM, timeout_s)

    def kill(self):
        """Ends the process at once, as a crash would."""
        return self._end(signal.SIGKILL, 30)

    def _end(self, how, timeout_s):
        if self.running:
            self.process.send_signal(how)
        try:
            status = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.running:
            self.stop()
