"""A Spark standalone cluster on this machine, from the PySpark that is installed."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyspark


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(log: Path, text: str, count: int = 1) -> None:
    deadline = time.monotonic() + 60
    while not log.exists() or log.read_text().count(text) < count:
        assert time.monotonic() < deadline, f"no {text!r} in {log}"
        time.sleep(0.1)


@dataclass
class Cluster:
    master: str
    processes: list[subprocess.Popen] = field(default_factory=list)

    def kill_worker(self, number: int) -> None:
        """kill -9 a worker; its executors see the connection close and end themselves."""
        self.processes[1 + number].kill()


@contextmanager
def spark_cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    folder.mkdir(parents=True)
    spark_class = Path(pyspark.__file__).parent / "bin" / "spark-class"
    port = free_port()
    cluster = Cluster(f"spark://127.0.0.1:{port}")

    def launch(name: str, *arguments: str) -> None:
        with (folder / f"{name}.log").open("w") as log:
            cluster.processes.append(
                subprocess.Popen([spark_class, *arguments], stdout=log, stderr=log, cwd=folder)
            )

    try:
        launch(
            "master", "org.apache.spark.deploy.master.Master",
            "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0",
        )  # fmt: skip
        wait_for(folder / "master.log", "I have been elected leader")
        for number in range(workers):
            launch(
                f"worker{number}", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1",
                "--webui-port", "0", "--cores", "1", "--memory", "1g",
                "--work-dir", str(folder / "work"), cluster.master,
            )  # fmt: skip
        wait_for(folder / "master.log", "Registering worker", workers)
        yield cluster
    finally:
        for process in reversed(cluster.processes):
            process.kill()
            process.wait()
