"""Ask a service whether it serves."""

from __future__ import annotations

import socket
from typing import Any

import pymongo
from kafka.errors import KafkaError
from pymongo.errors import PyMongoError

from segue.services import topics

_WAIT_S = 3.0


def answers(service: str, address: str) -> bool:
    """Tell whether ``kafka`` (a bootstrap list) or ``mongo`` (``host:port`` or URI) answers a request."""
    return _kafka(address) if service == "kafka" else _mongo(address)


def _kafka(bootstrap: str) -> bool:
    if not any(_listens(address.strip()) for address in bootstrap.split(",")):
        return False
    try:
        with topics.connect(bootstrap) as admin:
            admin.list_topics()
    except KafkaError:
        return False
    return True


def _mongo(address: str) -> bool:
    uri = address if "://" in address else f"mongodb://{address}/"
    try:
        client: pymongo.MongoClient[dict[str, Any]]
        with pymongo.MongoClient(uri, serverSelectionTimeoutMS=int(_WAIT_S * 1000)) as client:
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def _listens(address: str) -> bool:
    """Tell whether something accepts connections at ``host:port``."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_WAIT_S):
            return True
    except (OSError, ValueError):
        return False
