"""Apply create_schemas_and_roles."""

from sql.migrate import apply_sql_beside

revision, down_revision = "0001", None


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
