"""What stands open at Kafka, at the store and at the provider where people sign in: they are asked."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, Final

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ConfigResource,
    ConfigResourceType,
    OffsetSpec,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.admin import ACLResourcePatternType as Pattern
from kafka.errors import ClusterAuthorizationFailedError, KafkaError, SecurityDisabledError

from schemas.topics import DAY_MS, DEAD_LETTERS, TOPICS
from streams.access.oidc.claims import check
from streams.access.oidc.provider import Provider, ProviderError, client_secret
from streams.kafka.topics import KafkaUnavailableError, TopicState, admin, topic_states
from streams.production.gap import Gap
from streams.settings import Settings, SettingsError
from streams.store.ask import ask_running
from streams.store.client import StoreUnavailableError

MOST_SECONDS: Final = 5.0
"""How far clocks may be apart: an event is refused from ten minutes ahead on, and ticks are ten seconds."""
MINUTE_MS: Final = 60_000
_WRITING: Final = {ACLOperation.ALL, ACLOperation.WRITE}
_OF_TOPICS: Final = ResourcePatternFilter(ResourceType.TOPIC, None, Pattern.ANY)


def kafka_gaps(settings: Settings) -> Iterator[Gap]:
    """Yield what stands open at Kafka, also that it can't be asked."""
    try:
        with admin(settings) as client:
            there = topic_states(client)
            found = [*_rules(client), *_retention(client, settings, there), *_memory(client, settings, there)]
            found += _clock(client, settings, there)
    except (KafkaError, KafkaUnavailableError) as error:
        found = [Gap("kafka", f"Kafka can't be asked ({error})", "run this where it answers, as who may ask it")]
    yield from found


def _rules(client: KafkaAdminClient) -> Iterator[Gap]:
    everything = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, _OF_TOPICS)
    try:
        rules, _ = client.describe_acls(everything)
    except SecurityDisabledError:
        yield Gap("kafka acl", "Kafka has no access rules: who reaches it may write everything, also incidents",
                  "start it with an authorizer, and see `watchkeeper topics acl`")  # fmt: skip
        return
    except ClusterAuthorizationFailedError:
        return  # whoever may not even see the rules is held to them
    for rule in rules:
        allows = rule.permission_type is ACLPermissionType.ALLOW and rule.operation in _WRITING
        if allows and rule.principal == "User:*":
            name = rule.resource_pattern.resource_name
            yield Gap("kafka acl", f"everybody may write {name}", "take the rule of User:* away")


def _retention(client: KafkaAdminClient, settings: Settings, there: dict[str, TopicState]) -> Iterator[Gap]:
    ends = {
        settings.topic(topic.name): topic for topic in TOPICS if topic.cleanup == "delete" and topic.retention_ms > 0
    }
    names = [name for name in ends if name in there]
    described: dict[str, Any] = {}
    if names:
        described = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, each) for each in names])["topic"]
    for name in names:
        if int(described[name]["retention.ms"]["value"]) < 0:
            wanted = f"retention.ms={ends[name].retention_ms}"
            yield Gap("topic retention", f"{name} is kept for ever",
                      f"`kafka-configs --alter --topic {name} --add-config {wanted}`")  # fmt: skip


def _memory(client: KafkaAdminClient, settings: Settings, there: dict[str, TopicState]) -> Iterator[Gap]:
    """Yield whether a broker forgets what was sent again of refused records before these are gone."""
    name, wanted = settings.topic(DEAD_LETTERS.name), "offsets.retention.minutes"
    if name not in there:
        return
    numbers = [str(each["broker_id"]) for each in client.describe_cluster()["brokers"]]
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, {"retention.ms": None})]
    asked += [ConfigResource(ConfigResourceType.BROKER, number, {wanted: None}) for number in numbers]
    said = client.describe_configs(asked, config_filter="all")
    told = [int(each[wanted]["value"]) for each in said["broker"].values() if wanted in each]
    if not told or not said["topic"][name]:
        return  # whoever may not ask brokers for their settings can't mend them
    kept, minutes = int(said["topic"][name]["retention.ms"]["value"]), min(told)
    if kept < 0 or minutes < kept // MINUTE_MS:
        yield Gap("kafka memory", f"Kafka forgets after {minutes // 1_440} days which refused records were sent again, "
                  f"and {'keeps them for ever' if kept < 0 else f'has them for {kept // DAY_MS}'}",
                  f"set {wanted}={max(kept // MINUTE_MS, 525_600)} for its brokers, and restart them")  # fmt: skip


def _clock(client: KafkaAdminClient, settings: Settings, there: dict[str, TopicState]) -> Iterator[Gap]:
    """Yield whether the clock of a broker is ahead: the newest record that it has stamped is of later than now."""
    stamped = {settings.topic(topic.name) for topic in TOPICS if topic.timestamp == "LogAppendTime"}
    places = [TopicPartition(n, at) for n, state in there.items() if n in stamped for at in range(state.partitions)]
    newest = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.MAX_TIMESTAMP)) if places else {}
    ahead = max((each.timestamp for each in newest.values()), default=0) / 1000 - time.time()
    yield from clock_gap("Kafka", max(ahead, 0))


def store_gaps(settings: Settings) -> Iterator[Gap]:
    """Yield whether the clock of a server is another than ours, also that it can't be asked."""
    if settings.clickhouse.startswith("chdb://"):
        return
    began = time.time()
    try:
        [row] = ask_running(settings, "SELECT toUnixTimestamp64Milli(now64(3)) AS now", {})
    except (StoreUnavailableError, ValueError) as error:
        yield Gap("store", f"the store can't be asked ({error})", "run this where it answers")
        return
    now, ended = int(row["now"]) / 1000, time.time()
    yield from clock_gap("ClickHouse", now - min(max(now, began), ended))


def provider_gaps(settings: Settings) -> Iterator[Gap]:
    """Yield what stands open about sign-in at a provider, which is asked what it says of itself."""
    if not settings.oidc_issuer:
        return
    try:
        check(settings)
        asyncio.run(Provider(settings).begin(settings.public_url, ""))
    except SettingsError as error:
        yield Gap("provider", str(error), "mend the setting; the API does not start with it")
    except ProviderError as error:
        yield Gap("provider", f"nobody can sign in at {settings.oidc_issuer}: {error}", "run this where it answers")
    if not client_secret(settings):
        yield Gap("provider secret", "whoever knows the name of the client may ask the provider as this installation",
                  "make it a client with a secret there, and set WATCHKEEPER_OIDC_CLIENT_SECRET")  # fmt: skip
    if settings.oidc_issuer.startswith("http://"):
        yield Gap("provider tls", "who somebody is travels readable", "name an issuer with https://")
    if not settings.public_url.startswith("https://"):
        yield Gap("provider back", "the provider sends people back to whatever name the console was asked under",
                  "set WATCHKEEPER_PUBLIC_URL to an address with https://")  # fmt: skip


def clock_gap(who: str, ahead: float) -> Iterator[Gap]:
    """Yield whether a clock is too far from ours, by so many seconds.

    >>> [str(each) for each in clock_gap("Kafka", 61.2)]
    ["clock: the clock of Kafka is 61 s ahead of this machine's; have both set by NTP"]
    >>> [*clock_gap("Kafka", 4.9)]
    []
    """
    if abs(ahead) > MOST_SECONDS:
        which = "ahead of" if ahead > 0 else "behind"
        yield Gap("clock", f"the clock of {who} is {abs(ahead):.0f} s {which} this machine's", "have both set by NTP")
