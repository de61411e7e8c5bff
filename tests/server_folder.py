"""Where the tests' servers keep their data: in memory, if there is enough, for thousands of databases come and go."""

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 6 * 2**30


def server_folder() -> Path:
    """Folder of temporary servers: in memory if so much of it is free, else the one for temporary files."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH_BYTES:
        return MEMORY
    return Path(tempfile.gettempdir())
