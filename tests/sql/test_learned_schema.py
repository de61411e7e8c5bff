"""The schema of what a replay taught: the learning tables once more, and nobody else's schema is ever removed."""

import psycopg
import pytest

from sql.database import connect
from sql.database_role import DatabaseRole
from sql.learned_schema import (
    LEARNING,
    LearnedSchemaError,
    drop_learned_schema,
    has_learned,
    learned_schema_of,
    make_learned_schema,
)

pytestmark = pytest.mark.postgres
SPRING = learned_schema_of("spring")
COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default IS NULL FROM information_schema.columns"
    " WHERE table_schema = %s ORDER BY 1, ordinal_position"
)
CONSTRAINTS = (
    "SELECT relname, replace(pg_get_constraintdef(rule.oid), %s || '.', '') FROM pg_constraint AS rule"
    " INNER JOIN pg_class ON pg_class.oid = conrelid WHERE connamespace = %s::regnamespace"
    " AND NOT (contype = 'f' AND confrelid = 'pm.pm_config'::regclass) ORDER BY 1, 2"
)
A_STEP = (
    "INSERT INTO {0}.override_set (set_id, made_at, as_of, input_hash, row_count, run_id, code_version, config_version)"
    " OVERRIDING SYSTEM VALUE VALUES (1, now(), now(), 'h', 0, 'r', '1', 1);"
    "INSERT INTO {0}.override_step (set_id, lesson_id, lever, to_state, stepped_at, reason)"
    " VALUES (1, 'l', 'pm_strength', 'proposed', now(), 'wanted')"
)


@pytest.fixture
def owner(database):
    with connect(DatabaseRole.OWNER, autocommit=True) as connection:
        yield connection


def told(connection: psycopg.Connection, statement: str, *values: object) -> list[tuple]:
    return connection.execute(statement.encode(), values or None).fetchall()


def test_it_has_every_learning_table_with_its_columns_and_constraints_and_no_row(owner):
    assert not has_learned(owner, SPRING)
    make_learned_schema(owner, SPRING)

    assert has_learned(owner, SPRING)
    assert told(owner, COLUMNS, SPRING) == told(owner, COLUMNS, LEARNING) != []
    copied, original = (told(owner, CONSTRAINTS, name, name) for name in (SPRING, LEARNING))
    assert copied == original != []


def test_nothing_in_it_refers_to_a_table_outside(owner):
    make_learned_schema(owner, SPRING)

    foreign = told(
        owner,
        "SELECT DISTINCT relnamespace::regnamespace::text FROM pg_constraint INNER JOIN pg_class ON"
        " pg_class.oid = confrelid WHERE contype = 'f' AND connamespace = %s::regnamespace",
        SPRING,
    )

    assert foreign == [(SPRING,)]


def test_learning_writes_it_the_others_read_it(owner):
    make_learned_schema(owner, SPRING)

    with connect(DatabaseRole.LEARNING) as connection:
        connection.execute(A_STEP.format(SPRING).encode())
    for role in (DatabaseRole.REGIME, DatabaseRole.PM, DatabaseRole.CONSOLE):
        with connect(role) as connection:
            assert told(connection, f"SELECT count(*) FROM {SPRING}.override_step") == [(1,)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"DELETE FROM {SPRING}.pm_overrides".encode())


@pytest.mark.parametrize("schema", [SPRING, LEARNING])
@pytest.mark.parametrize("change", ["DELETE FROM {}.override_step", "UPDATE {}.override_step SET reason = 'x'"])
def test_steps_are_append_only_in_both(owner, schema, change):
    make_learned_schema(owner, SPRING)
    owner.execute(A_STEP.format(schema).encode())

    with pytest.raises(psycopg.Error, match="append-only"):
        owner.execute(change.format(schema).encode())


def test_it_is_made_anew_only_when_told_to(owner):
    make_learned_schema(owner, SPRING)
    owner.execute(A_STEP.format(SPRING).encode())

    with pytest.raises(psycopg.errors.DuplicateSchema):
        make_learned_schema(owner, SPRING)
    assert told(owner, f"SELECT count(*) FROM {SPRING}.override_step") == [(1,)]
    make_learned_schema(owner, SPRING, drop_old=True)

    assert told(owner, f"SELECT count(*) FROM {SPRING}.override_step") == [(0,)]


@pytest.mark.parametrize("schema", ["learning", "pm", "public", "replay_spring", "learned_", "learned_A; DROP"])
def test_nothing_but_a_learned_schema_is_removed(owner, schema):
    owner.execute('CREATE SCHEMA "learned_A; DROP"')

    with pytest.raises(LearnedSchemaError):
        drop_learned_schema(owner, schema)

    assert ("learned_A; DROP",) in told(owner, "SELECT nspname FROM pg_namespace")


def test_removed_it_is_gone_and_removing_it_again_does_nothing(owner):
    make_learned_schema(owner, SPRING)

    for _ in range(2):
        drop_learned_schema(owner, SPRING)

    assert not has_learned(owner, SPRING)
    assert told(owner, "SELECT to_regclass('learning.learning_run') IS NOT NULL") == [(True,)]


@pytest.mark.parametrize("name", ["", "A", "a-b", "a.b", "_a", "a" * 49, "ä"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(LearnedSchemaError):
        learned_schema_of(name)
