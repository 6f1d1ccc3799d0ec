"""What of a model is written to its folder, and a model made again from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from segue.errors import SegueError
from segue.models import persist

if TYPE_CHECKING:
    from segue.models.base import Recommender

_CATALOGUE = ("track_ids", "artist_ids", "recording_ids", "popularity")
_OWN = "model."
ModelT = TypeVar("ModelT", bound="Recommender[Any]")


def save(model: Recommender[Any], folder: Path) -> None:
    """Write a fitted model into ``folder``: its catalogue's arrays and, with a prefix, its own."""
    manifest = {
        "model": model.name,
        "parameters": model.config.model_dump(mode="json"),
        "versions": persist.versions(model.libraries),
        "data": {"fingerprint": model.fingerprint, "tracks": int(model.track_ids.size)},
    }
    arrays = {name: getattr(model, name) for name in _CATALOGUE}
    persist.write(folder, manifest, arrays | {_OWN + key: value for key, value in model._state().items()})


def load(kind: type[ModelT], folder: Path) -> ModelT:
    """Return the model of this class that was saved in ``folder``.

    Raises
    ------
    SegueError
        If the folder holds no model, another kind of model, or damaged files.
    """
    manifest = persist.read_manifest(folder)
    if manifest["model"] != kind.name:
        raise SegueError(f"{folder} holds the model {manifest['model']!r}, not {kind.name!r}: load that")
    arrays = persist.read_arrays(folder, manifest)
    model = kind(kind.config_type(**manifest["parameters"]))
    try:
        model._catalogue(*(arrays[name] for name in _CATALOGUE))
        model._restore({key.removeprefix(_OWN): value for key, value in arrays.items()})
        model._fingerprint = str(manifest["data"]["fingerprint"])
    except KeyError as error:
        raise SegueError(f"the model in {folder} lacks {error}: fit it again and save it") from None
    return model
