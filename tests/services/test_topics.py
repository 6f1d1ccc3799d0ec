import pytest
from kafka.admin import ConfigResource

from segue.services import topics, up
from segue.settings import Settings

pytestmark = pytest.mark.slow

_DAY_MS = 86_400_000


def _found(settings: Settings) -> dict[str, tuple[int, int]]:
    """Return the partitions and the retention in ms of each topic."""
    with topics.connect(settings.kafka_bootstrap) as admin:
        counts = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
        names = [topics.PLAYS, topics.REJECTED, topics.RECOMMENDATIONS]
        configs = admin.describe_configs([ConfigResource("TOPIC", name, ["retention.ms"]) for name in names])
        return {name: (counts[name], int(configs["topic"][name]["retention.ms"]["value"])) for name in names}


def test_topics_have_their_partitions_and_retention(services: Settings) -> None:
    assert _found(services) == {
        "segue.plays": (8, 30 * _DAY_MS),
        "segue.plays.rejected": (1, 30 * _DAY_MS),
        "segue.recommendations": (8, 30 * _DAY_MS),
    }


def test_retention_follows_the_settings_and_partitions_stay(services: Settings) -> None:
    said: list[str] = []
    changed = services.model_copy(update={"retention_days": 7, "plays_partitions": 12})
    try:
        up(changed, said.append)
        assert _found(changed)["segue.plays"] == (8, 7 * _DAY_MS)
        assert "kafka: segue.plays keeps its 8 partitions, the settings say 12" in said
    finally:
        up(services, said.append)
    assert _found(services)["segue.plays"] == (8, 30 * _DAY_MS)


def test_topics_of_anothers_kafka_are_not_changed(services: Settings) -> None:
    changed = services.model_copy(update={"retention_days": 7})
    topics.ensure(changed, own=False)
    assert _found(services)["segue.plays"] == (8, 30 * _DAY_MS)
