"""Access rules brought to a broker: what is printed as commands, done by our own client."""

from collections.abc import Iterable

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError

from streams.access.rights import Rule
from streams.kafka.topics import KafkaUnavailableError, admin
from streams.settings import Settings


def apply(settings: Settings, given: Iterable[Rule]) -> int:
    """Add rules to those of the broker, and return how many there are; one that is there stays as it is.

    Raises
    ------
    KafkaUnavailableError
        Where no broker answers, or it has no authorizer or does not let this user change rules.
    """
    wanted = [each for rule in given for each in acls(rule)]
    with admin(settings) as client:
        try:
            made = client.create_acls(wanted)
        except KafkaError as error:
            raise KafkaUnavailableError(f"the broker took no access rules: {error}") from None
    if failed := made["failed"]:
        raise KafkaUnavailableError(f"the broker refused {len(failed)} of {len(wanted)} access rules: {failed[0]}")
    return len(wanted)


def acls(rule: Rule) -> list[ACL]:
    """Return a rule in the words of the client, one for each operation."""
    kind, pattern = ResourceType[rule.resource.upper()], ACLResourcePatternType[rule.pattern.upper()]
    words = {"DescribeConfigs": "DESCRIBE_CONFIGS", "AlterConfigs": "ALTER_CONFIGS"}
    return [
        ACL(rule.principal, "*", ACLOperation[words.get(each, each.upper())], ACLPermissionType.ALLOW,
            ResourcePattern(kind, rule.name, pattern))
        for each in rule.operations
    ]  # fmt: skip
