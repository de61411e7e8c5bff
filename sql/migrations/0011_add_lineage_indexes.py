"""Apply add_lineage_indexes."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0011", "0010"


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
