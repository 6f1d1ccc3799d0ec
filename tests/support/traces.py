"""Where anything of somebody is left in a document store."""

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from segue.store.personal import PREFIX


def traces(uri: str, text: str, *, in_database: str = "") -> set[str]:
    """Return the collections in which a document holds ``text``, in whatever field, packed or not."""
    found = set()
    with MongoClient(uri, document_class=RawBSONDocument) as client:
        names = [name for name in client.list_database_names() if name.startswith(in_database or PREFIX)]
        for database in names:
            for collection in client[database].list_collection_names():
                for document in client[database][collection].find().batch_size(1_000):
                    if text.encode() in document.raw:
                        found.add(f"{database}.{collection}")
    return found
