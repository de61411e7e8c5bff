"""Words of SPIRAL: the phases a subject can be in, and the lenses they are seen through."""

from enum import StrEnum


class Phase(StrEnum):
    """Shape of a subject's performance relative to BTC and to the alt basket, strongest first; Chop has no rank."""

    EUPHORIA = "Euphoria"
    GOOD = "Good"
    RECOVER = "Recover"
    DIP = "Dip"
    DOUBLE_DIP = "Double-Dip"
    OH_SHIT = "Oh-Shit"
    CHOP = "Chop"


UNKNOWN_PHASE = "Unknown"
"""What a reader shows where there is no phase row. Not a `Phase`: it is never computed and never stored."""


class Lens(StrEnum):
    """A stream whose shape is measured; the value is the column its score is stored in."""

    BTCUSD = "s_btcusd"
    ROTATION = "s_rotation"
    PORT_BTC = "s_port_btc"
    PORT_ALT = "s_port_alt"
