"""Pipeline files: models, and a loader whose messages give place and advice. Pure: no Airflow, no driver, no network."""

from activation.spec.columns import Columns
from activation.spec.cursor import Cursor
from activation.spec.delivery import Delivery, Errors
from activation.spec.destination import Destination
from activation.spec.destinations import BrazeDestination
from activation.spec.kakao import KakaoDestination
from activation.spec.kinesis import KinesisDestination
from activation.spec.loader import Loaded, find_file, load_file, load_files, load_folder, load_one
from activation.spec.models import Pipeline
from activation.spec.names import TableName
from activation.spec.problems import PipelineFileError, Problem
from activation.spec.quantities import Duration, Size
from activation.spec.s3 import S3Destination
from activation.spec.sources import DuckdbSource, PostgresSource, Source

__all__ = [
    "BrazeDestination",
    "Columns",
    "Cursor",
    "Delivery",
    "Destination",
    "DuckdbSource",
    "Duration",
    "Errors",
    "KakaoDestination",
    "KinesisDestination",
    "Loaded",
    "Pipeline",
    "PipelineFileError",
    "PostgresSource",
    "Problem",
    "S3Destination",
    "Size",
    "Source",
    "TableName",
    "find_file",
    "load_file",
    "load_files",
    "load_folder",
    "load_one",
]
