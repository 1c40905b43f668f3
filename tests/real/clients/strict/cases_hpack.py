"""Blocks that do not decompress (RFC 7541), each of which is an error of the connection (§4.3)."""

from known import COARSE
from steps import *

ERROR = goaway("COMPRESSION_ERROR")


def field(octets):
    return [headers(after=octets)]


def huffman(octets):
    """A value in Huffman's code: that of `0` is 00000, that of EOS thirty ones, at most seven pad it."""
    return field(b"\x00\x01x" + bytes([0x80 | len(octets)]) + octets)


CASES = [
    case("HPACK 2.3.3", "a field of no table", idle, field(b"\xff\x00"), ERROR, known=COARSE),
    case("HPACK 2.3.3", "a name of no table", idle, field(b"\x7f\x00\x01y"), ERROR, known=COARSE),
    case("HPACK 4.2", "a table's size at a block's end", idle, field(b"\x20"), ERROR, known=COARSE),
    case("HPACK 4.2", "a table's size at its start", idle, [headers(before=b"\x3f\xe1\x1f")], answered(200)),
    case("HPACK 5.1", "a number without an end", idle, field(b"\x00\x7f" + b"\xff" * 7), ERROR, known=COARSE),
    case("HPACK 5.2", "padding of seven ones at most", idle, huffman(b"\x07"), answered(200)),
    case("HPACK 5.2", "padding longer than 7 bits", idle, huffman(b"\x07\xff"), ERROR, known=COARSE),
    case("HPACK 5.2", "padding with zeros", idle, huffman(b"\x00"), ERROR, known=COARSE),
    case("HPACK 5.2", "an EOS within a string", idle, huffman(b"\xff" * 4), ERROR, known=COARSE),
    case("HPACK 5.2", "a string longer than its block", idle, field(b"\x00\x05x"), ERROR, known=COARSE),
    case("HPACK 6.1", "a field of index 0", idle, field(b"\x80"), ERROR, known=COARSE),
    case(
        "HPACK 6.3",
        "a table larger than offered",
        idle,
        [headers(before=b"\x3f\xe2\x1f")],
        ERROR,
        known=COARSE,
    ),
]
