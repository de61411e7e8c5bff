"""What a replay's trades teach stands apart from what live ones do, and another replay reads it instant by instant."""

from contextlib import contextmanager

import pytest

from learning_assets.__main__ import main
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.queries import query
from sql.replay_schema import LEARNED, ReplayRefusedError, ReplayRun, make_replay_schema, schema_of
from tests.chain_runs import configure
from tests.learned_world import (
    DAY,
    FEW,
    MIDNIGHT,
    differing,
    everything,
    forget_everything,
    overrides_by_day,
    rows,
    run_learning,
    season,
    strands_of,
    tell,
    tell_trades,
)

pytestmark = pytest.mark.postgres
LAST = 9
TRADES = season(LAST + 1, edge=1.5)
END = MIDNIGHT + (LAST + 1) * DAY
LEARN = ["backfill", "--replay", "spring"]


def make_replay(name: str, overrides: str = "off") -> None:
    """An empty replay of the days of the trades."""
    settings = {"from": MIDNIGHT.isoformat(), "to": END.isoformat()}
    run = ReplayRun(settings=settings, config_version=1, code_version="0", data_hash="h")
    with connect(DatabaseRole.OWNER, autocommit=True) as owner:
        make_replay_schema(owner, schema_of(name), run, overrides=overrides, from_at=MIDNIGHT, to_at=END, drop_old=True)


@contextmanager
def inside(name: str):
    """A transaction of the runtime's role over the tables of a replay."""
    with connect(DatabaseRole.PM) as connection:
        connection.execute(query("search_replay_schema").encode(), {"schema": schema_of(name)})
        yield connection


def fingerprints() -> dict[str, str | None]:
    """A hash of every table of the project, by schema and name."""
    names = rows(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables"
        " WHERE schemaname IN ('regime', 'pm', 'learning') OR schemaname ~ '^(replay|learned)_'"
    )
    return {
        name: rows(f"SELECT md5(string_agg(told::text, '|' ORDER BY told::text)) AS hash FROM {name} AS told")[0][
            "hash"
        ]
        for name in sorted(row["name"] for row in names)
    }


@pytest.fixture(scope="module")
def taught(module_database) -> dict[str, dict[str, str | None]]:
    """A replay of a season with an edge, learned from beside live trades without one; tables before and after."""
    forget_everything()
    configure(FEW)
    tell_trades(season(2, seed=8))
    run_learning(0, 1)
    make_replay("spring")
    with inside("spring") as connection:
        tell(strands_of(TRADES), connection)
    before = fingerprints()
    assert main(LEARN) == 0
    return {"before": before, "after": fingerprints()}


def test_learning_from_a_replay_writes_its_own_schema_and_nothing_else(taught):
    changed = {name for name, told in taught["after"].items() if taught["before"].get(name) != told}

    assert {name.split(".")[0] for name in changed} == {"learned_spring"}
    assert {"learned_spring.learning_lessons", "learned_spring.pm_overrides"} <= changed
    assert taught["before"].keys() <= taught["after"].keys()


def test_what_a_replay_teaches_is_what_live_trades_like_it_would(taught, database):
    configure(FEW)
    tell_trades(TRADES)
    run_learning(0, LAST)
    lived = everything()

    make_replay("spring")
    with inside("spring") as connection:
        tell(strands_of(TRADES), connection)
    assert main(LEARN) == 0

    assert overrides_by_day(schema="learned_spring") == lived["sets"]
    assert rows("SELECT count(*) AS n FROM learned_spring.learning_lessons") == [
        {"n": len(lived["learning.learning_lessons"])}
    ]


def test_learned_again_it_is_made_anew_and_the_same(taught):
    before = overrides_by_day(schema="learned_spring")

    assert main([*LEARN, "--days-per-run", "4"]) == 0

    assert overrides_by_day(schema="learned_spring") == before
    assert rows("SELECT count(*) AS n FROM learned_spring.override_set") == [{"n": LAST + 1}]


def test_a_replay_reads_at_each_instant_the_newest_set_that_knew_only_the_past(taught):
    make_replay("summer", overrides=f"{LEARNED}spring")
    sets = {row["as_of"]: row for row in rows("SELECT set_id, as_of FROM learned_spring.override_set")}
    seen = {}
    with inside("summer") as connection:
        for hours in range(0, (LAST + 1) * 24 + 1, 5):
            at = MIDNIGHT + hours * DAY / 24
            told = connection.execute(query("live_overrides_at").encode(), {"at": at}).fetchall()
            seen[at] = ({row[0] for row in told}, {row[7] for row in told} - {None})

    for at, (set_ids, _) in seen.items():
        newest = max((as_of for as_of in sets if as_of <= at), default=None)
        assert set_ids == ({sets[newest]["set_id"]} if newest else set()), at
    multipliers = [found for _, found in seen.values()]
    assert multipliers[0] == set()
    assert max(multipliers[-1]) > 1.2


def test_what_is_learned_after_a_replay_was_made_changes_nothing_in_it(taught):
    make_replay("autumn", overrides=f"{LEARNED}spring")
    before = fingerprints()

    assert main(LEARN) == 0

    changed = [name for name, told in fingerprints().items() if before.get(name) != told]
    assert [name for name in changed if not name.startswith("learned_spring.")] == []


def test_what_was_never_learned_cannot_be_replayed_with(taught):
    with pytest.raises(ReplayRefusedError, match="first: lowcap learn --replay winter"):
        make_replay("june", overrides=f"{LEARNED}winter")

    assert rows("SELECT count(*) AS n FROM pg_namespace WHERE nspname = 'replay_june'") == [{"n": 0}]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("winter", "There is no replay winter; first: lowcap replay"), ("No!", "Expected a name of up to 48")],
)
def test_a_replay_that_is_not_there_is_not_learned_from(taught, capsys, name, complaint):
    assert main(["backfill", "--replay", name]) == 2
    assert complaint in capsys.readouterr().err


def test_the_runtime_never_reads_what_a_replay_taught(taught):
    with connect(DatabaseRole.PM) as connection:
        told = connection.execute(query("live_overrides").encode()).fetchall()

    assert told == []
    assert differing({"sets": overrides_by_day()}, {"sets": overrides_by_day(before=2)}) == []
