"""The local Kafka: one real broker that is its own controller (KRaft), on loopback."""

from __future__ import annotations

import base64
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from segue.errors import SegueError
from segue.services import ivy, ports
from segue.services.java import Java, first_line
from segue.services.process import ServiceFolder

VERSION = "4.1.1"
DEPENDENCIES = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
)
KIND = f"Kafka {VERSION}"

_JVM = (
    "-Xmx256m", "-Xmn32m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true", "-Dorg.apache.logging.log4j.level=WARN", "-cp", "lib/*",
)  # fmt: skip
# One broker holds every replica. Few partitions of its own topics and a short session make its start quick:
# a broker that was killed is refused until its last session has ended.
_PROPERTIES = """\
num.io.threads=2
num.network.threads=1
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400
"""


def prepare(folder: ServiceFolder, java: Java) -> None:
    """Fetch the jars and format the log folder, each unless it was done before."""
    ivy.resolve(java, DEPENDENCIES, folder.path / "lib", folder.log)
    if not (folder.path / "data").exists():
        _format(folder, java)


def command(folder: ServiceFolder, java: Java, port: int, options: Sequence[str] = ()) -> list[str | Path]:
    """Write the broker's properties and return what starts it, relative to its folder."""
    _write_properties(folder.path / "server.properties", "data", port, ports.any_free())
    return [java.path, *_JVM, *options, "kafka.Kafka", "server.properties"]


def _format(folder: ServiceFolder, java: Java) -> None:
    """Format elsewhere first: a format that was cut short, or still runs, never touches the real folder."""
    for rest in folder.path.glob("format-*"):
        shutil.rmtree(rest, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="format-", dir=folder.path))
    _write_properties(new / "server.properties", "data", 0, 0)
    cluster_id = base64.urlsafe_b64encode(b"segue" + secrets.token_bytes(11)).decode().rstrip("=")
    jvm = ["-XX:TieredStopAtLevel=1", *(option if option != "lib/*" else "../lib/*" for option in _JVM)]
    done = subprocess.run(
        [java.path, *jvm, "kafka.tools.StorageTool", "format", "-c", "server.properties", "-t", cluster_id],
        cwd=new, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SegueError(f"Kafka cannot format {new}: {first_line(done.stderr or done.stdout)}")
    (new / "data").rename(folder.path / "data")
    shutil.rmtree(new)


def _write_properties(file: Path, data: str, port: int, controller_port: int) -> None:
    file.write_text(
        _PROPERTIES.format(host=ports.LOOPBACK, port=port, controller_port=controller_port, data=data)
    )
