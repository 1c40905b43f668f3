"""A connection to a server of HTTP/2, on which rules can be broken frame by frame.

What is right goes through hyper-h2, which keeps the client's state and compresses. What hyper-h2 would
never send goes as bytes. Everything that comes is heard twice: as frames, and by hyper-h2, for which a
server that breaks a rule itself is an error.
"""

import socket
import ssl

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import ResponseReceived
from h2.exceptions import ProtocolError
from hpack import Encoder
from hyperframe.frame import Frame, GoAwayFrame, RstStreamFrame, SettingsFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Seconds that any event may take; nothing that comes takes as long.
PATIENCE = 10
FRAME_HEAD = 9
# The stream that is broken, and the one that shows whether others are served.
SUBJECT, OTHER = 1, 101


class Ended(Exception):
    """The connection has ended, or will: how."""


class Peer:
    def __init__(self, address, over_tls):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if over_tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
            assert self.socket.selected_alpn_protocol() == "h2"
        self.scheme = "https" if over_tls else "http"
        self.h2 = H2Connection(
            H2Configuration(
                header_encoding="latin-1", validate_outbound_headers=False, normalize_outbound_headers=False
            )
        )
        self.received = b""
        self.answers = {}

    def close(self):
        self.socket.close()

    # --- What goes out.

    def send(self, data):
        """Bytes as they are. A connection that has ended may not take them: reading tells."""
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def flush(self):
        self.send(self.h2.data_to_send())

    def register(self, stream, is_over=True):
        """Has hyper-h2 believe that a request has gone, whose frames a case sends itself."""
        self.flush()
        encoder, self.h2.encoder = self.h2.encoder, Encoder()
        fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h")]
        self.h2.send_headers(stream, fields, end_stream=is_over)
        self.h2.encoder = encoder
        self.h2.clear_outbound_data_buffer()

    def greet(self):
        """Begins as a client does, and waits until both have agreed."""
        self.h2.initiate_connection()
        self.flush()
        self.until(lambda frame: isinstance(frame, SettingsFrame) and "ACK" in frame.flags)

    # --- What comes in.

    def next(self):
        """The next frame. Raises `Ended` when there is none."""
        head = self.read(FRAME_HEAD)
        frame, length = Frame.parse_frame_header(memoryview(head))
        payload = self.read(length)
        frame.parse_body(memoryview(payload))
        if isinstance(frame, GoAwayFrame):
            code = ErrorCodes(frame.error_code).name
            self.hear_out()
            raise Ended(f"GOAWAY {code}")
        try:
            events = self.h2.receive_data(head + payload)
        except ProtocolError as error:
            raise Ended(f"the server broke a rule: {error!r}") from error
        for event in events:
            if isinstance(event, ResponseReceived):
                self.answers[event.stream_id] = dict(event.headers)[":status"]
        self.flush()
        return frame

    def until(self, is_it):
        """The first frame that is looked for; others are dropped."""
        while True:
            frame = self.next()
            if is_it(frame):
                return frame

    def read(self, length):
        while len(self.received) < length:
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                raise Ended("silence") from None
            except OSError:
                data = b""
            if not data:
                raise Ended("closed")
            self.received += data
        taken, self.received = self.received[:length], self.received[length:]
        return taken

    def hear_out(self):
        """After GOAWAY the connection closes (§5.4.1)."""
        try:
            while self.read(1):
                pass
        except Ended as ended:
            if str(ended) != "closed":
                raise Ended("GOAWAY, and the connection stays") from None

    # --- How it ends for the stream that is broken.

    def outcome(self, expects_word):
        """Asks for something else, and says how the subject ended once that is answered."""
        try:
            # One whose answer needs no window.
            self.h2.send_headers(OTHER, self.fields("HEAD"), end_stream=True)
        except ProtocolError as error:
            return f"hyper-h2 lets nothing more go: {error!r}"
        self.flush()
        reset, is_other_served = None, False
        try:
            while not is_other_served or (expects_word and not reset and SUBJECT not in self.answers):
                frame = self.next()
                if isinstance(frame, RstStreamFrame):
                    code = f"RST_STREAM {ErrorCodes(frame.error_code).name}"
                    if frame.stream_id == OTHER:
                        return f"another stream: {code}"
                    reset = code
                is_other_served |= frame.stream_id == OTHER and "END_STREAM" in frame.flags
        except Ended as ended:
            return str(ended)
        return reset or (f"answered {self.answers[SUBJECT]}" if SUBJECT in self.answers else "ignored")

    def fields(self, method="GET", path="/orders", more=()):
        """The fields of a request that is right."""
        pseudo = [(":method", method), (":scheme", self.scheme), (":path", path), (":authority", "h.test")]
        return pseudo + list(more)
