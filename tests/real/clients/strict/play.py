"""Plays every case against a server, each on a connection of its own.

    play.py HOST:PORT http|https

Prints a JSON array: of each case its section, what it is, what must come, what came, and, where that is
known to be something else, what and why.
"""

import json
import sys

import cases_connections
import cases_fields
import cases_frames
import cases_generic
import cases_hpack
import cases_streams
import cases_windows
from peer import Ended, Peer
from steps import IGNORED

MODULES = [
    cases_generic,
    cases_connections,
    cases_frames,
    cases_streams,
    cases_windows,
    cases_fields,
    cases_hpack,
]


def play(address, over_tls, case):
    peer = Peer(address, over_tls)
    try:
        case.given(peer)
        for step in case.steps:
            step(peer)
        awaited = [case.known.seen] if case.known else case.must
        return peer.outcome(expects_word=IGNORED not in awaited)
    except Ended as ended:
        return str(ended)
    finally:
        peer.close()


def main():
    address, scheme = sys.argv[1:]
    over_tls = scheme == "https"
    told = []
    for case in [case for module in MODULES for case in module.CASES]:
        seen = play(address, over_tls, case)
        told.append(
            {
                "section": case.section,
                "what": case.what,
                "must": case.must,
                "seen": seen,
                "known": case.known and case.known._asdict(),
            }
        )
    json.dump(told, sys.stdout, indent=1)


main()
