import pytest

from console.config_key import changes_between, parse_assignment, parse_key, with_override, without_override
from domain.config.pm_config import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=10", 10),
        ("a.b=0.5", 0.5),
        ("a.b=true", True),
        ('a.b="1h"', "1h"),
        ("a.b=1h", "1h"),
        ('a.b=["1m","1h"]', ["1m", "1h"]),
        ("a.b=x=y", "x=y"),
        ("a.b=", ""),
    ],
)
def test_a_value_is_json_and_a_bare_word_is_text(text, value):
    assert parse_assignment(text) == (("a", "b"), value)


@pytest.mark.parametrize("text", ["scores", "=10", "scores.=10", ".base=1", "a..b=1"])
def test_half_an_assignment_is_refused(text):
    with pytest.raises(ConfigError, match="Expected"):
        parse_assignment(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(number):
    with pytest.raises(ConfigError, match="not a value"):
        parse_assignment(f"scores.base={number}")


def test_setting_a_key_leaves_the_others_and_the_original_alone():
    before = {"scores": {"base": 0.4, "driver_weights": {"btc": 2}}}

    after = with_override(before, ("scores", "driver_weights", "alt"), 1)

    assert after == {"scores": {"base": 0.4, "driver_weights": {"btc": 2, "alt": 1}}}
    assert before == {"scores": {"base": 0.4, "driver_weights": {"btc": 2}}}


def test_taking_a_key_back_removes_sections_left_empty():
    before = {"scores": {"driver_weights": {"btc": 2}}, "runtime": {"score_ttl_bars": 3}}

    assert without_override(before, ("scores", "driver_weights", "btc")) == {"runtime": {"score_ttl_bars": 3}}
    assert without_override(before, ("runtime",)) == {"scores": {"driver_weights": {"btc": 2}}}


@pytest.mark.parametrize("key", ["runtime", "scores.base", "scores.min_coverage.x"])
def test_a_key_that_is_not_overridden_cannot_be_taken_back(key):
    with pytest.raises(ConfigError, match=f"{key} is not overridden"):
        without_override({"scores": {"min_coverage": 10}}, parse_key(key))


def test_changes_name_the_default_where_there_was_no_override():
    changes = list(changes_between({"scores": {"base": 0.4}}, {"scores": {"min_coverage": 10}}))

    assert changes == [
        {"key": "scores.base", "before": 0.4, "after": 0.5},
        {"key": "scores.min_coverage", "before": 12, "after": 10},
    ]


def test_equal_overrides_have_no_changes():
    assert list(changes_between({"scores": {"base": 0.4}}, {"scores": {"base": 0.4}})) == []
