"""Apply create_meta_learning_tables."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0009", "0008"


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
