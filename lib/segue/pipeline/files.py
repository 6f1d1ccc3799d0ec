"""Write files and links whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Return a JSON file's value, or None if the file is not there."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def link(source: Path, target: Path) -> None:
    """Give a file a second name; where the disk has no hard links, copy it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def point(name: Path, target: Path) -> None:
    """Make the symbolic link ``name`` point to ``target``, a sibling, in one step."""
    part = name.with_name(f".{name.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    part.symlink_to(target.name)
    part.replace(name)


def state(root: Path) -> dict[str, tuple[int, int, int]]:
    """Return every file under ``root`` by relative path: inode, size and modification time in ns."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            stat = path.lstat()
            found[path.relative_to(root).as_posix()] = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return found
