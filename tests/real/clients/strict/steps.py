"""What cases are made of: states of the stream that is broken, steps, and how it may end."""

from typing import NamedTuple

from hpack import Encoder
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, SettingsFrame
from peer import PREFACE, SUBJECT, Ended

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = (
    range(10)
)
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, PRIORITIZED = 0x4, 0x8, 0x20
LAST = END_STREAM | END_HEADERS
(
    HEADER_TABLE_SIZE,
    ENABLE_PUSH,
    MAX_CONCURRENT_STREAMS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
) = range(1, 7)
# Order something of the sample API: a body that it takes.
BODY = b'{"item_id":1}'
# What a frame may hold, and a window (RFC 9113 §6.5.2, §6.9.1).
MOST = 1 << 14
WINDOW = (1 << 31) - 1

IGNORED = "ignored"
CLOSED_CONNECTION = "closed"


def goaway(code):
    return f"GOAWAY {code}"


def reset(code):
    return f"RST_STREAM {code}"


def answered(status):
    return f"answered {status}"


class Known(NamedTuple):
    """What comes instead of what the section says."""

    seen: str
    why: str


class Case(NamedTuple):
    section: str
    what: str
    given: callable
    steps: list
    # What the section lets happen, each as `Peer.outcome` says it.
    must: tuple
    known: Known | None = None


def case(section, what, given, steps, *must, known=None):
    return Case(section, what, given, steps, must, known)


# --- What the client has done on the subject before.


def ungreeted(peer):
    """Not a byte has gone."""


def idle(peer):
    peer.greet()


def opened(peer):
    peer.greet()
    request("POST", is_over=False)(peer)


def half_closed(peer):
    peer.greet()
    request(path="/hang")(peer)


def cancelled(peer):
    half_closed(peer)
    raw(RST_STREAM, 0, SUBJECT, number(8))(peer)


def closed(peer):
    peer.greet()
    request()(peer)
    peer.until(lambda frame: frame.stream_id == SUBJECT and "END_STREAM" in frame.flags)
    peer.answers.clear()


# --- Steps that hyper-h2 takes part in.


def request(method="GET", path="/orders", more=(), stream=SUBJECT, is_over=True, **how):
    """A request of usual fields and `more`, or of the fields alone that `fields` names."""
    fields = how.pop("fields", None)

    def step(peer):
        chosen = peer.fields(method, path, more)
        if fields is not None:
            chosen = [(name, peer.scheme if value == "SCHEME" else value) for name, value in fields]
        peer.h2.send_headers(stream, chosen, end_stream=is_over, **how)
        peer.flush()

    return step


def body(data=BODY, is_over=True, **how):
    def step(peer):
        peer.h2.send_data(SUBJECT, data, end_stream=is_over, **how)
        peer.flush()

    return step


def trailers(fields, is_over=True):
    """hyper-h2 sends trailers that end a stream; others are its bytes with that flag taken out."""

    def step(peer):
        peer.h2.send_headers(SUBJECT, fields, end_stream=True)
        data = bytearray(peer.h2.data_to_send())
        if not is_over:
            data[4] &= ~END_STREAM
        peer.send(bytes(data))

    return step


def settings(*pairs):
    """As bytes: hyper-h2 sends no setting that is wrong, and heeds those that are right once told."""
    return raw(SETTINGS, 0, 0, b"".join(name.to_bytes(2, "big") + number(value) for name, value in pairs))


def agreed(name, value):
    """A setting that hyper-h2 keeps to as well, and that the server has acknowledged."""

    def step(peer):
        peer.h2.update_settings({name: value})
        peer.flush()
        peer.until(lambda frame: isinstance(frame, SettingsFrame) and "ACK" in frame.flags)

    return step


def grant(increment, stream=SUBJECT):
    def step(peer):
        peer.h2.increment_flow_control_window(increment, stream)
        peer.flush()

    return step


def ping(data=b"fracas-1"):
    def step(peer):
        peer.h2.ping(data)
        peer.flush()

    return step


# --- Steps that are bytes.


def raw(kind, flags, stream, payload=b""):
    """One frame."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + number(stream)
    return lambda peer: peer.send(head + payload)


def octets(data):
    return lambda peer: peer.send(data)


def headers(flags=LAST, payload=None, stream=SUBJECT, before=b"", after=b""):
    """HEADERS that begin a request, with a payload of their own, or bytes around a good one."""

    def step(peer):
        peer.register(stream, bool(flags & END_STREAM))
        whole = before + good(peer) + after if payload is None else payload
        raw(HEADERS, flags, stream, whole)(peer)

    return step


def cut(flags=END_STREAM, at=7):
    """The beginning of a request's block; `rest` is what is left of it."""

    def step(peer):
        peer.register(SUBJECT)
        raw(HEADERS, flags, SUBJECT, good(peer)[:at])(peer)

    return step


def rest(flags=END_HEADERS, at=7, until=None, stream=SUBJECT):
    return lambda peer: raw(CONTINUATION, flags, stream, good(peer)[at:until])(peer)


def good(peer):
    """A request's block that leaves both tables as they are: every literal without indexing."""
    return b"".join(literal(name, value) for name, value in peer.fields())


def literal(name, value, first=b"\x00", huffman=False):
    """A field whose name is new (RFC 7541 §6.2)."""
    return first + text(name, huffman) + text(value, huffman)


def text(value, huffman=False):
    data = value.encode("latin-1")
    if huffman:
        data = Encoder().huffman_coder.encode(data)
    assert len(data) < 127
    return bytes([len(data) | (0x80 if huffman else 0)]) + data


def number(value):
    return value.to_bytes(4, "big")


def preface(data=PREFACE):
    return lambda peer: peer.send(data)


def begun(peer):
    """Has hyper-h2 believe that it has begun."""
    peer.h2.initiate_connection()
    peer.h2.clear_outbound_data_buffer()


# --- What must come in between. What comes instead ends the case.


def sees(what, is_it):
    def step(peer):
        frame = peer.next()
        while not isinstance(frame, (DataFrame, HeadersFrame, PingFrame)):
            frame = peer.next()
        if not is_it(frame):
            raise Ended(f"{what} expected, {frame!r} seen")

    return step


def sees_head():
    return sees("HEADERS", lambda frame: isinstance(frame, HeadersFrame))


def sees_data(length):
    return sees(f"{length} octets", lambda frame: isinstance(frame, DataFrame) and len(frame.data) == length)


def sees_pong(data=b"fracas-1"):
    def is_it(frame):
        return isinstance(frame, PingFrame) and "ACK" in frame.flags and frame.opaque_data == data

    return sees("its PING's answer", is_it)


def sees_nothing_before_a_pong():
    return lambda peer: [ping(b"barrier!")(peer), sees_pong(b"barrier!")(peer)]
