import pytest

from sql.database import connect
from sql.database_role import DatabaseRole

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database")]
WHY = ("--reason", "a test")


def test_set_puts_a_version_in_force_and_says_what_changed(lowcap, lowcap_json):
    result = lowcap("config", "set", "scores.min_coverage=10", "scores.base=0.4", *WHY, "--author", "ann")

    assert result.exit_code == 0
    assert "Version 2 is in force" in result.stdout
    assert "scores.min_coverage: 12 -> 10" in result.stdout
    shown = lowcap_json("config", "show", "scores.min_coverage")
    assert (shown["version"], shown["author"], shown["values"]) == (2, "ann", {"scores.min_coverage": 10})


def test_set_lays_over_what_is_overridden_already(lowcap, lowcap_json):
    lowcap("config", "set", "scores.min_coverage=10", *WHY)
    lowcap("config", "set", "scores.base=0.4", *WHY)

    assert lowcap_json("config", "show")["overrides"] == {"scores": {"min_coverage": 10, "base": 0.4}}


def test_set_without_a_change_makes_no_version(lowcap):
    lowcap("config", "set", "scores.min_coverage=10", *WHY)

    assert "Nothing changed: version 2" in lowcap("config", "set", "scores.min_coverage=10", *WHY).stdout


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("scores.min_coverag=10", "scores.min_coverag: unknown key; did you mean 'min_coverage'?"),
        ("score.min_coverage=10", "score: unknown key; did you mean 'scores'?"),
        ("scores.min_coverage=ten", "scores.min_coverage: Input should be a valid integer"),
        ("scores.min_coverage", "Expected key=value, was 'scores.min_coverage'"),
        ("scores.execution_multipliers.1h.macro=0.9", "sum to 1"),
    ],
)
def test_a_wrong_change_ends_with_2_and_a_reason(lowcap, lowcap_json, assignment, complaint):
    result = lowcap("config", "set", assignment, *WHY)

    assert result.exit_code == 2
    assert complaint in result.stderr
    assert lowcap_json("config", "show")["version"] == 1


def test_a_change_needs_a_reason(lowcap):
    result = lowcap("config", "set", "scores.min_coverage=10")

    assert result.exit_code == 2
    assert "--reason" in result.stderr


def test_unset_takes_an_override_back(lowcap, lowcap_json):
    lowcap("config", "set", "scores.min_coverage=10", "scores.base=0.4", *WHY)

    changed = lowcap_json("config", "unset", "scores.min_coverage")

    assert changed == {"version": 3, "changes": [{"key": "scores.min_coverage", "before": 10, "after": 12}]}
    assert lowcap_json("config", "show")["overrides"] == {"scores": {"base": 0.4}}


def test_unset_of_what_is_not_overridden_ends_with_2(lowcap):
    result = lowcap("config", "unset", "scores.base")

    assert (result.exit_code, result.stderr) == (2, "scores.base is not overridden\n")


def test_history_says_who_changed_what_and_why_newest_first(lowcap, lowcap_json):
    lowcap("config", "set", "scores.min_coverage=10", "--reason", "fewer channels", "--author", "ann")

    newest, oldest = lowcap_json("config", "history")["versions"]

    assert (newest["version"], newest["author"], newest["reason"]) == (2, "ann", "fewer channels")
    assert newest["changes"] == [{"key": "scores.min_coverage", "before": 12, "after": 10}]
    assert (oldest["author"], oldest["changes"]) == ("migration", [])
    table = lowcap("config", "history").stdout
    assert "fewer channels" in table
    assert "scores.min_coverage: 12 -> 10" in table


def test_a_cut_history_still_says_what_its_last_version_changed(lowcap, lowcap_json):
    for coverage in (9, 10):
        lowcap("config", "set", f"scores.min_coverage={coverage}", *WHY)

    (only,) = lowcap_json("config", "history", "--limit", "1")["versions"]

    assert only["changes"] == [{"key": "scores.min_coverage", "before": 9, "after": 10}]


def test_show_says_where_each_value_comes_from(lowcap):
    lowcap("config", "set", "scores.min_coverage=10", *WHY, "--author", "ann")
    lowcap("config", "set", "scores.regime_strength=0.5", *WHY, "--author", "bob")

    out = lowcap("config", "show", "scores.").stdout
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.strip()}

    assert lines["scores.min_coverage"][:5] == ["10", "version", "2", "by", "ann"]
    assert lines["scores.regime_strength"][:5] == ["0.5", "version", "3", "by", "bob"]
    assert lines["scores.base"] == ["0.5", "default"]


def test_show_of_an_old_version_shows_that_one(lowcap, lowcap_json):
    lowcap("config", "set", "scores.min_coverage=10", *WHY)

    assert lowcap_json("config", "show", "scores.min_coverage", "--version", "1")["values"] == {
        "scores.min_coverage": 12
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"), [(["--version", "9"], "has version 9"), (["nothing"], "No key begins with 'nothing'")]
)
def test_show_of_what_is_not_there_ends_with_2(lowcap, arguments, complaint):
    result = lowcap("config", "show", *arguments)

    assert result.exit_code == 2
    assert complaint in result.stderr


def test_an_invalid_stored_version_is_told_and_can_be_repaired(lowcap):
    with connect(DatabaseRole.OWNER) as connection:
        connection.execute(
            "INSERT INTO pm.pm_config (config, config_hash, author, reason) VALUES ('{\"gone\": 1}', '', 'x', 'x')"
        )
    shown = lowcap("config", "show")

    assert (shown.exit_code, "gone: unknown key" in shown.stderr) == (2, True)
    assert lowcap("config", "unset", "gone").exit_code == 0
    assert lowcap("config", "show").exit_code == 0


def test_a_reason_is_text_whatever_it_holds(lowcap):
    lowcap("config", "set", "scores.base=0.4", "--reason", "[red]'; DROP TABLE pm.pm_config; --\x1b[2J")

    assert "[red]'; DROP TABLE pm.pm_config; --\\x1b[2J" in lowcap("config", "history").stdout


def test_a_value_that_was_taken_back_and_set_again_comes_from_the_later_version(lowcap, lowcap_json):
    lowcap("config", "set", "scores.min_coverage=10", *WHY)
    lowcap("config", "unset", "scores.min_coverage")
    lowcap("config", "set", "scores.min_coverage=10", *WHY)
    lowcap("config", "set", "scores.base=0.4", *WHY)

    now = lowcap_json("config", "show")["sources"]
    then = lowcap_json("config", "show", "--version", "2")["sources"]

    assert (now["scores.min_coverage"]["version"], now["scores.base"]["version"]) == (4, 5)
    assert (then["scores.min_coverage"]["version"], then["scores.base"]) == (2, {"from": "default"})


def test_a_valid_change_is_told_and_not_made(lowcap, lowcap_json):
    told = lowcap_json("config", "validate", "scores.min_coverage=10")

    assert told == {
        "valid": True,
        "problem": None,
        "changes": [{"key": "scores.min_coverage", "before": 12, "after": 10}],
    }
    assert lowcap_json("config", "show")["version"] == 1


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("[scores]\nmin_coverag = 10\n", "a.toml", "scores.min_coverag: unknown key; did you mean 'min_coverage'?"),
        ('{"scores": {"min_coverage": 99}}', "a.json", "scores.min_coverage: Input should be less than or equal to 15"),
    ],
)
def test_a_file_that_is_not_valid_is_trouble_with_a_suggestion(lowcap, tmp_path, text, name, problem):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")

    result = lowcap("config", "validate", str(file))

    assert result.exit_code == 1
    assert problem in result.stdout


def test_a_valid_file_says_what_differs_from_the_defaults(lowcap, tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("[scores]\nmin_coverage = 10\nbase = 0.5\n", encoding="utf-8")

    result = lowcap("config", "validate", str(file))

    assert (result.exit_code, "scores.min_coverage: 12 -> 10" in result.stdout) == (0, True)
    assert "scores.base" not in result.stdout


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["nowhere.toml"], "nowhere.toml cannot be read"),
        (["a=1", "b"], "Expected one file, or key=value each"),
        (["scores..x=1"], "Expected a key such as"),
    ],
)
def test_what_is_no_configuration_at_all_is_refused(lowcap, given, complaint):
    result = lowcap("config", "validate", *given)

    assert (result.exit_code, complaint in result.stderr) == (2, True)


@pytest.mark.parametrize(("name", "text"), [("a.json", "[1]"), ("a.json", '{"scores": NaN}'), ("a.toml", "x = ")])
def test_a_file_of_another_kind_is_refused(lowcap, tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")

    assert lowcap("config", "validate", str(file)).exit_code == 2


def test_diff_says_what_differs_between_versions_and_who_set_it(lowcap, lowcap_json):
    lowcap("config", "set", "scores.min_coverage=10", *WHY, "--author", "ann")
    lowcap("config", "set", "scores.base=0.5", *WHY, "--author", "bob")

    forth, back = lowcap_json("config", "diff", "1", "3"), lowcap_json("config", "diff", "3", "1")

    (change,) = forth["changes"]
    assert (change["key"], change["before"], change["after"]) == ("scores.min_coverage", 12, 10)
    assert (change["before_from"], change["after_from"]["author"]) == ({"from": "default"}, "ann")
    assert [(each["before"], each["after"]) for each in back["changes"]] == [(10, 12)]
    assert lowcap("config", "diff", "1", "9").exit_code == 2
