"""The committed schema is what the migrations make, and reads back column by column."""

from pathlib import Path

import psycopg
import pytest

from sql.database import connect
from sql.database_role import DatabaseRole
from sql.database_url import DatabaseUrl
from sql.schema import SCHEMA_FILE, Column, build_schema_text, dump_schema, main, read_table_schemas, table_schema

ODD_SCHEMA = """
CREATE SCHEMA regime; CREATE SCHEMA pm; CREATE SCHEMA learning;
CREATE FUNCTION pm.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
CREATE TABLE pm.odd (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "Capital Name" text NOT NULL DEFAULT 'a, b' CHECK ("Capital Name" <> ''),
    price numeric(12,4)[] DEFAULT '{}',
    doubled double precision GENERATED ALWAYS AS (half * 2) STORED,
    half double precision,
    parent bigint REFERENCES pm.odd,
    "timestamp" timestamptz NOT NULL DEFAULT now(),
    UNIQUE ("timestamp", id)
);
COMMENT ON TABLE pm.odd IS 'Two
lines.';
COMMENT ON COLUMN pm.odd.half IS 'Half,  of what;
it''s -- odd.';
CREATE INDEX odd_half ON pm.odd (half) WHERE half > 0;
CREATE TRIGGER odd_append_only BEFORE DELETE ON pm.odd FOR EACH ROW EXECUTE FUNCTION pm.refuse();
CREATE TABLE regime.parted (day date NOT NULL, n int, PRIMARY KEY (day)) PARTITION BY RANGE (day);
CREATE TABLE regime.parted_now PARTITION OF regime.parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW learning.seen AS SELECT o.id, p.n FROM pm.odd o JOIN regime.parted p ON p.n = o.id;
COMMENT ON VIEW learning.seen IS 'What is seen.';
"""
ODD_TEXT = """\
CREATE OR REPLACE FUNCTION pm.refuse()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ BEGIN RAISE 'no'; END $function$;

CREATE TABLE regime.parted (
    day date NOT NULL,
    n integer,
    CONSTRAINT parted_pkey PRIMARY KEY (day)
) PARTITION BY RANGE (day);

-- Two lines.
CREATE TABLE pm.odd (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    "Capital Name" text NOT NULL DEFAULT 'a, b'::text,
    price numeric(12,4)[] DEFAULT '{}'::numeric[],
    doubled double precision GENERATED ALWAYS AS ((half * (2)::double precision)) STORED,
    half double precision,  -- Half, of what; it's -- odd.
    parent bigint,
    timestamp timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT odd_pkey PRIMARY KEY (id),
    CONSTRAINT odd_timestamp_id_key UNIQUE ("timestamp", id),
    CONSTRAINT odd_parent_fkey FOREIGN KEY (parent) REFERENCES pm.odd(id),
    CONSTRAINT "odd_Capital Name_check" CHECK (("Capital Name" <> ''::text))
);
CREATE INDEX odd_half ON pm.odd USING btree (half) WHERE (half > (0)::double precision);
CREATE TRIGGER odd_append_only BEFORE DELETE ON pm.odd FOR EACH ROW EXECUTE FUNCTION pm.refuse();

-- What is seen.
VIEW learning.seen (
    id bigint,
    n integer
) READS pm.odd, regime.parted;
"""


@pytest.mark.postgres
def test_the_migrations_build_the_committed_schema_exactly(database: DatabaseUrl) -> None:
    with connect(DatabaseRole.OWNER) as connection:
        assert dump_schema(connection) == SCHEMA_FILE.read_text(), "after a migration: python -m sql.schema --write"


@pytest.mark.postgres
def test_everything_a_schema_may_hold_is_described(empty_database: DatabaseUrl) -> None:
    with psycopg.connect(empty_database.libpq(), autocommit=True) as connection:
        connection.execute(ODD_SCHEMA)

        assert dump_schema(connection).split("\n\n", 1)[1] == ODD_TEXT


@pytest.mark.postgres
@pytest.mark.parametrize("search_path", ["", "pm, regime"])
def test_the_text_does_not_depend_on_the_session_and_leaves_it_alone(
    empty_database: DatabaseUrl, search_path: str
) -> None:
    with psycopg.connect(empty_database.libpq()) as connection:
        connection.execute(ODD_SCHEMA)
        connection.execute("SELECT set_config('search_path', %s, false)", [search_path])

        assert dump_schema(connection).endswith(ODD_TEXT)
        assert connection.execute("SELECT current_setting('search_path')").fetchone() == (search_path,)


@pytest.mark.postgres
def test_the_committed_tables_read_back_as_the_database_has_them(database: DatabaseUrl) -> None:
    with connect(DatabaseRole.OWNER) as connection:
        rows = connection.execute(
            "SELECT table_schema || '.' || table_name, column_name, is_nullable = 'YES' "
            "FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) "
            "WHERE table_schema IN ('regime', 'pm', 'learning') AND table_type = 'BASE TABLE' "
            "ORDER BY (table_schema || '.' || table_name) COLLATE \"C\", ordinal_position"
        ).fetchall()
    read = read_table_schemas(SCHEMA_FILE.read_text())

    assert [(t, c.name, c.nullable) for t in sorted(read) for c in read[t].columns] == rows


@pytest.mark.postgres
def test_writing_and_checking_agree(
    database: DatabaseUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sql.schema.SCHEMA_FILE", tmp_path / "schema.sql")
    codes = [main(["--write"]), main(["--check"])]
    (tmp_path / "schema.sql").write_text("-- Something else.\n")

    assert [*codes, main(["--check"])] == [0, 0, 1]
    assert "python -m sql.schema --write" in capsys.readouterr().err
    assert build_schema_text() == SCHEMA_FILE.read_text()


def test_a_table_reads_back_whole() -> None:
    odd = read_table_schemas(ODD_TEXT)["pm.odd"]

    assert (odd.schema, odd.name, odd.primary_key) == ("pm", "odd", ("id",))
    assert [column.name for column in odd.columns] == [
        "id", "Capital Name", "price", "doubled", "half", "parent", "timestamp",
    ]  # fmt: skip
    assert odd.columns[2] == Column("price", "numeric(12,4)[]", True, "")
    assert odd.columns[4] == Column("half", "double precision", True, "Half, of what; it's -- odd.")
    assert odd.columns[6] == Column("timestamp", "timestamp with time zone", False, "")


def test_views_are_no_tables() -> None:
    assert list(read_table_schemas(ODD_TEXT)) == ["regime.parted", "pm.odd"]


def test_a_line_that_is_no_column_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected a column or constraint of pm\.x, was '  odd'"):
        read_table_schemas("CREATE TABLE pm.x (\n  odd\n);\n")


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"No table 'regime\.nothing'"):
        table_schema("regime.nothing")


def test_a_committed_table_is_found_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nowhere")

    for name in read_table_schemas(SCHEMA_FILE.read_text()):
        assert f"{table_schema(name).schema}.{table_schema(name).name}" == name
