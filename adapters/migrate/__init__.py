"""Data converted in bulk: logs, batch files, datasets and recordings, line by line or file by file."""

from .batches import MapBatches
from .engines import Engine, processes
from .errors import LineError, MigrationError, SettingError
from .lines import Converted, convert_line, convert_lines
from .options import Options
from .run import Outcome, migrate_files

__all__ = [
    "Converted",
    "Engine",
    "LineError",
    "MapBatches",
    "MigrationError",
    "Options",
    "Outcome",
    "SettingError",
    "convert_line",
    "convert_lines",
    "migrate_files",
    "processes",
]
