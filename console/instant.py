"""The instant a view is as of, as a person types it."""

from datetime import UTC, datetime

import typer


def read_instant(text: str | None) -> datetime:
    """Instant of an ISO text with an offset, UTC; the present one when nothing is given.

    Raises
    ------
    typer.BadParameter
        If it is not an ISO instant, or has no offset.
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
    return instant.astimezone(UTC)
