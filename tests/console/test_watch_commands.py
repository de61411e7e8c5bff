"""`lowcap watch`: tokens are put on the watchlist once, row by row from a file, and their positions stopped by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console.watch_request import COLUMNS, MEASURED
from domain.portfolio.lifecycle import PositionStatus
from domain.scores.intent import INTENT_CHANNELS
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.watched_position import read_watchlist, set_position_status
from tests.portfolio_rows import position_row
from tests.portfolio_worlds import PostgresPortfolioWorld

pytestmark = pytest.mark.postgres
writes = pytest.mark.usefixtures("database")
writes_nothing = pytest.mark.usefixtures("module_database")

SOL = ("So1ana", "--chain", "solana", "--ticker", "SOL")
WHY = ("--author", "ann", "--reason", "a test")
ALL = ["1m", "15m", "1h", "4h"]
HEADER = "token_contract,chain,ticker\n"


def stored() -> list[dict[str, Any]]:
    with connect(DatabaseRole.CONSOLE) as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        return cursor.execute("SELECT * FROM pm.lowcap_positions ORDER BY token_contract, timeframe").fetchall()


def statuses() -> dict[str, str]:
    return {row["timeframe"]: row["status"] for row in stored()}


@pytest.fixture
def csv_file(tmp_path) -> Iterator[Any]:
    """Writes a file of some text, and returns its path."""

    def write(text: str | bytes) -> str:
        path = tmp_path / "tokens.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


@writes
def test_a_token_is_watched_on_every_timeframe_that_has_states(lowcap, lowcap_json):
    added = lowcap_json("watch", "add", *SOL, "--author", "ann")["positions"]

    assert [row["timeframe"] for row in added] == ALL
    assert {(row["status"], row["is_new"], row["total_allocation_pct"]) for row in added} == {("dormant", True, 10.0)}
    assert {row["approved_by"] for row in stored()} == {"ann"}
    assert "was there, left as it is" in lowcap("watch", "add", *SOL).stdout


@writes
def test_what_is_known_is_kept_as_numbers_and_as_bands(lowcap):
    measured = ("--age-days", "2", "--volume-usd", "50000", "--market-cap-usd", "1e5", "--mapping-confidence", "0.8")
    intent = ("--intent", "hi_buy=.5", "--intent", "mock=0.25", "--intent-word", "Research")
    result = lowcap("watch", "add", *SOL, "--timeframe", "1h", "--curator", "bob", *measured, *intent)

    (row,) = stored()
    assert result.exit_code == 0
    assert row["entry_context"] == {
        **{"chain": "solana", "curator": "bob", "intent": "Research", "age_days": 2.0, "age_bucket": "1-3d"},
        **{"volume_usd": 50_000.0, "vol_bucket": "50k-100k", "market_cap_usd": 1e5, "mcap_vol_ratio_bucket": "2.0-5.0"},
        **{"mapping_confidence": "high", "timeframe_split": 0.7},
    }
    assert row["intent"] == {"hi_buy": 0.5, "med_buy": 0.0, "profit": 0.0, "sell": 0.0, "mock": 0.25}


@writes
def test_what_is_not_known_is_not_there(lowcap):
    lowcap("watch", "add", *SOL, "--timeframe", "1h")

    (row,) = stored()
    assert (row["intent"], row["entry_context"]) == (None, {"chain": "solana", "timeframe_split": 0.7})


@writes
def test_the_default_allocation_is_the_configured_one(lowcap):
    lowcap("config", "set", "portfolio.sizing.default_allocation_pct=4", "--reason", "t")
    lowcap("watch", "add", *SOL, "--timeframe", "1h")
    lowcap("watch", "add", "Other", *SOL[1:], "--timeframe", "1h", "--allocation-pct", "2.5")

    assert [row["total_allocation_pct"] for row in stored()] == [2.5, 4.0]


def learn_splits(splits: object, day: str = "2025-06-02") -> None:
    with connect(DatabaseRole.OWNER, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO learning.learning_configs ("timestamp", as_of, module_id, config_data, config_version,
            run_id, computed_at, code_version) VALUES (%s, now(), 'decision_maker', %s, 1, 'r', now(), '0')""",
            [f"{day}T00:00:00Z", psycopg.types.json.Json(splits)],
        )


def kept_splits() -> dict[str, tuple[float, str | None]]:
    contexts = {row["timeframe"]: row["entry_context"] for row in stored()}
    return {
        name: (context["timeframe_split"], context.get("timeframe_split_learned_at"))
        for name, context in contexts.items()
    }


@writes
def test_an_approval_keeps_the_shares_learned_last_and_is_not_changed_by_later_ones(lowcap):
    learn_splits({"splits": {"1h": 0.6, "4h": 0.4}})
    learn_splits({"splits": {"1h": 0.5, "4h": 0.2, "15m": 0.25, "1m": 0.05}}, day="2025-06-03")
    lowcap("watch", "add", *SOL, "--timeframe", "1h", "--timeframe", "4h")
    learned = kept_splits()
    learn_splits({"splits": {"1h": 0.1}}, day="2025-06-04")
    lowcap("watch", "add", *SOL)

    assert learned == {"1h": (0.5, "2025-06-03T00:00:00+00:00"), "4h": (0.2, "2025-06-03T00:00:00+00:00")}
    assert kept_splits() == learned | {"1m": (0.05, None), "15m": (0.125, None)}


@writes
@pytest.mark.parametrize("learned", [{}, {"splits": None}])
def test_until_shares_are_learned_the_configured_ones_are_kept(lowcap, learned):
    learn_splits(learned)
    lowcap("watch", "add", *SOL)

    assert kept_splits() == {"1m": (0.05, None), "15m": (0.125, None), "1h": (0.7, None), "4h": (0.125, None)}


@writes
def test_learned_shares_that_cannot_be_right_are_told_and_nothing_is_stored(lowcap):
    learn_splits({"splits": {"1h": 1.5}})

    result = lowcap("watch", "add", *SOL)

    assert (result.exit_code, stored()) == (2, [])
    assert "Learned split of 1h must be a number within 0..1, was 1.5" in result.stderr


@writes_nothing
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--intent", "hi_by=1"), "did you mean 'hi_buy'?"),
        (("--intent", "hi_buy"), "Expected CHANNEL=SCORE"),
        (("--intent", "hi_buy=2"), "within 0..1, was 2"),
        (("--intent", "hi_buy=1", "--intent", "hi_buy=0"), "given twice"),
        (("--allocation-pct", "101"), "up to 100"),
        (("--allocation-pct", "ten"), "expected a number"),
        (("--age-days", "-1"), ">= 0"),
        (("--volume-usd", "nan"), "finite number"),
        (("--mapping-confidence", "1.5"), "within 0..1"),
        (("--timeframe", "5m"), "those that have states"),
        (("--timeframe", "2h"), "'2h' is not one of"),
        (("--author", " "), "author was empty"),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_stored(lowcap, options, complaint):
    result = lowcap("watch", "add", *SOL, *options)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert stored() == []


def test_the_columns_of_a_file_are_the_documented_ones():
    page = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "watch-tokens.md"
    documented = [
        line.split("|")[1] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]

    assert [name.strip(" `") for cell in documented for name in cell.split(",")] == list(COLUMNS)
    assert set(INTENT_CHANNELS) | set(MEASURED) < set(COLUMNS)


@writes
def test_good_rows_are_stored_and_refused_ones_told_with_line_and_reason(lowcap, csv_file):
    text = HEADER + "A,solana,AAA\n\nB,,BBB\nC,solana\nA,solana,AAA\n,,\nD,solana,DDD\n"

    result = lowcap("watch", "import", csv_file(text))

    assert result.exit_code == 3
    assert {row["token_contract"] for row in stored()} == {"A", "D"}
    assert result.stdout == "2 tokens, 8 positions, 0 of which were there and are left as they are.\n"
    assert result.stderr.splitlines() == [
        "line 4 refused: chain: nothing was given",
        "line 5 refused: expected as many cells as the first line has, 3",
        "line 6 refused: A solana 1m stands on line 2 already",
    ]


@writes
def test_a_file_imported_again_changes_nothing(lowcap, lowcap_json, csv_file):
    path = csv_file(HEADER + "A,solana,AAA\nB,base,BBB\n")
    lowcap("watch", "import", path)
    before = stored()

    again = lowcap_json("watch", "import", path)

    assert again == {"tokens": 2, "positions": 8, "were_there": 8, "refused": []}
    assert stored() == before


@writes
def test_a_row_may_hold_everything_an_option_can_say(lowcap, csv_file):
    header = "ticker,token_contract,chain,curator,timeframes,allocation_pct,hi_buy,age_days,intent\n"
    path = csv_file("\ufeff" + header + '"A, B",A,solana,bob,1h 4h,5,0.5,2,research\r\n')

    assert lowcap("watch", "import", path).exit_code == 0
    first, second = stored()
    assert (first["timeframe"], second["timeframe"], first["token_ticker"]) == ("1h", "4h", "A, B")
    assert (first["total_allocation_pct"], first["intent"]["hi_buy"]) == (5.0, 0.5)
    assert first["entry_context"]["age_bucket"] == "1-3d"


@writes
def test_a_token_may_stand_on_two_lines_with_different_timeframes(lowcap, csv_file):
    path = csv_file("token_contract,chain,ticker,timeframes\nA,solana,A,1h\nA,solana,A,4h\nA,solana,A,4h 15m\n")

    result = lowcap("watch", "import", path)

    assert set(statuses()) == {"1h", "4h"}
    assert "line 4 refused: A solana 4h stands on line 3 already" in result.stderr


@writes_nothing
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "missing: token_contract, chain, ticker"),
        ("token_contract,chain\n", "missing: ticker"),
        ("token_contract,chain,ticker,curater\n", "No column 'curater'; did you mean 'curator'?"),
        ("token_contract,chain,ticker,ticker\n", "is there twice"),
        (HEADER.encode() + b"A,solana,\xff\n", "is not UTF-8: line 2"),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_is_refused(lowcap, csv_file, text, complaint):
    result = lowcap("watch", "import", csv_file(text))

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert stored() == []


@writes
def test_a_broken_quote_ends_the_file_there_and_says_so(lowcap, csv_file):
    result = lowcap("watch", "import", csv_file(HEADER + 'A,solana,AAA\nB,"solana,BBB\nC,solana,CCC\n'))

    assert result.exit_code == 3
    assert "no CSV from here on" in result.stderr
    assert {row["token_contract"] for row in stored()} == {"A"}


@writes_nothing
def test_a_file_that_is_not_there_or_has_no_good_row_ends_with_2(lowcap, csv_file):
    assert "cannot be read" in lowcap("watch", "import", "nowhere.csv").stderr
    assert lowcap("watch", "import", csv_file(HEADER + "A|B,solana,AAA\n")).exit_code == 2


@writes
def test_the_list_shows_each_position_and_can_be_narrowed(lowcap, lowcap_json):
    lowcap("watch", "add", *SOL, "--timeframe", "1h", "--timeframe", "4h")
    lowcap("watch", "pause", "So1ana", "--timeframe", "4h", *WHY)

    listed = lowcap_json("watch", "list")["positions"]
    paused = lowcap_json("watch", "list", "--status", "paused")["positions"]

    assert [(row["timeframe"], row["status"]) for row in listed] == [("1h", "dormant"), ("4h", "paused")]
    assert [row["timeframe"] for row in paused] == ["4h"]
    assert lowcap("watch", "list").stdout.startswith("2 positions")


@writes
def test_positions_are_paused_resumed_and_archived_by_contract_or_ticker(lowcap):
    lowcap("watch", "add", *SOL, "--timeframe", "1h", "--timeframe", "4h")
    seen = [statuses()]
    for command in (("pause", "sol"), ("resume", "So1ana", "--timeframe", "1h"), ("archive", "SOL"), ("resume", "SOL")):
        assert lowcap("watch", *command, *WHY).exit_code == 0
        seen.append(statuses())

    assert [(each["1h"], each["4h"]) for each in seen] == [
        ("dormant", "dormant"),
        ("paused", "paused"),
        ("dormant", "paused"),
        ("archived", "archived"),
        ("dormant", "dormant"),
    ]


@writes
def test_what_holds_something_is_not_put_away(lowcap, lowcap_json):
    position = position_row(status=PositionStatus.ACTIVE, current_trade_id="t")
    PostgresPortfolioWorld().add(position, position_row(timeframe=position.timeframe.M15))

    result = lowcap("watch", "archive", "TOK", *WHY)

    assert result.exit_code == 3
    assert "sell first" in result.stdout
    assert statuses() == {"1h": "active", "15m": "archived"}
    assert lowcap("watch", "pause", "TOK", "--timeframe", "1h", *WHY).exit_code == 0
    assert lowcap("watch", "archive", "TOK", "--timeframe", "1h", *WHY).exit_code == 2


@writes
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nobody",), "No position of 'nobody'"),
        (("SOL",), "may be Other on solana, So1ana on base, So1ana on solana"),
        (("So1ana",), "name the contract, and --chain"),
        (("So1ana", "--chain", "base", "--timeframe", "15m"), "has positions on 1h only"),
    ],
)
def test_a_token_that_is_not_one_is_refused(lowcap, arguments, complaint):
    for token, chain in (("So1ana", "solana"), ("So1ana", "base"), ("Other", "solana")):
        lowcap("watch", "add", token, "--chain", chain, "--ticker", "SOL", "--timeframe", "1h")

    result = lowcap("watch", "pause", *arguments, *WHY)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert statuses() == {"1h": "dormant"}


@writes
def test_a_position_that_a_tick_wrote_meanwhile_is_not_overwritten(lowcap):
    lowcap("watch", "add", *SOL, "--timeframe", "1h")
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        (read,) = read_watchlist(connection)
        lowcap("watch", "pause", "SOL", *WHY)

        with pytest.raises(RuntimeError, match="changed since it was read"):
            set_position_status(connection, read, PositionStatus.ARCHIVED, author="ann", reason="a test")

    assert statuses() == {"1h": "paused"}


@writes
def test_who_moved_a_position_and_why_is_kept_and_listed(lowcap, lowcap_json):
    lowcap("watch", "add", *SOL, "--timeframe", "1h", "--timeframe", "4h")
    for command, reason in (("pause", "news"), ("resume", "no news")):
        lowcap("watch", command, "SOL", "--timeframe", "1h", "--author", "bob", "--reason", reason)

    hourly, slow = (row["last_change"] for row in lowcap_json("watch", "list")["positions"])

    assert (hourly["became"], hourly["author"], hourly["reason"], slow) == ("dormant", "bob", "no news", None)
    assert "by bob: no news" in " ".join(lowcap("watch", "list").stdout.split())
    with connect(DatabaseRole.CONSOLE) as connection:
        changes = connection.execute(b"SELECT was, became, reason FROM pm.position_status_change ORDER BY change_id")
        assert changes.fetchall() == [("dormant", "paused", "news"), ("paused", "dormant", "no news")]


@writes
def test_what_changes_nothing_or_is_refused_is_not_told_as_a_change(lowcap):
    PostgresPortfolioWorld().add(position_row(status=PositionStatus.ACTIVE, current_trade_id="t"))
    lowcap("watch", "resume", "TOK", *WHY)
    lowcap("watch", "archive", "TOK", *WHY)

    with connect(DatabaseRole.CONSOLE) as connection:
        assert connection.execute(b"SELECT count(*) FROM pm.position_status_change").fetchone() == (0,)


@writes
@pytest.mark.parametrize("why", [(), ("--reason", " "), ("--reason", "r", "--author", " ")])
def test_a_position_is_not_moved_without_a_reason(lowcap, why):
    lowcap("watch", "add", *SOL, "--timeframe", "1h")

    assert lowcap("watch", "pause", "SOL", *why).exit_code == 2
    assert statuses() == {"1h": "dormant"}
