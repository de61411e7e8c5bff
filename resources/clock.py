"""What time it is: the machine's clock, or an instant that a test or a replay names."""

from datetime import UTC, datetime

import dagster as dg


class Clock(dg.ConfigurableResource):
    """The instant assets work as of.

    `as_of` empty: the machine's clock. Otherwise an ISO instant with an offset: nothing after it is seen, and
    `known_at` of what is stored first is that instant.
    """

    as_of: str = ""

    def now(self) -> datetime:
        """Return the instant assets work as of, in UTC.

        Raises
        ------
        ValueError
            If `as_of` is not an instant with an offset.
        """
        if not self.as_of:
            return datetime.now(UTC)
        instant = datetime.fromisoformat(self.as_of)
        if instant.tzinfo is None:
            raise ValueError(f"as_of must carry an offset, such as 2025-06-30T00:00:00+00:00, was {self.as_of!r}")
        return instant.astimezone(UTC)
