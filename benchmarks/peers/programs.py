"""Peers that run as programs of their own: Essentia (Python) and bliss-audio (Rust)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Self

_HERE = Path(__file__).parent
_CARGO_S = 900


class Essentia:
    """A process with Essentia that stays, so that its start-up is not counted."""

    def __init__(self, python: str) -> None:
        command = [python, str(_HERE / "essentia_extractor.py")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    @classmethod
    def found(cls, python: str | None) -> Self | str:
        """Return the peer, run by ``python`` or this process's own, or why there is none."""
        python = python or os.environ.get("SEGUE_ESSENTIA_PYTHON") or sys.executable
        known = subprocess.run([python, "-c", "import essentia"], capture_output=True, check=False)
        if known.returncode:
            return (
                f"Essentia left out: {python} cannot import it. pip install essentia into an environment "
                "and name its python by --essentia-python or SEGUE_ESSENTIA_PYTHON"
            )
        return cls(python)

    def __call__(self, path: str) -> float:
        """Return the milliseconds of the processor that one file takes."""
        assert self._process.stdin
        assert self._process.stdout
        print(path, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"Essentia ended with status {self._process.wait()} on {path}")
        return float(answer)

    def close(self) -> None:
        self._process.communicate()


class Bliss:
    """The program of ``bliss/``, run once for each file."""

    def __init__(self, program: Path) -> None:
        self._program = str(program)
        self._start_ms = min(self._run() for _ in range(5))

    @classmethod
    def found(cls, build: bool) -> Self | str:
        """Return the peer, built by cargo if ``build`` and it is not yet, or why there is none."""
        program = _HERE / "bliss" / "target" / "release" / "bliss-peer"
        if not program.exists() and build and (cargo := shutil.which("cargo")):
            print("building bliss-audio with cargo, some minutes, once", flush=True)
            manifest = str(_HERE / "bliss" / "Cargo.toml")
            subprocess.run(
                [cargo, "build", "--release", "--quiet", "--manifest-path", manifest],
                check=True, timeout=_CARGO_S,
            )  # fmt: skip
        if program.exists():
            return cls(program)
        return "bliss-audio left out: it is not built; run without --quick where cargo is on the PATH"

    def __call__(self, path: str) -> float:
        """Return the milliseconds of the processor that one file takes, less those of an empty run."""
        return self._run(path) - self._start_ms

    def _run(self, *paths: str) -> float:
        process = subprocess.Popen([self._program, *paths], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"bliss-audio ended with status {process.returncode} on {paths}")
        return 1_000 * (used.ru_utime + used.ru_stime)
