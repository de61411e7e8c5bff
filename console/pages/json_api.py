"""The regime API: what the commands print with --json, byte by byte, over HTTP; every address it has."""

from collections.abc import Mapping
from typing import Any

import psycopg
from starlette.routing import Route

from console.ae_view import ae_facts
from console.alarm_view import alarm_facts
from console.config_commands import config_facts
from console.explain_view import explain_facts
from console.forward_view import forward_facts
from console.lessons_view import PARTS, lessons_facts
from console.notes_view import notes_facts
from console.override_set_commands import sets_facts
from console.pages.api_address import ApiAddress, Given, from_facts
from console.pages.crowding_page import CROWDING
from console.pages.decay_page import DECAY, DECAYS
from console.pages.funnel_page import FUNNEL
from console.pages.parameter import (
    AS_OF,
    DAY,
    KIND,
    PATTERN,
    PREFIX,
    REPLAY,
    TIMEFRAME,
    VERSION,
    Flag,
    most_of,
)
from console.pages.sets_page import SET
from console.pages.whatif_page import WHATIF
from console.pages.why_page import WHY
from console.regime_commands import regime_text
from console.session import RefusedError
from console.states_view import states_facts
from console.switch_commands import switch_facts
from console.trades_view import trades_facts
from console.tuning_view import tuning_facts
from domain.regime.regime_context import RegimeContext

OPEN = Flag("open", "Only trades that are open.")
ALL = Flag("all", "Retired lessons too.")
TRADES = Flag("trades", "Its trades too.")
ENDED = Flag("ended", "Those that are over too.")
RATES = Flag("rates", "How windows ended, not the thresholds.")
ASKED_PARTS = tuple(Flag(part, f"The {part}, not the lessons.") for part in PARTS)

OF_A_DAY = {"day": "string|null", "as_of": "string|null", "interval_level": "number|null"}


def _regime(connection: psycopg.Connection, asked: Given) -> str:
    text = regime_text(connection, asked["as_of"])
    if text is None:
        at = asked["as_of"].isoformat()
        raise RefusedError(f"No regime context of an hour that closed in the two hours before {at}")
    return text


def _lessons(connection: psycopg.Connection, asked: Given) -> Mapping[str, Any]:
    parts = frozenset(part for part in PARTS if asked[part])
    wanted = {"is_all": asked["all"], "pattern": asked["pattern"], "most": asked["most"], "replay": asked["replay"]}
    return lessons_facts(connection, asked["day"], **wanted, parts=parts)


def _forward(connection: psycopg.Connection, asked: Given) -> Mapping[str, Any]:
    wanted = {"has_trades": asked["trades"], "most": asked["most"], "replay": asked["replay"]}
    return forward_facts(connection, asked["day"], **wanted)


def _trades(connection: psycopg.Connection, asked: Given) -> Mapping[str, Any]:
    return trades_facts(connection, is_open_only=asked["open"], most=asked["most"], replay=asked["replay"])


OF_THE_REGIME = (
    ApiAddress(
        path="/api/regime",
        command="lowcap regime show",
        told="The newest regime context of an hour that had closed.",
        answer=from_facts(_regime),
        parameters=(AS_OF,),
        model=RegimeContext,
    ),
    ApiAddress(
        path="/api/ae",
        command="lowcap ae",
        told="A and E of every bucket with what each was made of.",
        answer=from_facts(lambda connection, asked: ae_facts(connection, asked["as_of"], asked["timeframe"])),
        parameters=(AS_OF, TIMEFRAME),
        answers={
            **{"as_of": "string", "timeframe": "string", "bar": "string|null"},
            **{"config_version": "integer|null", "scores": "array"},
        },
    ),
    ApiAddress(
        path="/api/states",
        command="lowcap states",
        told="State of every driver on every timeframe.",
        answer=from_facts(lambda connection, asked: states_facts(connection, asked["as_of"])),
        parameters=(AS_OF,),
        answers={"as_of": "string", "config_version": "integer|null", "drivers": "array"},
    ),
)

OF_TRADING = (
    ApiAddress(
        path="/api/trades",
        command="lowcap trades",
        told="Trades with their results, the newest first.",
        answer=from_facts(_trades),
        parameters=(OPEN, most_of(50), REPLAY),
        answers={"open": "integer", "trades": "array"},
    ),
    ApiAddress(
        path="/api/explain/{identity}",
        command="lowcap explain",
        told="How an order came about, or how a trade went.",
        answer=from_facts(lambda connection, asked: explain_facts(connection, asked["identity"], asked["replay"])),
        parameters=(REPLAY,),
        parts={"identity": "Id of an order, a strand or a trade, or its first 8 digits."},
        answers={"explained": "string", "trade_id": "string", "*": ""},
    ),
    ApiAddress(
        path="/api/switch",
        command="lowcap switch",
        told="What the runtime may do, and who changed it.",
        answer=from_facts(lambda connection, asked: switch_facts(connection, asked["most"])),
        parameters=(most_of(20, 1000),),
        answers={"everywhere": "object", "scopes": "array", "history": "array"},
    ),
    ApiAddress(
        path="/api/alarms",
        command="lowcap alarms",
        told="What is wrong, errors first, and whether anybody was told.",
        answer=from_facts(
            lambda connection, asked: alarm_facts(
                connection, at=asked["as_of"], ended=asked["ended"], most=asked["most"]
            )
        ),
        parameters=(AS_OF, ENDED, most_of(50, 10_000)),
        answers={"as_of": "string", "alarms": "array", "notifications": "object"},
    ),
    ApiAddress(
        path="/api/config",
        command="lowcap config show",
        told="Every key of the configuration, its value and where it is from.",
        answer=from_facts(lambda connection, asked: config_facts(connection, asked["prefix"] or "", asked["version"])),
        parameters=(PREFIX, VERSION),
        answers={
            **dict.fromkeys(("author", "reason", "created_at"), "string"),
            **{"version": "integer", "overrides": "object", "values": "object", "sources": "object"},
        },
    ),
)

OF_LEARNING = (
    ApiAddress(
        path="/api/lessons",
        command="lowcap lessons",
        told="Lessons of a day with their evidence, or what was asked, or weights, or factors.",
        answer=from_facts(_lessons),
        parameters=(DAY, ALL, PATTERN, most_of(50), REPLAY, *ASKED_PARTS),
        answers={
            **OF_A_DAY,
            **{"are_weights_served": "boolean|null", "run": "object|null", "lessons?": "array", "asked?": "integer"},
            **dict.fromkeys(("verdicts?", "hypotheses?", "weights?", "factors?"), "array"),
        },
    ),
    ApiAddress(
        path="/api/sets",
        command="lowcap sets list",
        told="Versions of the overrides, and which was live.",
        answer=from_facts(lambda connection, asked: sets_facts(connection, asked["most"])),
        parameters=(most_of(20, 10_000),),
        answers={"live": "object|null", "overrides_on": "boolean", "sets": "array", "choices": "array"},
    ),
    SET,
    ApiAddress(
        path="/api/forward",
        command="lowcap forward",
        told="What learned sizes made beside neutral ones, walked forward.",
        answer=from_facts(_forward),
        parameters=(DAY, TRADES, most_of(50), REPLAY),
        answers={
            **OF_A_DAY,
            **{"forward": "object|null", "report": "object|null", "problem": "string|null", "trades?": "object|null"},
        },
    ),
    ApiAddress(
        path="/api/tuning",
        command="lowcap tuning",
        told="What windows of opportunity say of the thresholds of the buy rules.",
        answer=from_facts(
            lambda connection, asked: tuning_facts(
                connection, asked["day"], is_about_rates=asked["rates"], replay=asked["replay"]
            )
        ),
        parameters=(DAY, RATES, REPLAY),
        answers={
            **OF_A_DAY,
            **{"last_judged_day": "string|null", "windows": "array"},
            **dict.fromkeys(("verdicts?", "thresholds?", "rates?"), "array"),
        },
    ),
    ApiAddress(
        path="/api/notes",
        command="lowcap notes",
        told="What was written for people of what was learned.",
        answer=from_facts(
            lambda connection, asked: notes_facts(connection, asked["day"], asked["kind"], asked["replay"])
        ),
        parameters=(DAY, KIND, REPLAY),
        answers={
            **{"day": "string|null", "as_of": "string|null"},
            **dict.fromkeys(("notes", "refused", "refusals"), "array"),
        },
    ),
    DECAYS,
    DECAY,
    FUNNEL,
    CROWDING,
)

API = (*OF_THE_REGIME, *OF_TRADING, *OF_LEARNING, WHY, WHATIF)
"""Every address of the API; the description others read is made of it."""


def json_routes() -> list[Route]:
    """Route of each address; all of them only read."""
    return [each.route() for each in API]
