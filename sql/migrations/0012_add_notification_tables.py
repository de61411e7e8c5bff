"""Apply add_notification_tables."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0012", "0011"


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
