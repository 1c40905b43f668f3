"""What every server takes: each kind of frame as it may be, and each way to write a field."""

from steps import *

NEW = b"\x40"
NEVER = b"\x10"
OK = answered(200)
CREATED = answered(201)
PRIORITY_FIELDS = {"priority_weight": 256, "priority_depends_on": 0, "priority_exclusive": False}


def field(name, value, first, huffman=False):
    return headers(after=literal(name, value, first, huffman))


CASES = [
    case("3.4", "a connection begins", idle, [], IGNORED),
    case("5.1", "idle, then half-closed", idle, [request()], OK),
    case("5.1", "idle, open, half-closed", idle, [request("POST", is_over=False), body()], CREATED),
    case("5.1", "a stream after one that has closed", closed, [], IGNORED),
    case("6.1", "DATA", opened, [body()], CREATED),
    case(
        "6.1",
        "DATA in pieces",
        opened,
        [body(BODY[:3], False), body(BODY[3:7], False), body(BODY[7:])],
        CREATED,
    ),
    case("6.1", "DATA with padding", opened, [body(pad_length=5)], CREATED),
    case("6.1", "DATA with all the padding that fits", opened, [body(pad_length=255)], CREATED),
    case("6.1", "an empty DATA that ends", opened, [body(is_over=False), body(b"")], CREATED),
    case("6.2", "HEADERS", idle, [request()], OK),
    case("6.2", "HEADERS with padding", idle, [headers(LAST | PADDED, before=b"\x03", after=bytes(3))], OK),
    case("6.2", "HEADERS with a priority", idle, [request(**PRIORITY_FIELDS)], OK),
    case(
        "6.2",
        "HEADERS with a priority and padding",
        idle,
        [headers(LAST | PADDED | PRIORITIZED, before=b"\x02\0\0\0\0\x0f", after=bytes(2))],
        OK,
    ),
    case("6.3", "PRIORITY of weight 1", idle, [raw(PRIORITY, 0, 1, number(0) + b"\x00"), request()], OK),
    case("6.3", "PRIORITY of weight 256", idle, [raw(PRIORITY, 0, 1, number(0) + b"\xff"), request()], OK),
    case(
        "6.3", "PRIORITY on another stream", idle, [raw(PRIORITY, 0, 1, number(11) + b"\x0f"), request()], OK
    ),
    case(
        "6.3", "an exclusive PRIORITY", idle, [raw(PRIORITY, 0, 1, number(1 << 31) + b"\x0f"), request()], OK
    ),
    case(
        "6.3",
        "PRIORITY of a stream that is idle",
        idle,
        [raw(PRIORITY, 0, 7, number(0) + b"\x0f"), request()],
        OK,
    ),
    case("6.4", "RST_STREAM", opened, [raw(RST_STREAM, 0, 1, number(8))], IGNORED),
    case("6.5", "SETTINGS", idle, [agreed(INITIAL_WINDOW_SIZE, 100), request()], OK),
    case("6.5", "SETTINGS without a setting", idle, [settings(), request()], OK),
    case("6.7", "PING", idle, [ping(), sees_pong()], IGNORED),
    case(
        "6.8",
        "GOAWAY of a client, whose requests are still served",
        half_closed,
        [raw(GOAWAY, 0, 0, number(0) + number(0) + b"bye")],
        IGNORED,
    ),
    case("6.9", "WINDOW_UPDATE of the connection", idle, [grant(1, None), request()], OK),
    case("6.9", "WINDOW_UPDATE of a stream", opened, [grant(1), body()], CREATED),
    case("6.10", "CONTINUATION", idle, [cut(), rest()], OK),
    case(
        "6.10",
        "CONTINUATION in pieces",
        idle,
        [cut(at=7), rest(0, 7, 8), rest(0, 8, 30), rest(END_HEADERS, 30)],
        OK,
    ),
    case("8.1", "GET", idle, [request()], OK),
    case("8.1", "HEAD", idle, [request("HEAD")], OK),
    case("8.1", "POST", idle, [request("POST", is_over=False), body()], CREATED),
    case("8.1", "POST with trailers", opened, [body(is_over=False), trailers([("x-sum", "1")])], CREATED),
    case(
        "8.1",
        "OPTIONS of the server",
        idle,
        [request("OPTIONS", "*")],
        answered(404),
        answered(405),
        answered(204),
        OK,
    ),
    case("HPACK 6.1", "a field of the static table", idle, [headers(after=b"\x90")], OK),
    case(
        "HPACK 6.1",
        "a field of the dynamic table",
        idle,
        [headers(after=literal("x-one", "1", NEW) + b"\xbe\xbe")],
        OK,
    ),
    case("HPACK 6.2.1", "a new name, indexed", idle, [field("x-one", "1", NEW)], OK),
    case(
        "HPACK 6.2.1", "a new name, indexed, in Huffman's code", idle, [field("x-one", "one", NEW, True)], OK
    ),
    case("HPACK 6.2.1", "a known name, indexed", idle, [headers(after=b"\x7a" + text("fracas"))], OK),
    case(
        "HPACK 6.2.2",
        "a new name, not indexed, in Huffman's code",
        idle,
        [field("x-one", "one", b"\0", True)],
        OK,
    ),
    case("HPACK 6.2.2", "a known name, not indexed", idle, [headers(after=b"\x0f\x2b" + text("fracas"))], OK),
    case("HPACK 6.2.3", "a new name, never indexed", idle, [field("x-one", "1", NEVER)], OK),
    case(
        "HPACK 6.2.3", "a known name, never indexed", idle, [headers(after=b"\x1f\x2b" + text("fracas"))], OK
    ),
    case(
        "HPACK 6.3",
        "the table made smaller, and its old entry used no more",
        idle,
        [headers(before=b"\x20\x3f\xe1\x1f")],
        OK,
    ),
    case(
        "HPACK 2.3.2",
        "requests that share the table",
        closed,
        [request(stream=3, more=[("x-one", "1")]), request(stream=5, more=[("x-one", "1")])],
        IGNORED,
    ),
]
