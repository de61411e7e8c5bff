"""Where an override stands in its life, and each step it took.

    proposed -> shadow -> live
    each of them -> expired | revoked

What belongs here: the words and the rows. What does not: when a step is taken (`override_life_cycle`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.learning.override import OverrideKey, WantedOverride
from domain.learning.override_evidence import GuardrailVerdict


class OverrideState(StrEnum):
    """State of an override. Only a live one acts; an expired or revoked one is in no set."""

    PROPOSED = "proposed"
    SHADOW = "shadow"
    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


STANDING_STATES: frozenset[OverrideState] = frozenset(
    {OverrideState.PROPOSED, OverrideState.SHADOW, OverrideState.LIVE}
)
"""States of the overrides of a set."""


class StepReason(StrEnum):
    """Why an override took a step.

    wanted: a lesson makes it. watched: what it would do is watched from now on. stood_watch: nothing spoke against it
    while it was. contradicted: trades since its proposal speak against it. lesson_retired. lapsed: its lesson was not
    reproduced in time. reversed: its lesson now says the opposite. displaced: there was no room, and others are wanted.
    """

    WANTED = "wanted"
    WATCHED = "watched"
    STOOD_WATCH = "stood_watch"
    CONTRADICTED = "contradicted"
    LESSON_RETIRED = "lesson_retired"
    LAPSED = "lapsed"
    REVERSED = "reversed"
    DISPLACED = "displaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRecord:
    """An override of a set; all times with an offset.

    since: as of when it entered its state. proposed_at: from when trades are its own evidence. live_at: None until it
    is live. expires_at: it does not apply from then on.
    """

    override: WantedOverride
    state: OverrideState
    since: datetime
    proposed_at: datetime
    live_at: datetime | None
    expires_at: datetime

    @property
    def key(self) -> OverrideKey:
        """Which override it is."""
        return self.override.key

    def row(self) -> dict[str, object]:
        """Columns of `learning.pm_overrides`, without the numbers of the row and its set."""
        return {
            **self.override.row(self.expires_at),
            "state": self.state.value,
            "state_since": self.since,
            "proposed_at": self.proposed_at,
            "live_at": self.live_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideStep:
    """A step in the life of an override.

    from_state: None at the beginning. at: as of when; of a lapsed override, when it ceased to apply. override: what it
    said then. evidence: what its own trades said, where they were asked.
    """

    key: OverrideKey
    from_state: OverrideState | None
    to_state: OverrideState
    at: datetime
    reason: StepReason
    override: WantedOverride
    evidence: GuardrailVerdict | None
