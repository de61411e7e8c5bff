"""What a command line asks to be replayed."""

import pytest

from domain.vocabulary.timeframe import Timeframe
from pm_runtime.replay.settings import read_command_line, read_universe

WINDOW = ["--from", "2025-04-01T00:00Z", "--to", "2025-04-08T12:30+00:00"]


def test_by_default_hours_and_four_hours_of_every_token_are_replayed_without_overrides():
    settings = read_command_line(WINDOW)

    assert settings.timeframes == (Timeframe.H1, Timeframe.H4)
    assert (settings.universe, settings.tokens, settings.overrides) == (None, None, "off")


def test_the_schema_is_named_after_the_window_unless_it_has_a_name():
    assert read_command_line(WINDOW).schema_name == "replay_20250401_20250408t123000"
    assert read_command_line([*WINDOW, "--name", "spring_2"]).schema_name == "replay_spring_2"


def test_the_same_window_said_differently_is_the_same_replay():
    elsewhere = ["--from", "2025-04-01T02:00+02:00", "--to", "2025-04-08T12:30Z", "--timeframe", "4h"]
    twice = read_command_line([*elsewhere, "--timeframe", "1h", "--timeframe", "4h"])

    assert twice.identity() == read_command_line(WINDOW).identity()


def test_a_set_of_overrides_is_named_by_its_number():
    assert read_command_line([*WINDOW, "--overrides", "7"]).overrides == 7
    assert read_command_line([*WINDOW, "--overrides", "live"]).overrides == "live"


def test_a_file_names_a_token_a_line(tmp_path):
    file = tmp_path / "tokens"
    file.write_text("# mine\nWIF@solana  # a dog\n\nBONK\n0x2::sui::SUI\n", encoding="utf-8")

    settings = read_command_line([*WINDOW, "--universe", str(file)])

    assert read_universe(str(file)) == ["WIF@solana", "BONK", "0x2::sui::SUI"]
    assert settings.tokens == (["0x2::sui::SUI", "BONK", "WIF"], ["", "", "solana"])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--to", "2025-03-01T00:00Z"], "--from must be before --to"),
        (["--to", "2025-05-01"], "timezone"),
        (["--name", "Spring"], "pattern"),
        (["--name", "x; DROP SCHEMA pm"], "pattern"),
        (["--overrides", "best"], "overrides"),
        (["--universe", "WIF,,BONK"], "no contract"),
        (["--timeframe", "2h"], "timeframes"),
    ],
)
def test_a_wrong_command_line_is_refused(options, complaint, capsys):
    with pytest.raises(SystemExit, match="2"):
        read_command_line([*WINDOW, *options])

    assert complaint in capsys.readouterr().err
