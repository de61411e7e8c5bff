"""`lowcap tuning`: what was said of each threshold as of a day and by what, and how the windows behind it ended."""

from typing import Any

import pytest

from console.tuning_view import RATES, WHY
from domain.learning.judged_gate import TuningVerdict
from domain.learning.tuning_rate import tuning_rates
from domain.portfolio.strict_json import canonical_json
from tests.console.learned_rows import DAY, ESCAPE, MADE, MIDNIGHT, make_taught, of_day, run_row, store
from tests.domain.learning.tuned_episodes import CONFIG, bought, run_of, several, start_of

pytestmark = pytest.mark.postgres
EPISODES = [*several(30, 3, 0.58), *bought()]
"""33 windows that trend strength alone kept out, 30 of which went well, and 10 that were bought."""


def judged_rows(config=CONFIG, **values: Any) -> dict[str, list[dict[str, Any]]]:
    """Rows of a day as the judge makes them, by table."""
    run = run_of(EPISODES, config=config)
    rates = tuning_rates(EPISODES, as_of_at=start_of(1), config=config)
    open_ones = {"n_pending": 3, "n_expired": 1}
    told = {
        "tuning_rate": [rate.row() | open_ones for rate in rates],
        "tuning_verdict": [verdict.row() for verdict in run.verdicts],
        "tuning_state": [state.row() for state in run.states],
    }
    for row in told["tuning_verdict"]:
        row["evidence"] = canonical_json(row["evidence"])
    return {table: [of_day() | row | MADE | values for row in rows] for table, rows in told.items()}


def store_judged(schema: str = "learning", **values: Any) -> None:
    for table, rows in judged_rows(**values).items():
        store(table, *rows, schema=schema)


@pytest.fixture(scope="module")
def judged(module_database) -> None:
    """Two judged days, one before on which no window was known, and one of a replay."""
    store("learning_run", *(run_row(**of_day(days)) for days in (0, -1, -2)))
    store_judged()
    store_judged(**of_day(-1))
    schema = make_taught("summer")
    store("learning_run", run_row(), schema=schema)
    store_judged(schema, config=CONFIG.model_copy(update={"masks": ((),)}))
    store("learning_run", run_row(), schema=make_taught("winter"))


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_a_threshold_is_told_with_its_verdict_its_step_and_its_evidence(judged, lowcap_json):
    told = lowcap_json("tuning")
    root = next(each for each in told["thresholds"] if each["scope"] == {} and each["gate"] == "trend_strength")

    assert (told["day"], told["as_of"], told["interval_level"]) == ("2025-06-10", "2025-06-11T00:00:00+00:00", 0.9)
    assert (root["family"], root["verdict"], root["why"]) == ("pm.s1_entry", "loosened", "loosened: kept out winners")
    assert (root["threshold_base"], root["threshold"]) == (0.6, pytest.approx(0.57))
    assert (root["step_from"], root["step_to"], root["since"]) == (1.0, 0.95, start_of(1).isoformat())
    assert (root["miss"]["n_hits"], root["miss"]["n"], root["false_positive"]["n"]) == (30, 33, 0)
    assert root["miss"]["low"] > 0.6
    assert root["q"] < 0.05
    assert root["replay"]["gain_rr"] > 0


def test_a_threshold_is_a_line_coarse_cells_first(judged, lowcap):
    said = lines(lowcap("tuning").stdout)

    assert said[0] == "day 2025-06-10: windows whose end was known before 2025-06-11T00:00Z; intervals are of 90%"
    windows = "of its windows 10 were bought, 33 left, 3 are pending, 1 expired"
    assert said[1] == f"pm.s1_entry: 8 thresholds were judged, 4 moved; {windows}"
    strengths = [line for line in said if line.startswith("trend_strength")]
    moved = "loosened: kept out winners 0.6 -> 0.57 0.950 30/33 91% (79% to 96%) 0/0 - 0.000"
    assert strengths[0] == f"trend_strength everywhere {moved}"
    assert strengths[-1] == f"trend_strength mcap_bucket=nano timeframe=1h {moved}"
    assert "near_ema60 everywhere too few windows 1 -> 1 1.000 0/0 - 0/0 - -" in said


def test_verdicts_are_counted(judged, lowcap_json):
    counts = {each["verdict"]: (each["count"], each["why"]) for each in lowcap_json("tuning")["verdicts"]}

    assert counts == {"loosened": (4, WHY["loosened"]), "too_few": (4, WHY["too_few"])}


def test_rates_are_told_by_cell_with_counts_and_intervals(judged, lowcap, lowcap_json):
    told = lowcap_json("tuning", "--rates")
    said = lines(lowcap("tuning", "--rates").stdout)

    assert (len(told["rates"]), told["rates"][0]["scope"]) == (4, {})
    assert (told["rates"][0]["mr"], told["rates"][0]["n_pending"]) == (pytest.approx(30 / 33), 3)
    assert "thresholds" not in told
    won, left = "5/10 50% (27% to 73%)", "30/33 91% (79% to 96%)"
    assert f"everywhere {won} {won} {left} 3/33 9% (4% to 21%) 3 1" in said


def test_an_earlier_day_and_a_replay_are_looked_at_alone(judged, lowcap_json):
    assert lowcap_json("tuning", "--day", "2025-06-09")["as_of"] == "2025-06-10T00:00:00+00:00"
    assert len(lowcap_json("tuning", "--replay", "summer")["thresholds"]) == 2


@pytest.mark.parametrize(
    ("arguments", "elsewhere"),
    [
        (("--day", "2025-06-08"), "the newest day with verdicts is 2025-06-10"),
        (("--replay", "winter", "--rates"), "nor on any other"),
    ],
)
def test_a_learned_day_without_windows_says_so(judged, lowcap, lowcap_json, arguments, elsewhere):
    said = lowcap("tuning", *arguments).stdout

    assert "no threshold was judged, for no window of opportunity was known" in said
    assert elsewhere in said
    told = lowcap_json("tuning", *arguments)
    assert told["as_of"] is None
    assert told.get("rates", told.get("thresholds")) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--day", "2025-07-01"), "the days from 2025-06-08 to 2025-06-10 were"),
        (("--day", "soon"), "Expected a day such as"),
        (("--replay", "sumer"), "did you mean 'summer'?"),
    ],
)
def test_a_day_or_replay_that_is_none_is_refused(judged, lowcap, arguments, complaint):
    result = lowcap("tuning", *arguments)

    assert (result.exit_code, complaint in " ".join(result.stderr.replace("│", "").split())) == (2, True)


def test_before_anything_was_learned_it_says_what_to_do(database, lowcap, lowcap_json):
    assert lowcap("tuning").stdout == "Nothing was learned yet; first: lowcap learn --from DAY\n"
    assert (lowcap_json("tuning")["day"], lowcap_json("tuning")["thresholds"]) == (None, [])


@pytest.mark.parametrize(
    "evidence",
    ["{}", '{"q":"\\u001b[31m","miss":[1],"replay":7}', '{"q":1,"q":2}', '{"threshold":true,"miss":{"n":"x"}}'],
)
def test_evidence_nobody_can_read_leaves_the_verdict(database, lowcap, lowcap_json, evidence):
    store("learning_run", run_row(as_of=MIDNIGHT + DAY / 2))
    verdict = judged_rows()["tuning_verdict"][0]
    store("tuning_verdict", verdict | {"evidence": evidence, "gate": ESCAPE})

    result = lowcap("tuning")
    (told,) = lowcap_json("tuning")["thresholds"]

    assert result.exit_code == 0
    assert result.output.replace("\n", "").isprintable()
    assert (told["verdict"], told["threshold"], told["q"], told["miss"]["n"]) == ("loosened", None, None, None)
    assert (told["problem"] is None) is ("cannot be read" not in result.stderr)


def test_every_verdict_has_its_words_and_every_rate_its_column():
    assert set(WHY) == set(TuningVerdict)
    assert set(RATES) == {"wr", "fpr", "mr", "dr"}
