"""How a connection begins, how its errors end it, what extends it (RFC 9113 §3.4, §5.4, §5.5)."""

from steps import *

ERROR = goaway("PROTOCOL_ERROR")
# GOAWAY may be left out where nobody speaks HTTP/2 (§3.4).
NO_PREFACE = (ERROR, CLOSED_CONNECTION)


def unknown(stream):
    return raw(0xFA, 0xFF, stream, b"nobody knows")


def first(step):
    return [preface(), begun, step]


CASES = [
    case("3.4", "no preface", ungreeted, [octets(b"INVALID CONNECTION PREFACE\r\n\r\n")], *NO_PREFACE),
    case("3.4", "a preface with another end", ungreeted, [octets(PREFACE[:-6] + b"XX\r\n\r\n")], *NO_PREFACE),
    case(
        "3.4",
        "a preface in pieces",
        ungreeted,
        [preface(PREFACE[:9]), octets(PREFACE[9:]), begun, settings(), request()],
        answered(200),
    ),
    case("3.4", "HEADERS before SETTINGS", ungreeted, first(request()), *NO_PREFACE),
    case("3.4", "PING before SETTINGS", ungreeted, first(ping()), *NO_PREFACE),
    case(
        "3.4",
        "WINDOW_UPDATE before SETTINGS",
        ungreeted,
        first(raw(WINDOW_UPDATE, 0, 0, number(9))),
        *NO_PREFACE
    ),
    case("3.4", "an unknown kind before SETTINGS", ungreeted, first(unknown(0)), *NO_PREFACE),
    case("3.4", "an acknowledgement before SETTINGS", ungreeted, first(raw(SETTINGS, ACK, 0)), *NO_PREFACE),
    case("3.4", "SETTINGS of a stream first", ungreeted, first(raw(SETTINGS, 0, 1)), *NO_PREFACE),
    case("5.4.1", "GOAWAY, and then the connection closes", idle, [raw(PING, 0, 1, bytes(8))], ERROR),
    case(
        "5.4.2",
        "no RST_STREAM answers a RST_STREAM",
        opened,
        [raw(RST_STREAM, 0, 1, number(1)), sees_nothing_before_a_pong()],
        IGNORED,
    ),
    case("5.5", "an unknown kind, connection", idle, [unknown(0)], IGNORED),
    case("5.5", "an unknown kind, stream", opened, [unknown(1), body()], answered(201)),
    case("5.5", "an unknown kind, idle stream", idle, [unknown(1), request()], answered(200)),
    case("5.5", "an unknown kind within a block", idle, [cut(), unknown(1), rest()], ERROR),
    case("5.5", "an unknown setting", idle, [settings((0xFF, 1))], IGNORED),
    case("7", "RST_STREAM with an unknown code", opened, [raw(RST_STREAM, 0, 1, number(0xFF))], IGNORED),
    case(
        "7",
        "GOAWAY with an unknown code",
        half_closed,
        [raw(GOAWAY, 0, 0, number(0) + number(0xFF))],
        IGNORED,
    ),
]
