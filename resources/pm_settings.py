"""The configuration in force, as assets read it."""

import dagster as dg

from sql.database import connect
from sql.database_role import DatabaseRole
from sql.pm_config import VersionedConfig, read_pm_config


class PmSettings(dg.ConfigurableResource):
    """Reads `pm.pm_config`. `version` 0 means the newest."""

    version: int = 0

    def current(self) -> VersionedConfig:
        """Return the configuration in force and its version."""
        with connect(DatabaseRole.REGIME, read_only=True) as connection:
            return read_pm_config(connection, version=self.version or None)
