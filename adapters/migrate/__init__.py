"""Data converted in bulk: logs, batch files, datasets and recordings, line by line or file by file."""

from .batches import MapBatches
from .errors import LineError, MigrationError, SettingError
from .lines import Converted, convert_line, convert_lines
from .options import Options

__all__ = [
    "Converted",
    "LineError",
    "MapBatches",
    "MigrationError",
    "Options",
    "SettingError",
    "convert_line",
    "convert_lines",
]
