"""Chance, from the operating system."""

import os

_BITS = 53


def system_chance() -> float:
    """Return a number in [0, 1), which no two processes share.

    Processes that were restored from one snapshot share the state of the ordinary generator, and would all wait as
    long and refresh at once. And importing that generator costs a cold start more than this does.
    """
    return (int.from_bytes(os.urandom(7), "big") >> (56 - _BITS)) / (1 << _BITS)
