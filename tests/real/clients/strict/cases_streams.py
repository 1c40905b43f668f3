"""States of streams, their numbers, how many there are (RFC 9113 §5.1, §5.3.1 of RFC 7540)."""

from h2.errors import ErrorCodes
from known import COARSE, WHOLE_CONNECTION
from peer import OTHER, Ended
from steps import *

ERROR = goaway("PROTOCOL_ERROR")
GONE = goaway("STREAM_CLOSED")
OVER = reset("STREAM_CLOSED")
# HEADERS where none may come any more.
BLOCK = b"\x82\x86\x84\x41\x01h"
AGAIN = raw(HEADERS, LAST, 1, BLOCK)
ON_ITSELF = number(1) + b"\x0f"


def update(stream=1):
    return raw(WINDOW_UPDATE, 0, stream, number(9))


def cancel(stream=1):
    return raw(RST_STREAM, 0, stream, number(8))


def data(stream=1):
    return raw(DATA, END_STREAM, stream, b"data")


def priority(stream=1):
    return raw(PRIORITY, 0, stream, number(0) + b"\x0f")


def more_than_offered(peer):
    """As many streams as the server has offered, on which nothing ends, and one more."""
    first = OTHER + 2
    last = first + 2 * peer.h2.remote_settings.max_concurrent_streams
    for stream in range(first, last, 2):
        request(path="/hang", stream=stream)(peer)
    # hyper-h2 would not send it.
    raw(HEADERS, LAST, last, good(peer))(peer)
    frame = peer.until(lambda frame: frame.type == RST_STREAM)
    code = ErrorCodes(frame.error_code).name
    raise Ended(reset(code) if frame.stream_id == last else f"another stream: {reset(code)}")


CASES = [
    case("5.1", "idle: DATA", idle, [data()], ERROR),
    case("5.1", "idle: RST_STREAM", idle, [cancel()], ERROR),
    case("5.1", "idle: WINDOW_UPDATE", idle, [update()], ERROR),
    case("5.1", "idle: CONTINUATION", idle, [rest()], ERROR),
    case("5.1", "idle: PRIORITY", idle, [priority()], IGNORED),
    case("5.1", "half-closed: DATA", half_closed, [data()], OVER, known=WHOLE_CONNECTION),
    case("5.1", "half-closed: HEADERS", half_closed, [AGAIN], OVER, known=WHOLE_CONNECTION),
    case("5.1", "half-closed: CONTINUATION", half_closed, [rest()], OVER, ERROR),
    case("5.1", "half-closed: WINDOW_UPDATE", half_closed, [update()], IGNORED),
    case("5.1", "half-closed: PRIORITY", half_closed, [priority()], IGNORED),
    case("5.1", "half-closed: RST_STREAM", half_closed, [cancel()], IGNORED),
    case("5.1", "reset: DATA", cancelled, [data()], OVER, GONE),
    case("5.1", "reset: HEADERS", cancelled, [AGAIN], OVER, GONE, known=WHOLE_CONNECTION),
    case("5.1", "reset: CONTINUATION", cancelled, [rest()], OVER, GONE, ERROR),
    case("5.1", "reset: PRIORITY", cancelled, [priority()], IGNORED),
    case("5.1", "closed: DATA", closed, [data()], GONE, OVER),
    case("5.1", "closed: HEADERS", closed, [AGAIN], GONE, known=COARSE),
    case("5.1", "closed: CONTINUATION", closed, [rest()], GONE, ERROR),
    case("5.1", "closed: PRIORITY", closed, [priority()], IGNORED),
    case("5.1", "closed: WINDOW_UPDATE", closed, [update()], IGNORED),
    case("5.1", "closed: RST_STREAM", closed, [cancel()], IGNORED),
    case("5.1.1", "a stream of an even number", idle, [raw(HEADERS, LAST, 2, BLOCK)], ERROR),
    case(
        "5.1.1",
        "a lower number than the last",
        idle,
        [request(stream=5), raw(HEADERS, LAST, 3, BLOCK)],
        ERROR,
    ),
    case(
        "5.1.1", "DATA of a stream that was left out", idle, [request(stream=5), data(3)], ERROR, GONE, OVER
    ),
    case(
        "5.1.2",
        "more streams than offered",
        idle,
        [more_than_offered],
        reset("REFUSED_STREAM"),
        reset("PROTOCOL_ERROR"),
    ),
    # RFC 7540's: RFC 9113 has done with priorities, and leaves it open.
    case(
        "5.3.1",
        "HEADERS that depend on themselves",
        idle,
        [headers(LAST | PRIORITIZED, before=ON_ITSELF)],
        reset("PROTOCOL_ERROR"),
    ),
    case(
        "5.3.1",
        "PRIORITY that depends on itself",
        idle,
        [raw(PRIORITY, 0, 1, ON_ITSELF)],
        reset("PROTOCOL_ERROR"),
    ),
]
