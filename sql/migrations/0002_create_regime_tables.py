"""Apply create_regime_tables."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
