"""When something is wrong enough for an alarm, and how hard it is tried to tell somebody."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from domain.vocabulary.alarm import NoticeKind


class NotifyConfig(BaseModel, frozen=True, extra="forbid"):
    """Delivery of notifications. Where to, the environment says."""

    kinds: tuple[NoticeKind, ...] = Field(
        default=(NoticeKind.ALARM_RAISED, NoticeKind.ALARM_CLEARED, NoticeKind.SWITCH, NoticeKind.OVERRIDE_SET),
        description="What is told outside. `regime_event` is left out: several an hour are usual.",
    )
    max_attempts: int = Field(
        default=16, ge=1, le=1000, description="Attempts at a notification; after the last it is given up, and shown."
    )
    first_retry_s: float = Field(
        default=30.0, gt=0, le=3600, description="Wait after a first failure, seconds; doubles with each further one."
    )
    longest_retry_s: float = Field(
        default=3600.0,
        gt=0,
        le=86_400,
        description="Longest wait between two attempts, seconds. 16 attempts take some nine hours: a night.",
    )
    max_age_hours: float = Field(
        default=72.0,
        gt=0,
        le=8760,
        description="Older than this nothing is told for the first time but an alarm that still stands, hours.",
    )

    def wait_s(self, attempts: int) -> float:
        """Seconds from the start of an attempt that failed to the next, after so many of them; the same every time.

        >>> [NotifyConfig().wait_s(n) for n in (1, 2, 3, 8, 100)]
        [30.0, 60.0, 120.0, 3600.0, 3600.0]
        """
        return min(self.first_retry_s * 2.0 ** min(attempts - 1, 60), self.longest_retry_s)


class AlarmConfig(BaseModel, frozen=True, extra="forbid"):
    """Limits of the alarms. An alarm is raised once, and cleared once it is over."""

    edge_kept_frac: float = Field(
        default=0.5,
        ge=0,
        lt=1,
        description="Share of its edge at birth, in the direction it was born with, at or below which the edge of a"
        " live override has halved.",
    )
    fpr_ratio: float = Field(
        default=2.0,
        gt=1,
        le=100,
        description="How many times its earlier false positive rate a cell must have. The earlier window ends where"
        " the newest begins, `learning.tuning.lookback_days` back.",
    )
    fpr_min_episodes: int = Field(
        default=33, ge=1, le=100_000, description="Bought episodes each of the two windows must hold."
    )
    churn_ratio: float = Field(
        default=3.0,
        ge=1,
        le=100,
        description="Changes of phase in the last 24 hours, over all horizons of a bucket, as a multiple of the median"
        " of the days before.",
    )
    churn_min_changes: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="Fewer changes than this in 24 hours are no churn: the median of a quiet market is 0 or 1.",
    )
    churn_days: int = Field(default=14, ge=2, le=90, description="Days before, whose median is compared with.")
    churn_min_days: int = Field(
        default=7, ge=1, le=90, description="Of those, days that must be known; with fewer nothing is said."
    )
    stale_warn_hours: float = Field(
        default=2.0,
        gt=0,
        le=720,
        description="How late the newest row of a table may be, hours; the chain is hourly.",
    )
    stale_error_hours: float = Field(
        default=3.0, gt=0, le=720, description="How late it is an error: two runs were missed, and a third is due."
    )
    daemon_minutes: float = Field(
        default=5.0,
        gt=0,
        le=1440,
        description="Silence after which a part of Dagster's daemon counts as dead, minutes; it writes every half"
        " minute.",
    )
    notify: NotifyConfig = Field(default_factory=NotifyConfig)

    @model_validator(mode="after")
    def _limits_go_up(self) -> Self:
        if self.stale_error_hours < self.stale_warn_hours:
            raise ValueError(
                f"stale_error_hours must be >= stale_warn_hours, was {self.stale_error_hours} < {self.stale_warn_hours}"
            )
        if self.churn_min_days > self.churn_days:
            raise ValueError(f"churn_min_days must be <= churn_days, was {self.churn_min_days} > {self.churn_days}")
        return self
