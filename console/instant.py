"""The instant a view is as of, as a person types it."""

from datetime import UTC, datetime

import typer

YEARS = range(2000, 2201)
"""Instants and days outside of them are typing errors, and no date arithmetic of a view leaves the calendar inside."""


def read_instant(text: str | None) -> datetime:
    """Instant of an ISO text with an offset, UTC; the present one when nothing is given.

    Raises
    ------
    typer.BadParameter
        If it is not an ISO instant, has no offset, or lies outside `YEARS`.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"Expected an instant such as 2025-06-30T12:00Z, was {text!r}") from None
    if instant.utcoffset() is None:
        meant = instant.replace(tzinfo=UTC).isoformat()
        raise typer.BadParameter(f"Expected an offset, such as {meant}, was {text!r}")
    try:
        return within_years(instant.astimezone(UTC))
    except OverflowError:
        raise typer.BadParameter(f"Expected an instant of this age, was {text!r}") from None


def within_years(at: datetime) -> datetime:
    """Return an instant, or raise `typer.BadParameter` where it lies outside `YEARS`."""
    if at.year not in YEARS:
        raise typer.BadParameter(f"Expected a year from {YEARS[0]} to {YEARS[-1]}, was {at.year}")
    return at
