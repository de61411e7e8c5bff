"""Apply create_bar_release."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0004", "0003"


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
