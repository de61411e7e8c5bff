"""One set of cap buckets, everywhere: an earlier system had two, whose words overlapped and whose edges did not.

There, "nano" ended at 10 million in one module and at 100 thousand in another, and "big" began at 200 or at 50 million.
"""

import ast
import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import psycopg
import pytest
from pydantic import ValidationError

import domain
from domain.config.cap_bucket import CapBucketConfig
from domain.config.driver_bar import DriverBarConfig
from domain.regime.token_cap_bucket import TAG_SCHEMA, bucket_of, tag_tokens
from domain.scopes.scope import extract_scope, parse_scope, scope_json
from domain.scopes.scope_value import N_RANKS, WORDS
from domain.vocabulary.cap_bucket import INPUT_ALIASES, REGIME_BUCKETS, UPPER_EDGE_USD, CapBucket, parse_cap_bucket
from domain.vocabulary.driver import ALT, BTC, DOMINANCE_DRIVERS, DRIVERS, DriverRole
from domain.vocabulary.scope_dimension import ScopeDimension
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.queries import QUERIES_DIR
from sql.schema import SCHEMA_FILE, table_schema
from tests.stored_rows import insert_rows, stored_score, stored_state

ROOT = Path(domain.__path__[0]).parent
PACKAGES = ("domain", "resources", "sql", "regime_assets", "learning_assets", "pm_runtime", "console")
AT = datetime(2026, 3, 1, tzinfo=UTC)
ALL, SCORED = tuple(CapBucket), REGIME_BUCKETS
BUCKET_WORDS = {*CapBucket, *INPUT_ALIASES} - {"micro"}  # that is a horizon, too

CAPS = {
    99_999.0: "nano",
    100_000.0: "micro",
    4_999_999.0: "micro",
    5_000_000.0: "mid",
    9_000_000.0: "mid",
    49_999_999.0: "mid",
    50_000_000.0: "big",
    199_000_000.0: "big",
    500_000_000.0: "large",
    999_999_999.0: "large",
    1_000_000_000.0: "xl",
}
"""Caps at and about the edges, and where the two old sets disagreed."""


def bucket_lists(text: str) -> Iterator[tuple[str, ...]]:
    """Every list of words in a SQL text that names a bucket."""
    for found in re.finditer(r"ARRAY\[([^\]]*)\]|'\{([^}]*)\}'|\bIN \(([^)]*)\)", text):
        words = tuple(re.findall(r"[A-Za-z.]+", "".join(filter(None, found.groups())).replace("::text", "")))
        if set(words) & BUCKET_WORDS:
            yield words


def literals(path: Path) -> set[str]:
    """Texts of a module that are one word."""
    return {node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if is_text(node)}


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


@pytest.mark.parametrize(("cap_usd", "word"), CAPS.items())
def test_a_cap_has_one_word_from_its_tag_to_its_scope_and_its_driver(cap_usd, word):
    reading = {"token_contract": "t", "chain": "x", "day": date(2026, 3, 1), "market_cap_usd": cap_usd}
    read = pl.DataFrame([reading | {"circulating_supply": 1.0, "updated_at": AT}]).cast(
        {"updated_at": pl.Datetime("us", "UTC")}
    )
    tagged = tag_tokens(read, pl.DataFrame(schema=TAG_SCHEMA), day=date(2026, 3, 1), config=CapBucketConfig())

    assert tagged.tags["bucket"].to_list() == [word] == [bucket_of(cap_usd)]
    scope = extract_scope(entry={"mcap_bucket": tagged.tags["bucket"][0]}, action={}, regime={})
    assert scope == {ScopeDimension.MCAP_BUCKET: word}
    if word != "xl":
        assert DriverRole.BUCKET.driver(CapBucket(word)) == word
        assert word in DRIVERS


def test_the_edges_ascend_and_leave_no_cap_out():
    edges = [UPPER_EDGE_USD[bucket] for bucket in CapBucket]

    assert edges == [1e5, 5e6, 5e7, 5e8, 1e9, math.inf]
    assert list(UPPER_EDGE_USD) == list(CapBucket)


def test_the_words_stand_in_one_module_of_the_program():
    spelled = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if len(literals(path) & BUCKET_WORDS) > 1  # one of them may be a byte order
    }

    assert spelled == {"domain/vocabulary/cap_bucket.py"}


@pytest.mark.parametrize("file", [SCHEMA_FILE, *sorted(QUERIES_DIR.glob("*.sql"))], ids=lambda file: file.name)
def test_every_list_of_buckets_in_the_database_is_all_of_them_or_those_scored(file):
    known = {ALL, SCORED, DRIVERS}

    lists = list(bucket_lists(file.read_text("utf-8")))

    assert {tuple(sorted(words)) for words in lists} <= {tuple(sorted(words)) for words in known}
    assert len(lists) >= 9 if file == SCHEMA_FILE else True


def test_drivers_config_and_scopes_speak_of_the_same_buckets():
    weights = [column.name for column in table_schema("regime.composite_return_series").columns]

    assert [driver for driver in DRIVERS if driver not in (BTC, ALT, *DOMINANCE_DRIVERS)] == list(SCORED)
    assert tuple(CapBucketConfig().composite_bucket_weights) == SCORED
    assert [name.removeprefix("weight_") for name in weights if name.startswith("weight_")] == list(SCORED)
    assert WORDS[ScopeDimension.MCAP_BUCKET] == set(ALL)
    assert WORDS[ScopeDimension.BUCKET_LEADER] == set(SCORED)
    assert N_RANKS == len(ALL) == len(CapBucketConfig().bucket_order_multipliers.rank_adjustments)


@pytest.mark.parametrize("key", ["bucket", "mcap_bucket"])
def test_small_comes_in_as_micro_and_is_never_stored(key):
    told = extract_scope(entry={key: "small"}, action={}, regime={"bucket_leader": "small"})

    assert parse_cap_bucket("small") is CapBucket.MICRO
    assert scope_json(told) == '{"bucket_leader":"micro","mcap_bucket":"micro"}'
    assert scope_json(parse_scope({"mcap_bucket": "small"})) == '{"mcap_bucket":"micro"}'
    assert "small" not in {*CapBucket, *DRIVERS, *WORDS[ScopeDimension.MCAP_BUCKET]}


@pytest.mark.parametrize("word", ["smal", "Nano ", "medium", "mega", ""])
def test_a_word_nobody_defined_never_becomes_a_bucket(word):
    with pytest.raises(ValueError, match="cap bucket"):
        parse_cap_bucket(word)


@pytest.mark.parametrize("word", ["small", "medium"])
def test_the_configuration_takes_no_other_word(word):
    weights = {bucket.value: weight for bucket, weight in CapBucketConfig().composite_bucket_weights.items()}

    with pytest.raises(ValidationError):
        CapBucketConfig(composite_bucket_weights={**weights, word: weights.pop("micro")})
    with pytest.raises(ValidationError):
        DriverBarConfig(min_components={word: 3})


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("regime.ae_score", stored_score("small", AT)),
        ("regime.ae_score", stored_score("xl", AT)),
        ("regime.regime_driver_state", stored_state("small", "1h", AT + timedelta(hours=1))),
    ],
)
def test_the_database_stores_no_other_word(database, table, row):
    with (
        connect(DatabaseRole.REGIME) as connection,
        pytest.raises(psycopg.errors.CheckViolation, match=r"bucket|driver"),
    ):
        insert_rows(connection, table, [row])
