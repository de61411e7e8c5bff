"""Apply comment_columns."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0005", "0004"


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
