"""Flow control, and settings in force once acknowledged (RFC 9113 §6.5.3, §6.9)."""

from known import COARSE, WHOLE_CONNECTION
from steps import *

ERROR = goaway("PROTOCOL_ERROR")
FLOW = goaway("FLOW_CONTROL_ERROR")


def update(stream, increment):
    return raw(WINDOW_UPDATE, 0, stream, number(increment))


def more_than_any_window(peer):
    """Whatever the server's buffers take: hyper-h2 would stop when the window is full."""
    for _ in range(2048):
        raw(DATA, 0, SUBJECT, bytes(MOST))(peer)


SMALL = agreed(INITIAL_WINDOW_SIZE, 0)

CASES = [
    case(
        "6.5.3",
        "of two values of a setting the last counts",
        idle,
        [
            settings((INITIAL_WINDOW_SIZE, 100), (INITIAL_WINDOW_SIZE, 1)),
            request(path="/bytes/9"),
            sees_head(),
            sees_data(1),
        ],
        answered(200),
    ),
    case("6.5.3", "SETTINGS are acknowledged", idle, [agreed(MAX_HEADER_LIST_SIZE, 9999)], IGNORED),
    case("6.9", "WINDOW_UPDATE of none, connection", idle, [update(0, 0)], ERROR),
    case(
        "6.9",
        "WINDOW_UPDATE of none, stream",
        opened,
        [update(1, 0)],
        reset("PROTOCOL_ERROR"),
        known=WHOLE_CONNECTION,
    ),
    case(
        "6.9",
        "WINDOW_UPDATE of 3 octets",
        idle,
        [raw(WINDOW_UPDATE, 0, 0, bytes(3))],
        goaway("FRAME_SIZE_ERROR"),
        known=COARSE,
    ),
    case(
        "6.9",
        "WINDOW_UPDATE of 5 octets",
        idle,
        [raw(WINDOW_UPDATE, 0, 0, bytes(5))],
        goaway("FRAME_SIZE_ERROR"),
        known=COARSE,
    ),
    case(
        "6.9", "WINDOW_UPDATE with the reserved bit", opened, [update(1, 9 | 1 << 31), body()], answered(201)
    ),
    case(
        "6.9.1",
        "no more DATA than the window holds",
        idle,
        [
            agreed(INITIAL_WINDOW_SIZE, 1),
            request(path="/bytes/3"),
            sees_head(),
            sees_data(1),
            sees_nothing_before_a_pong(),
            grant(2),
            sees_data(2),
        ],
        answered(200),
    ),
    case("6.9.1", "an empty answer needs no window", idle, [SMALL, request(path="/bytes/0")], answered(200)),
    case("6.9.1", "a window over 2^31 - 1, connection", idle, [update(0, WINDOW), update(0, WINDOW)], FLOW),
    case(
        "6.9.1",
        "a window over 2^31 - 1, stream",
        opened,
        [update(1, WINDOW), update(1, WINDOW)],
        reset("FLOW_CONTROL_ERROR"),
    ),
    case(
        "6.9.1",
        "a client that sends more than a window",
        idle,
        [request("POST", "/slow?ms=30000", is_over=False), more_than_any_window],
        FLOW,
        reset("FLOW_CONTROL_ERROR"),
    ),
    case(
        "6.9.2",
        "a setting changes the windows of open streams",
        idle,
        [
            SMALL,
            request(path="/bytes/1"),
            sees_head(),
            sees_nothing_before_a_pong(),
            agreed(INITIAL_WINDOW_SIZE, 1),
        ],
        answered(200),
    ),
    case(
        "6.9.2",
        "a window that a setting made negative",
        idle,
        [
            agreed(INITIAL_WINDOW_SIZE, 3),
            request(path="/bytes/7"),
            sees_head(),
            sees_data(3),
            agreed(INITIAL_WINDOW_SIZE, 2),
            grant(1),
            sees_nothing_before_a_pong(),
            grant(1),
            sees_data(1),
            grant(3),
            sees_data(3),
        ],
        answered(200),
    ),
    case(
        "6.9.2",
        "a setting that takes a window over 2^31 - 1",
        opened,
        [update(1, WINDOW - 65_535), settings((INITIAL_WINDOW_SIZE, WINDOW))],
        FLOW,
    ),
    case(
        "6.9.2",
        "a window of 2^31 by a setting",
        idle,
        [settings((INITIAL_WINDOW_SIZE, WINDOW + 1))],
        FLOW,
        known=COARSE,
    ),
]
