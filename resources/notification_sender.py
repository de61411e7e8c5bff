"""One round of telling: take up what is new, look from outside, send what is due.

Called by a sensor of Dagster, and by `python -m resources.notify` without it. Two at once are safe.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from domain.config.alarm import NotifyConfig
from domain.vocabulary.alarm import DeliveryStatus
from resources.notifier import Message, Notifier, NotTakenError
from sql.outbox import claim, collect, mark_delivered, mark_failed

logger = logging.getLogger(__name__)

LONGEST_ROUND = timedelta(seconds=30)
"""No attempt begins later in a round; the next round goes on. Dagster ends a sensor after a minute."""


@dataclass(frozen=True, slots=True)
class SendingRound:
    """What a round did. retried: failed, and will be tried again. given_up: for good."""

    collected: int = 0
    delivered: int = 0
    retried: int = 0
    given_up: int = 0

    @property
    def did_anything(self) -> bool:
        """Whether anything was sent or taken up."""
        return bool(self.collected or self.delivered or self.retried or self.given_up)


def send_round(
    connection: psycopg.Connection,
    notifier: Notifier,
    config: NotifyConfig,
    *,
    now: Callable[[], datetime],
    longest: timedelta = LONGEST_ROUND,
) -> SendingRound:
    """Send what is due, the oldest first; a failure that may pass ends the round, for the next would fail as well.

    Parameters
    ----------
    connection : psycopg.Connection
        Of the console, in autocommit: no transaction is open while a receiver is waited for.
    notifier : Notifier
        Who is told.
    now : callable
        The present; asked anew for each attempt.
    longest : timedelta
        No attempt begins later in the round.

    Raises
    ------
    ValueError
        If the connection is not in autocommit.
    psycopg.Error
        If the database fails; what was sent and could not be noted is sent again, under the same key.
    """
    if not connection.autocommit:
        raise ValueError("send_round needs a connection in autocommit")
    ends_at = now() + longest
    collected = collect(connection, config, at=now())
    delivered = given_up = retried = 0
    while now() <= ends_at:
        ended = _send_next(connection, notifier, config, now)
        delivered += ended is DeliveryStatus.DELIVERED
        given_up += ended is DeliveryStatus.GIVEN_UP
        retried += ended is DeliveryStatus.WAITING
        if ended is None or ended is DeliveryStatus.WAITING:
            break
    return SendingRound(collected, delivered, retried, given_up)


def _send_next(
    connection: psycopg.Connection, notifier: Notifier, config: NotifyConfig, now: Callable[[], datetime]
) -> DeliveryStatus | None:
    """Send the first notification that is due; what became of it, None when none was."""
    claimed = claim(connection, at=now(), notifier=notifier.name)
    if claimed is None:
        return None
    message = Message(key=claimed.notification_id, kind=claimed.kind.value, body=claimed.body)
    try:
        said = notifier.send(message)
    except NotTakenError as error:
        became = mark_failed(
            connection,
            claimed,
            config,
            at=now(),
            status=str(error),
            is_permanent=error.is_permanent,
            retry_after_s=error.retry_after_s,
        )
        logger.warning("notification_not_taken: %s, attempt %d, %s", claimed.message_id, claimed.attempts, error)
        return became
    mark_delivered(connection, claimed, at=now(), status=said)
    return DeliveryStatus.DELIVERED
