"""``segue player``: what may be wrong is found before the large libraries load."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from segue.pipeline.run import current_run
from segue.player.binding import check_host
from segue.settings import Settings
from segue.store.accounts import open_accounts

NOTEBOOK = "05_player.ipynb"


def serve(
    settings: Settings, notebook: Path | None = None, limits: Mapping[str, float] | None = None
) -> None:
    """Serve the player until SIGINT or SIGTERM.

    Parameters
    ----------
    settings
        Address, port, stores and folders.
    notebook
        The notebook that is the page; by default the fifth of the pipeline.
    limits
        Other values for the numbers of `segue.player.kernels.PlayerKernels`.

    Raises
    ------
    UsageError
        If the address may not be listened on with this store.
    SegueError
        If the port, the store or a finished run is not to be had.
    """
    with (
        closing(open_accounts(settings.mongo_uri)) as accounts,
        tempfile.TemporaryDirectory(prefix="segue-player-") as folder,
    ):
        check_host(settings.player_host, embedded=accounts.is_embedded())
        current_run(settings)
        isolate(settings)
        from segue.player.server import PlayerApp

        app = PlayerApp(settings, accounts, notebook or _page(), folder, limits or {})
        app.initialize([])
        app.start()


def _page() -> Path:
    from segue.pipeline.stages import notebooks_folder

    return notebooks_folder() / NOTEBOOK


def isolate(settings: Settings) -> None:
    """Keep a person's own Jupyter and IPython settings and extensions out of server and kernels."""
    own = settings.var / "player" / "jupyter"
    for name in ("config", "data", "ipython"):
        (own / name).mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "JUPYTER_CONFIG_DIR": str(own / "config"),
        "JUPYTER_DATA_DIR": str(own / "data"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(own / "ipython"),
    }
    for name in (
        "JUPYTER_PATH",
        "JUPYTER_CONFIG_PATH",
        "JUPYTER_TOKEN",
        "JUPYTER_TOKEN_FILE",
        "JUPYTER_RUNTIME_DIR",
    ):
        os.environ.pop(name, None)
