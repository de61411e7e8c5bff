"""Learned state is made again from the event log alone, compared by hash, and leaves nothing behind."""

import re

import pytest

from learning_assets import __main__ as command
from learning_assets.__main__ import main
from tests.chain_runs import configure
from tests.learned_world import (
    DAY,
    FEW,
    MIDNIGHT,
    as_owner,
    differing,
    everything,
    forget_everything,
    look,
    rows,
    run_learning,
    season,
    tell_trades,
)

pytestmark = pytest.mark.postgres
VERIFY = ["rebuild", "--verify"]
LAST = 9
A_LEARNED_DAY = f"WHERE \"timestamp\" BETWEEN '{MIDNIGHT + 8 * DAY}' AND '{MIDNIGHT + 9 * DAY}'"
MEDDLED = {
    "pattern_scope_stats": A_LEARNED_DAY,
    "pattern_trade_events": f"{A_LEARNED_DAY} AND filled_usd > 0",
    "pm_overrides": f"INNER JOIN learning.override_set AS made USING (set_id) WHERE as_of = '{MIDNIGHT + 9 * DAY}'",
}


@pytest.fixture(scope="module")
def stretches(module_database) -> list[tuple[int, int]]:
    """Days learned under three configurations, with a day that was never learned between and facts of days before."""
    forget_everything()
    tell_trades(season(LAST + 2, edge=1.5))
    look(at=MIDNIGHT + (LAST + 1.5) * DAY)
    configure({})
    run_learning(2, 3)
    configure(FEW)
    run_learning(4, 5)
    run_learning(7, LAST)
    configure({})
    run_learning(LAST + 1, as_of=MIDNIGHT + (LAST + 1.5) * DAY)
    return [(2, 3), (4, 5), (7, LAST)]


def verdicts(output: str) -> dict[str, str]:
    """What was said of each table."""
    found = re.findall(r"^  (\w+) +[\d,]+ rows  (equal|DIFFERS)", output, re.MULTILINE)
    return dict(found)


def scratch_schemas() -> list[dict]:
    return rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'learned%'")


def test_what_stands_equals_what_is_made_again(stretches, capsys):
    before = everything()

    assert main(VERIFY) == 0

    said = verdicts(capsys.readouterr().out)
    assert set(said.values()) == {"equal"}
    assert {"pattern_trade_events", "pattern_scope_stats", "learning_lessons", "walk_forward", "pm_overrides"} <= set(
        said
    )
    assert scratch_schemas() == []
    assert differing(everything(), before) == []


@pytest.mark.parametrize(
    ("table", "meddle"),
    [
        ("pattern_scope_stats", "avg_rr = avg_rr + 1e-12"),
        ("pm_overrides", "multiplier = multiplier * 1.0625"),
        ("pattern_trade_events", "filled_usd = filled_usd * 2"),
    ],
)
def test_one_row_that_was_meddled_with_is_found_and_its_table_named(stretches, capsys, table, meddle):
    oldest = f"(SELECT told.ctid FROM learning.{table} AS told {MEDDLED[table]} LIMIT 1)"
    as_owner(f"CREATE TABLE public.kept AS SELECT * FROM learning.{table}")
    as_owner(f"UPDATE learning.{table} SET {meddle} WHERE ctid = {oldest}")

    status = main(VERIFY)

    as_owner(f"DELETE FROM learning.{table}")
    as_owner(f"INSERT INTO learning.{table} OVERRIDING SYSTEM VALUE SELECT * FROM public.kept")
    as_owner("DROP TABLE public.kept")
    said = verdicts(capsys.readouterr().out)
    assert (status, [name for name, word in said.items() if word != "equal"]) == (1, [table])
    assert scratch_schemas() == []


def test_a_rebuild_that_fails_leaves_no_schema_and_says_so(stretches, monkeypatch, capsys):
    monkeypatch.setattr(command, "backfill_on_terminal", lambda *_, **__: 1)
    assert main(VERIFY) == 1
    assert scratch_schemas() == []

    def broken(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "backfill_on_terminal", broken)
    with pytest.raises(KeyboardInterrupt):
        main(VERIFY)
    assert scratch_schemas() == []


def test_without_a_learned_day_there_is_nothing_to_rebuild(database, capsys):
    assert main(VERIFY) == 2
    assert "nothing to rebuild" in capsys.readouterr().err
