"""What the tests of faults measure against."""

from collections.abc import Iterator

import polars as pl
import pytest

from tests.backfill_command import everything_stored, run_to_the_end
from tests.postgres_fixtures import throw_away_database


@pytest.fixture(scope="session")
def undisturbed(postgres_server, database_template) -> Iterator[dict[str, pl.DataFrame]]:
    """Rows of every table after a backfill command that nothing disturbed."""
    with throw_away_database(postgres_server, database_template):
        status, output = run_to_the_end()
        assert status == 0, output
        yield everything_stored()
