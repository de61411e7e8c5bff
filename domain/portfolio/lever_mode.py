"""The word for a lever: one grid for sizes and scopes, so that a lesson speaks of what was sized."""

from domain.config.portfolio import LeverModeConfig
from domain.vocabulary.lever_mode import LeverMode


def lever_mode(lever: float, config: LeverModeConfig) -> LeverMode:
    """Mode of A or of E.

    Parameters
    ----------
    lever : float
        Within 0..1.
    config : LeverModeConfig
        Edges; a lever on an edge has the mode above it.

    Raises
    ------
    ValueError
        If the lever is NaN or outside 0..1.

    >>> lever_mode(0.30, LeverModeConfig()), lever_mode(0.72, LeverModeConfig())
    (<LeverMode.NORMAL: 'normal'>, <LeverMode.AGGRESSIVE: 'aggressive'>)
    """
    if not 0 <= lever <= 1:
        raise ValueError(f"A lever must be within 0..1, was {lever}")
    if lever < config.normal_from:
        return LeverMode.PATIENT
    return LeverMode.NORMAL if lever < config.aggressive_from else LeverMode.AGGRESSIVE
