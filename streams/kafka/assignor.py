"""How a group shares partitions out: those of one number stay together, whatever the topic."""

from collections import defaultdict
from collections.abc import Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata


class TogetherAssignor(AbstractPartitionAssignor):
    """Gives partition n of every topic to the same member.

    Incidents follow from several topics of one partition: who reads the findings must read the actions too, or two
    workers each know half of them.
    """

    name = "together"
    version = 0

    @classmethod
    def assign(
        cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Return the partitions of each member, by its id."""
        names = sorted(members)
        shares: dict[str, dict[str, list[int]]] = {name: defaultdict(list) for name in names}
        for topic in sorted({topic for member in members.values() for topic in member.subscription}):
            for number in sorted(cluster.partitions_for_topic(topic) or ()):
                shares[names[number % len(names)]][topic].append(number)
        return {
            name: ConsumerProtocolMemberAssignment(cls.version, sorted(share.items()), b"")
            for name, share in shares.items()
        }

    @classmethod
    def metadata(cls, topics: set[str]) -> ConsumerProtocolMemberMetadata:
        """Return what a member says of itself."""
        return ConsumerProtocolMemberMetadata(cls.version, sorted(topics), b"")

    @classmethod
    def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Do nothing: the rule has no memory."""
