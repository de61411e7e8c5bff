"""Apply add_position_status_change."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0010", "0009"


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
