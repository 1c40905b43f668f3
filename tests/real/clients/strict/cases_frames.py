"""Frames and their sizes, and each kind of frame as it must not be (RFC 9113 §4, §6)."""

from known import COARSE, WHOLE_CONNECTION
from steps import *

ERROR = goaway("PROTOCOL_ERROR")
SIZE = goaway("FRAME_SIZE_ERROR")
COMPRESSION = goaway("COMPRESSION_ERROR")
TOO_LONG = bytes(MOST + 1)


def priority(stream, on=0):
    return raw(PRIORITY, 0, stream, number(on) + b"\x0f")


CASES = [
    case("4.1", "a frame of an unknown kind", idle, [raw(0xFA, 0, 0, b"x")], IGNORED),
    case(
        "4.1", "flags without a meaning", idle, [raw(PING, 0xFE, 0, bytes(8)), sees_pong(bytes(8))], IGNORED
    ),
    case("4.1", "the reserved bit", idle, [raw(PING, 0, 1 << 31, bytes(8)), sees_pong(bytes(8))], IGNORED),
    case("4.2", "DATA as long as may be", opened, [body(BODY.ljust(MOST))], answered(201)),
    case(
        "4.2",
        "DATA that is longer",
        opened,
        [raw(DATA, END_STREAM, 1, TOO_LONG)],
        SIZE,
        reset("FRAME_SIZE_ERROR"),
    ),
    case("4.2", "HEADERS that are longer", idle, [raw(HEADERS, LAST, 1, TOO_LONG)], SIZE),
    case(
        "4.2", "CONTINUATION that is longer", idle, [cut(), raw(CONTINUATION, END_HEADERS, 1, TOO_LONG)], SIZE
    ),
    case("4.2", "SETTINGS that are longer", idle, [raw(SETTINGS, 0, 0, bytes(6 * 2731))], SIZE),
    case("4.2", "an unknown kind that is longer", idle, [raw(0xFA, 0, 0, TOO_LONG)], SIZE),
    case(
        "4.3", "a block that does not decompress", idle, [headers(after=b"\x40")], COMPRESSION, known=COARSE
    ),
    case("4.3", "PRIORITY within a block", idle, [cut(), priority(1), rest()], ERROR),
    case("4.3", "another stream's HEADERS within a block", idle, [cut(), request(stream=3), rest()], ERROR),
    case("6.1", "DATA of the connection", opened, [raw(DATA, 0, 0, b"x")], ERROR),
    case("6.1", "DATA shorter than its padding", opened, [raw(DATA, PADDED, 1, b"\x06data")], ERROR),
    case("6.1", "DATA as long as its padding", opened, [raw(DATA, PADDED, 1, b"\x05data")], ERROR),
    case("6.1", "DATA without its padding's length", opened, [raw(DATA, PADDED, 1)], ERROR, SIZE),
    case("6.2", "HEADERS of the connection", idle, [raw(HEADERS, LAST, 0, b"\x82")], ERROR),
    case("6.2", "HEADERS shorter than their padding", idle, [headers(LAST | PADDED, before=b"\xff")], ERROR),
    case(
        "6.2",
        "HEADERS without a whole priority",
        idle,
        [headers(LAST | PRIORITIZED, payload=bytes(3))],
        SIZE,
        ERROR,
    ),
    case("6.2", "DATA within a block", idle, [cut(), raw(DATA, 0, 1, b"x"), rest()], ERROR),
    case("6.3", "PRIORITY of the connection", idle, [priority(0)], ERROR),
    case(
        "6.3",
        "PRIORITY of 4 octets",
        idle,
        [raw(PRIORITY, 0, 1, bytes(4))],
        reset("FRAME_SIZE_ERROR"),
        known=WHOLE_CONNECTION,
    ),
    case(
        "6.3",
        "PRIORITY of 6 octets",
        idle,
        [raw(PRIORITY, 0, 1, bytes(6))],
        reset("FRAME_SIZE_ERROR"),
        known=WHOLE_CONNECTION,
    ),
    case("6.4", "RST_STREAM of the connection", idle, [raw(RST_STREAM, 0, 0, number(8))], ERROR),
    case("6.4", "RST_STREAM of a stream that is idle", idle, [raw(RST_STREAM, 0, 1, number(8))], ERROR),
    case("6.4", "RST_STREAM of 3 octets", opened, [raw(RST_STREAM, 0, 1, bytes(3))], SIZE, known=COARSE),
    case("6.4", "RST_STREAM of 5 octets", opened, [raw(RST_STREAM, 0, 1, bytes(5))], SIZE, known=COARSE),
    case(
        "6.5",
        "an acknowledgement with a setting",
        idle,
        [raw(SETTINGS, ACK, 0, bytes(6))],
        SIZE,
        known=COARSE,
    ),
    case("6.5", "SETTINGS of a stream", idle, [raw(SETTINGS, 0, 1)], ERROR),
    case("6.5", "SETTINGS of 3 octets", idle, [raw(SETTINGS, 0, 0, bytes(3))], SIZE, known=COARSE),
    case("6.5.2", "ENABLE_PUSH of 2", idle, [settings((ENABLE_PUSH, 2))], ERROR),
    case(
        "6.5.2",
        "a window of 2^31",
        idle,
        [settings((INITIAL_WINDOW_SIZE, 1 << 31))],
        goaway("FLOW_CONTROL_ERROR"),
        known=COARSE,
    ),
    case("6.5.2", "frames of 2^14 - 1", idle, [settings((MAX_FRAME_SIZE, MOST - 1))], ERROR),
    case("6.5.2", "frames of 2^24", idle, [settings((MAX_FRAME_SIZE, 1 << 24))], ERROR),
    case(
        "6.5.2",
        "frames as long as a setting may ask",
        idle,
        [agreed(MAX_FRAME_SIZE, (1 << 24) - 1), request()],
        answered(200),
    ),
    case(
        "6.5.2",
        "a client that takes no streams of the server's",
        idle,
        [agreed(MAX_CONCURRENT_STREAMS, 0), request()],
        answered(200),
    ),
    case(
        "6.6",
        "PUSH_PROMISE from a client",
        opened,
        [raw(PUSH_PROMISE, END_HEADERS, 1, number(2) + b"\x82\x86\x84")],
        ERROR,
    ),
    case(
        "6.7",
        "an acknowledgement of no PING",
        idle,
        [raw(PING, ACK, 0, b"nobody's"), sees_nothing_before_a_pong()],
        IGNORED,
    ),
    case("6.7", "PING of a stream", idle, [raw(PING, 0, 1, bytes(8))], ERROR),
    case("6.7", "PING of 7 octets", idle, [raw(PING, 0, 0, bytes(7))], SIZE, known=COARSE),
    case("6.7", "PING of 9 octets", idle, [raw(PING, 0, 0, bytes(9))], SIZE, known=COARSE),
    case("6.8", "GOAWAY of a stream", idle, [raw(GOAWAY, 0, 1, bytes(8))], ERROR),
    case("6.8", "GOAWAY of 7 octets", idle, [raw(GOAWAY, 0, 0, bytes(7))], SIZE, known=COARSE),
    case("6.10", "CONTINUATION of the connection", idle, [cut(), rest(stream=0)], ERROR),
    case("6.10", "CONTINUATION of another stream", idle, [cut(), rest(stream=3)], ERROR),
    case("6.10", "CONTINUATION after HEADERS that ended", idle, [headers(), rest()], ERROR),
    case("6.10", "CONTINUATION after the last", idle, [cut(), rest(), rest()], ERROR),
    case(
        "6.10",
        "CONTINUATION after a piece and then PING",
        idle,
        [cut(), rest(0, 7, 9), ping(), rest(at=9)],
        ERROR,
    ),
    case(
        "6.10",
        "CONTINUATION after DATA",
        opened,
        [body(BODY[:3], False), raw(CONTINUATION, END_HEADERS, 1, b"")],
        ERROR,
    ),
]
