"""Regime drivers: the series whose states make A and E, and the 15 channels of one token."""

from enum import StrEnum

from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.horizon import Horizon

BTC = "BTC"
ALT = "ALT"
BTC_DOMINANCE = "BTC.d"
USDT_DOMINANCE = "USDT.d"

DRIVERS: tuple[str, ...] = (BTC, ALT, *(bucket.value for bucket in REGIME_BUCKETS), BTC_DOMINANCE, USDT_DOMINANCE)
DOMINANCE_DRIVERS: tuple[str, ...] = (BTC_DOMINANCE, USDT_DOMINANCE)

DEFAULT_BOOK_ID = "onchain_crypto"
"""Asset class of the shared driver set; every crypto book reads the same drivers."""


class DriverRole(StrEnum):
    """What a driver is to one token: five roles, one of which the token's own bucket plays."""

    BTC = "btc"
    ALT = "alt"
    BUCKET = "bucket"
    BTCD = "btcd"
    USDTD = "usdtd"

    def driver(self, bucket: CapBucket) -> str:
        """Driver that plays this role for a token of `bucket`.

        Raises
        ------
        ValueError
            If the bucket has no driver (xl).
        """
        if self is not DriverRole.BUCKET:
            return _FIXED_DRIVER[self]
        if bucket not in REGIME_BUCKETS:
            raise ValueError(f"Bucket {bucket.value!r} has no regime driver; it is telemetry only")
        return bucket.value


_FIXED_DRIVER: dict[DriverRole, str] = {
    DriverRole.BTC: BTC,
    DriverRole.ALT: ALT,
    DriverRole.BTCD: BTC_DOMINANCE,
    DriverRole.USDTD: USDT_DOMINANCE,
}

CHANNELS: tuple[tuple[DriverRole, Horizon], ...] = tuple((role, horizon) for role in DriverRole for horizon in Horizon)
"""The 15 channels of a token, in the order every array of channels keeps."""

CHANNEL_NAMES: tuple[str, ...] = tuple(f"{role.value}_{horizon.value}" for role, horizon in CHANNELS)


class ChannelStatus(StrEnum):
    """Whether a channel speaks, and if not, why. Only `ok` counts as present."""

    OK = "ok"
    MISSING = "missing"
    STALE = "stale"
    WARMING_UP = "warming_up"
