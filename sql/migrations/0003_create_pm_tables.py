"""Apply create_pm_tables."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
