"""Apply add_bucket_and_token_tables."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0006", "0005"


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
