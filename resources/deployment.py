"""Resources of each deployment: dev simulates when no candles are named, prod never does, test stands still."""

import os
from enum import StrEnum
from typing import Any

from resources.clock import Clock
from resources.market import LIVE_VARIABLE, Market
from resources.pm_settings import PmSettings
from resources.tables import Tables

DEPLOYMENT_VARIABLE = "LOWCAP_DEPLOYMENT"
AS_OF_VARIABLE = "LOWCAP_AS_OF"


class Deployment(StrEnum):
    """Where the assets run."""

    DEV = "dev"
    TEST = "test"
    PROD = "prod"


def parse_deployment(name: str) -> Deployment:
    """Deployment of a name; empty is dev.

    Raises
    ------
    ValueError
        If there is no such deployment.
    """
    known = [deployment.value for deployment in Deployment]
    if name and name not in known:
        raise ValueError(f"{DEPLOYMENT_VARIABLE} must be one of {known}, was {name!r}")
    return Deployment(name or Deployment.DEV)


def clock_of(deployment: Deployment, *, as_of: str = "") -> Clock:
    """Clock of a deployment; an instant may be named except in prod, and test needs one.

    Raises
    ------
    ValueError
        If the test deployment is given no instant, or prod is given one.
    """
    if deployment is Deployment.TEST and not as_of:
        raise ValueError(f"The test deployment needs an instant in {AS_OF_VARIABLE}, so that its rows can be compared")
    if deployment is Deployment.PROD and as_of:
        raise ValueError(f"{AS_OF_VARIABLE} is set to {as_of!r}: prod works as of now")
    return Clock(as_of=as_of)


def resources_of(deployment: Deployment, *, as_of: str = "") -> dict[str, Any]:
    """Resources of the regime by the names assets ask for.

    Parameters
    ----------
    as_of : str
        Instant the assets work as of; empty means the machine's clock. Test needs one.

    Raises
    ------
    ValueError
        If the test deployment is given no instant, or prod or a live market is given one.
    """
    clock = clock_of(deployment, as_of=as_of)
    if as_of and os.environ.get(LIVE_VARIABLE):
        raise ValueError(f"{AS_OF_VARIABLE} is set to {as_of!r} and {LIVE_VARIABLE} too: a live market has no past")
    return {
        "tables": Tables(),
        "market": Market(simulation_allowed=deployment is not Deployment.PROD),
        "clock": clock,
        "pm_settings": PmSettings(),
    }
