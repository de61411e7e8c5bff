"""`lowcap regime`: the stored document byte by byte, and a reading of it."""

import json
from datetime import timedelta

import psycopg
import pytest

from domain.regime.regime_context import regime_context_schema
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.json_schema import problems
from tests.regime_hours import (
    BY_DEFAULT,
    DAY,
    HOUR,
    LADDER,
    composite_rows,
    context_of,
    get_regime_context,
    judged_buckets,
    ladder_rows,
    store_contexts,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def contexts(database):
    store_contexts(context_of(DAY), context_of(DAY + HOUR, LADDER | {"nano": 1 / 3, "xl": 2.0}))


def of_the_function(as_of) -> bytes:
    """What the function of the database gives, as it comes over the wire."""
    with connect(DatabaseRole.CONSOLE, read_only=True) as connection:
        cursor = psycopg.RawCursor(connection)
        cursor.execute("SELECT regime.get_regime_context($1)::text::bytea", [as_of])
        ((text,),) = cursor.fetchall()
    return text


@pytest.mark.postgres
@pytest.mark.parametrize("after", [HOUR, 2 * HOUR - MINUTE, 2 * HOUR, 3 * HOUR, 4 * HOUR - MINUTE])
def test_json_is_what_the_function_gives_byte_by_byte(lowcap, contexts, after):
    printed = lowcap("regime", "show", "--json", "--as-of", (DAY + after).isoformat())

    assert printed.exit_code == 0
    assert printed.stdout_bytes == of_the_function(DAY + after) + b"\n"


@pytest.mark.postgres
@pytest.mark.parametrize("after", [HOUR - MINUTE, 4 * HOUR])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_where_nothing_was_known_it_says_so_and_fails(lowcap, contexts, after, options):
    printed = lowcap("regime", "show", "--as-of", (DAY + after).isoformat(), *options)

    assert (printed.exit_code, printed.stdout) == (1, "")
    assert "No regime context" in printed.stderr


@pytest.mark.postgres
def test_the_reading_shows_label_horizons_ladder_and_reasons(lowcap, database):
    rows = (composite_rows(DAY, {"macro": "Oh-Shit"}), ladder_rows(DAY, LADDER | {"xl": 2.0}, confidence=None))
    store_contexts(get_regime_context(DAY, *rows, judged_buckets(large="too_few_members"), **BY_DEFAULT))

    printed = lowcap("regime", "show", "--as-of", (DAY + HOUR).isoformat()).stdout

    lines = [" ".join(line.split()) for line in printed.splitlines() if line.strip()]
    assert lines[0] == "macro=Oh-Shit|meso=Unknown|micro=Unknown|bucket_leader=micro"
    assert lines[1] == "regime at 2025-03-04 01:00:00Z, hour 00:00Z, configuration 1"
    assert "macro Oh-Shit 0.80 0.20 0.10 0.30 0.80 4h -" in lines
    assert "meso - - - - - - - -" in lines
    assert lines[-6] == "1 micro Good 0.90 0.20 - 20 1.000 no_phase"
    assert lines[-2] == "- large Good -1.00 0.20 - 20 1.000 too_few_members"
    assert lines[-1] == "- xl Good 2.00 0.20 - 20 1.000 telemetry_only"


@pytest.mark.postgres
def test_the_printed_schema_allows_what_is_stored(lowcap, lowcap_json, contexts):
    printed = json.loads(lowcap("regime", "schema").stdout)

    assert printed == regime_context_schema()
    assert list(problems(lowcap_json("regime", "show", "--as-of", (DAY + HOUR).isoformat()), printed)) == []


def test_an_instant_without_an_offset_is_refused(lowcap):
    printed = lowcap("regime", "show", "--as-of", "2025-03-04")

    assert printed.exit_code == 2
    assert "Expected an offset" in printed.stderr
