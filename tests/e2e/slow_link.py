"""A link to a server that lies far away: TCP whose requests take so long to get there."""
import socket
import threading
import time


class SlowLink:
    """Connects a port of this machine with another: what a client sends gets there `seconds` later. `most` is how
    many requests were on their way at the same time."""

    def __init__(self, port, seconds):
        self.to, self.seconds = port, seconds
        self.most = self._under_way = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._carry, args=(client, server, self._wait), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, lambda: None), daemon=True).start()

    def _wait(self):
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        time.sleep(self.seconds)
        with self._lock:
            self._under_way -= 1

    @staticmethod
    def _carry(source, target, wait):
        try:
            while piece := source.recv(1 << 20):
                wait()
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                end.close()
