"""What Dagster is told of any asset that is a table: its key, its columns, its rows, its failed checks."""

from collections.abc import Sequence

import dagster as dg

from resources.inline_check import BlockedByCheckError, InlineCheck
from sql.schema import TableSchema

ROWS_WRITTEN = "rows_written"
"""Name of a materialization's count of rows. Dagster shows its own `dagster/row_count` as the whole table's size."""

RETRY = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def asset_key(table: str) -> dg.AssetKey:
    """Asset key of a table: its schema and its name."""
    return dg.AssetKey(table.split("."))


def column_schema(table: TableSchema) -> dg.TableSchema:
    """Columns of a table as Dagster shows them."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                column.type,
                description=column.comment or None,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in table.columns
        ]
    )


def report_failed_checks(
    instance: dg.DagsterInstance, table: str, checks: Sequence[InlineCheck], failed: BlockedByCheckError
) -> None:
    """Record failed checks although nothing was materialized, so that the asset's page shows them red."""
    for check in checks:
        if check.name in failed.failed:
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=asset_key(table),
                    check_name=check.name,
                    passed=False,
                    blocking=True,
                    severity=dg.AssetCheckSeverity.ERROR,
                    metadata={"broken_rows": failed.failed[check.name]},
                    description=str(failed),
                )
            )
