"""Every knob of Segue in one place, set by environment variables ``SEGUE_*``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from segue.errors import SegueError

SAMPLE_RATE = 22_050
"""Hz, mono: what every feature is computed from."""

_CHECKOUT = Path(__file__).resolve().parents[2]


def _home() -> Path:
    """Return the checkout that this library stands in, or the current folder for an installed wheel."""
    return _CHECKOUT if (_CHECKOUT / "pyproject.toml").is_file() else Path.cwd()


class Settings(BaseSettings):
    """Where things are, how large they may be, how long they may take."""

    model_config = SettingsConfigDict(env_prefix="SEGUE_", extra="ignore", frozen=True)

    home: Path = Field(default_factory=_home, description="folder that holds var/ and runs/")

    kafka: str | None = Field(None, description="bootstrap list of an existing Kafka; unset: the local one")
    mongo: str | None = Field(None, description="URI of an existing MongoDB; unset: the local one")
    kafka_port: int = Field(9092, description="port of the local Kafka; a free one if it is taken")
    mongo_port: int = Field(27017, description="port of the local document store; a free one if it is taken")
    java_options: str = Field(
        "", description="options for the Java of the local services, after Segue's own: -Xmx2g -Xlog:gc"
    )
    plays_partitions: int = Field(8, ge=1, description="partitions of the topic segue.plays")
    retention_days: int = Field(30, ge=1, description="days that Kafka keeps events")

    data: Path | None = Field(None, description="folder of fetched data sets; unset: var/data")
    fetch_timeout_s: float = Field(
        30.0, gt=0, description="seconds that a server may be silent in a download"
    )
    fetch_attempts: int = Field(6, ge=1, description="tries in a row without success that end a download")

    spark_master: str = Field("local[*]", description="any Spark master URL")
    spark_driver_memory: str = Field("2g", description="heap of Spark's driver")

    min_duration_s: float = Field(1.0, gt=0, description="seconds of sound below which a file is too_short")
    silence_peak: float = Field(1e-4, ge=0, description="peak (full scale 1.0) below which a file is silent")
    analysed_s: float = Field(
        30.0, ge=0, description="longer files are analysed on this many seconds of their middle; 0: whole"
    )
    max_file_mib: int = Field(2048, gt=0, description="MiB above which a file is too_large and not opened")
    decode_timeout_s: float = Field(60.0, gt=0, description="seconds that decoding one file may take")
    decode_memory_mib: int = Field(1024, gt=0, description="MiB that decoding one file may allocate")
    ffmpeg_copy_mib: int = Field(
        512,
        ge=0,
        description="MiB of a file on no local disk that may be copied to a temporary one for FFmpeg",
    )
    batch_files: int = Field(16, ge=1, description="files between two questions to the store in the ETL")

    player_host: str = Field("127.0.0.1", description="address that the player listens on")
    player_port: int = Field(8866, ge=0, le=65_535, description="port of the player, or the next free one")
    cookie_secret: SecretStr | None = Field(
        None, description="what signs the player's cookies; unset: made once and kept in var/player/"
    )
    player_proxies: str = Field(
        "127.0.0.0/8, ::1",
        description="addresses and networks of proxies that are believed when they say (X-Forwarded-For, "
        "X-Forwarded-Proto) who asks the player",
    )
    player_visitors: int = Field(60, ge=1, description="pages that all listeners together may have open")
    player_pages: int = Field(8, ge=1, description="pages that one listener may have open")
    player_connections: int = Field(
        1_000, ge=1, description="connections to the player at once, besides the open pages' own"
    )
    player_log_addresses: bool = Field(False, description="the player's log names the addresses of who asked")
    monitor_token: SecretStr | None = Field(
        None,
        description="what opens the player's /health and /metrics from elsewhere (Authorization: Bearer …); "
        "unset: they are open to this machine only",
    )
    list_length: int = Field(30, ge=1, le=200, description="tracks in a listener's list")

    metrics_host: str = Field("127.0.0.1", description="address on which a worker's metrics can be read")
    metrics_port: int = Field(
        9464,
        ge=0,
        le=65_535,
        description="port of a worker's metrics for Prometheus, or another free one; 0: none",
    )
    activity_days: float = Field(7.0, gt=0, description="days that counts by the minute are kept")

    @property
    def var(self) -> Path:
        """Return the folder of everything that can be made again: services, data sets, logs."""
        return self.home / "var"

    @property
    def runs(self) -> Path:
        """Return the folder of the runs' results."""
        return self.home / "runs"

    @property
    def data_folder(self) -> Path:
        """Return where `segue data fetch` puts data sets."""
        return self.data or self.var / "data"

    @property
    def mongo_uri(self) -> str:
        """Return the document store's URI: ``SEGUE_MONGO``, else what ``segue services up`` started."""
        return self.mongo or f"mongodb://{self._address('mongo')}/"

    @property
    def kafka_bootstrap(self) -> str:
        """Return Kafka's bootstrap list: ``SEGUE_KAFKA``, else what ``segue services up`` started."""
        return self.kafka or self._address("kafka")

    def address_file(self, service: str) -> Path:
        """Return the file in which a local service's ``host:port`` stands while it is up."""
        return self.var / "services" / service / "address"

    def _address(self, service: str) -> str:
        try:
            return self.address_file(service).read_text().strip()
        except FileNotFoundError:
            raise SegueError(
                f"no {service} is running here: start it with `segue services up`, "
                f"or set SEGUE_{service.upper()} to one of yours"
            ) from None
