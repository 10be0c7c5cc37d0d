"""An HTTP server without manners: it sends the bytes that it is given."""

import socket
import threading
import time


class Server:
    """Answers every connection with the given bytes, and keeps what it was asked."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.asked: list[bytes] = []
        self.reply: list[bytes] = []
        self.pause = 0.0
        self.close = True
        self.is_rude = False
        """Whether a connection that it did not close is closed on the next request, without an answer."""
        self.closed = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.asked.append(self._request(connection))
                for piece in self.reply:
                    connection.sendall(piece)
                    time.sleep(self.pause)
                if not self.close:
                    while self._more(connection) and not self.is_rude:
                        pass
            self.closed.set()

    @staticmethod
    def _more(connection: socket.socket) -> bytes:
        try:
            return connection.recv(65536)
        except OSError:
            return b""

    def _request(self, connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data or not self._whole(data):
            piece = self._more(connection)
            if not piece:
                break
            data += piece
        return data

    @staticmethod
    def _whole(data: bytes) -> bool:
        head, _, body = data.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            return body.endswith(b"0\r\n\r\n")
        lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return len(body) >= int(lengths[0] if lengths else 0)

    @property
    def head(self) -> dict[str, str]:
        lines = self.asked[-1].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def line(self) -> str:
        return self.asked[-1].partition(b"\r\n")[0].decode()

    def stop(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self._thread.join(5)
