"""The two groups of instruments candles come in."""

from enum import StrEnum

MAJORS: tuple[str, ...] = ("BTC", "ETH", "SOL", "BNB", "HYPE")
"""Symbols of the majors, in the order every table of them keeps."""


class Universe(StrEnum):
    """Majors make the BTC and ALT drivers; low-caps make the cap buckets and are what is traded."""

    MAJORS = "majors"
    LOWCAP = "lowcap"


def universe_of(symbol: str) -> Universe:
    """Universe a symbol belongs to.

    >>> universe_of("HYPE"), universe_of("MOG")
    (<Universe.MAJORS: 'majors'>, <Universe.LOWCAP: 'lowcap'>)
    """
    return Universe.MAJORS if symbol in MAJORS else Universe.LOWCAP
