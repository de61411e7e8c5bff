"""Telling venues what is planned: after the commit that planned it, and again after a crash in between.

No transaction is open while a venue is asked. That it took an order is written afterwards; where that is lost, the
order is told again, and the venue knows it by its id.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.config.pm_config import PmConfig
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.log_line import fields
from pm_runtime.paper_venue import open_paper_venue
from pm_runtime.portfolio_row import OrderRow, OrderStatus
from pm_runtime.ports import RuntimeStore, StaleRowError
from pm_runtime.venue import UnknownOrderError, Venue, VenueTimeoutError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """Orders a venue took, and those that stay planned because it did not answer or is another one."""

    taken: int = 0
    left: int = 0


NOTHING_SUBMITTED = Submission()


def submit_orders(store: RuntimeStore, venue: Venue, orders: Sequence[OrderRow]) -> Submission:
    """Tell the venue some planned orders; one that it does not take stays planned and stops no other.

    Raises
    ------
    psycopg.Error
        If the database fails; the orders stay planned and will be told again.
    """
    taken = [order.order_id for order in orders if _is_taken(order, venue)]
    if taken:
        try:
            with store.snapshot() as snapshot:
                snapshot.mark_submitted(taken)
        except StaleRowError:  # another process noted it at the same time; if it did not, they are told again
            logger.warning("orders_noted_elsewhere", extra=fields(orders=len(taken)))
    return Submission(taken=len(taken), left=len(orders) - len(taken))


def reconcile(store: RuntimeStore, *, open_venue: Callable[[PmConfig], Venue] = open_paper_venue) -> Submission:
    """Tell the venue what an earlier process planned and did not live to tell, whatever the timeframe."""
    with store.snapshot() as snapshot:
        config = snapshot.read_config().config
        waiting = [order for timeframe in Timeframe for order in snapshot.open_orders(timeframe)]
    return submit_orders(store, open_venue(config), planned_of(waiting))


def planned_of(orders: Sequence[OrderRow]) -> list[OrderRow]:
    """Orders of which no venue is known to know."""
    return [order for order in orders if order.status is OrderStatus.PLANNED]


def _is_taken(order: OrderRow, venue: Venue) -> bool:
    try:
        venue.submit(order)
    except (VenueTimeoutError, UnknownOrderError):
        logger.exception("order_not_submitted", extra=fields(order=order.order_id, venue=venue.name))
        return False
    return True
