"""Requests that are malformed (RFC 9113 §8)."""

from known import LEFT_OUT, WHOLE_CONNECTION
from steps import *

METHOD, SCHEME, PATH, AUTHORITY = (
    (":method", "GET"),
    (":scheme", "SCHEME"),
    (":path", "/orders"),
    (":authority", "h.test"),
)
CONNECT = (":method", "CONNECT")
REFUSED = reset("PROTOCOL_ERROR")
OK = answered(200)


def of(*fields):
    return [request(fields=fields)]


def with_(name, value):
    return [request(more=[(name, value)])]


def twice(field):
    return of(METHOD, SCHEME, PATH, AUTHORITY, field)


def sized(length, *bodies):
    return [request("POST", more=[("content-length", length)], is_over=False), *bodies]


CASES = [
    case(
        "8.1",
        "trailers that do not end the request",
        opened,
        [body(is_over=False), trailers([("x", "y")], is_over=False)],
        REFUSED,
    ),
    case(
        "8.1",
        "a pseudo-header in trailers",
        opened,
        [body(is_over=False), trailers([METHOD])],
        REFUSED,
        known=LEFT_OUT,
    ),
    case(
        "8.1",
        "a Connection in trailers",
        opened,
        [body(is_over=False), trailers([("connection", "close")])],
        REFUSED,
    ),
    case("8.1.1", "less than Content-Length", idle, sized("99", body()), REFUSED),
    case("8.1.1", "more than Content-Length", idle, sized("5", body()), REFUSED),
    case(
        "8.1.1",
        "more than Content-Length, in pieces",
        idle,
        sized("14", body(BODY, False), body(BODY)),
        REFUSED,
    ),
    case("8.1.1", "Content-Length, and no body", idle, with_("content-length", "5"), REFUSED),
    case("8.1.1", "Content-Length, and trailers alone", idle, sized("5", trailers([("x", "y")])), REFUSED),
    case("8.1.1", "a Content-Length of no number", idle, with_("content-length", "x"), REFUSED),
    case(
        "8.1.1",
        "two Content-Lengths that differ",
        idle,
        [request(more=[("content-length", "0"), ("content-length", "5")])],
        REFUSED,
    ),
    case("8.1.1", "a Content-Length that is right", idle, sized(str(len(BODY)), body()), answered(201)),
    case("8.2", "a name in upper case", idle, with_("X-Test", "y"), REFUSED, known=WHOLE_CONNECTION),
    case("8.2.1", "a name with a space", idle, with_("x test", "y"), REFUSED, known=WHOLE_CONNECTION),
    case("8.2.1", "a name with a colon", idle, with_("x:test", "y"), REFUSED, known=WHOLE_CONNECTION),
    case("8.2.1", "a name beyond ASCII", idle, with_("x-\xe9", "y"), REFUSED, known=WHOLE_CONNECTION),
    case("8.2.1", "an empty name", idle, with_("", "y"), REFUSED, known=WHOLE_CONNECTION),
    case("8.2.1", "a line feed in a value", idle, with_("x", "y\nz: 1"), REFUSED, known=WHOLE_CONNECTION),
    case("8.2.1", "a carriage return in a value", idle, with_("x", "y\rz"), REFUSED, known=WHOLE_CONNECTION),
    case("8.2.1", "a NUL in a value", idle, with_("x", "y\0"), REFUSED, known=WHOLE_CONNECTION),
    # An answer of 400 is one way to treat a request as malformed (§8.1.1).
    case("8.2.1", "a value with a space before it", idle, with_("x", " y"), REFUSED, answered(400)),
    case("8.2.1", "a value with a tab after it", idle, with_("x", "y\t"), REFUSED, answered(400)),
    case("8.2.2", "Connection", idle, with_("connection", "keep-alive"), REFUSED),
    case("8.2.2", "Keep-Alive", idle, with_("keep-alive", "timeout=5"), REFUSED),
    case("8.2.2", "Proxy-Connection", idle, with_("proxy-connection", "close"), REFUSED),
    case("8.2.2", "Transfer-Encoding", idle, with_("transfer-encoding", "chunked"), REFUSED),
    case("8.2.2", "Upgrade", idle, with_("upgrade", "websocket"), REFUSED),
    case("8.2.2", "TE, and not trailers", idle, with_("te", "trailers, deflate"), REFUSED),
    case("8.2.2", "TE: trailers", idle, with_("te", "trailers"), OK),
    case("8.2.3", "a cookie in crumbs", idle, [request(more=[("cookie", "a=1"), ("cookie", "b=2")])], OK),
    case(
        "8.3",
        "an unknown pseudo-header",
        idle,
        of(METHOD, SCHEME, PATH, AUTHORITY, (":test", "x")),
        REFUSED,
        known=WHOLE_CONNECTION,
    ),
    case(
        "8.3",
        "an answer's pseudo-header",
        idle,
        of(METHOD, SCHEME, PATH, AUTHORITY, (":status", "200")),
        REFUSED,
    ),
    case(
        "8.3", "a pseudo-header after others", idle, of(METHOD, SCHEME, AUTHORITY, ("x", "y"), PATH), REFUSED
    ),
    case("8.3.1", "an empty path", idle, of(METHOD, SCHEME, (":path", ""), AUTHORITY), REFUSED),
    case(
        "8.3.1",
        "a path that is none",
        idle,
        of(METHOD, SCHEME, (":path", "orders"), AUTHORITY),
        REFUSED,
        answered(400),
    ),
    case("8.3.1", "no method", idle, of(SCHEME, PATH, AUTHORITY), REFUSED),
    case("8.3.1", "no scheme", idle, of(METHOD, PATH, AUTHORITY), REFUSED),
    case("8.3.1", "no path", idle, of(METHOD, SCHEME, AUTHORITY), REFUSED),
    case("8.3.1", "two methods", idle, twice(METHOD), REFUSED),
    case("8.3.1", "two schemes", idle, twice(SCHEME), REFUSED),
    case("8.3.1", "two paths", idle, twice(PATH), REFUSED),
    case("8.3.1", "two authorities", idle, twice(AUTHORITY), REFUSED),
    case(
        "8.3.1",
        "an authority with a user",
        idle,
        of(METHOD, SCHEME, PATH, (":authority", "me@h.test")),
        REFUSED,
        answered(400),
    ),
    case(
        "8.3.1",
        "an authority and another Host",
        idle,
        of(METHOD, SCHEME, PATH, AUTHORITY, ("host", "other.test")),
        REFUSED,
        answered(400),
    ),
    case(
        "8.3.1",
        "an authority and the same Host",
        idle,
        of(METHOD, SCHEME, PATH, AUTHORITY, ("host", "h.test")),
        OK,
    ),
    case("8.3.1", "Host alone", idle, of(METHOD, SCHEME, PATH, ("host", "h.test")), OK),
    case("8.3.1", "neither", idle, of(METHOD, SCHEME, PATH), REFUSED, answered(400)),
    case("8.5", "CONNECT with a path", idle, of(CONNECT, SCHEME, PATH, AUTHORITY), REFUSED),
    case("8.5", "CONNECT, which a reverse proxy does not do", idle, of(CONNECT, AUTHORITY), answered(405)),
    # RFC 8441 §4: not offered.
    case(
        "8.5",
        "CONNECT with a protocol",
        idle,
        of(CONNECT, (":protocol", "websocket"), SCHEME, PATH, AUTHORITY),
        REFUSED,
    ),
    case(
        "10.5.1",
        "more fields than offered",
        idle,
        [request(more=[(f"x-{number}", "y" * 3000) for number in range(40)])],
        answered(431),
        REFUSED,
        goaway("ENHANCE_YOUR_CALM"),
    ),
]
