"""A broker that asks everybody who does not sit beside it for a password, and lets them do what rules allow."""

from kafka import KafkaAdminClient
from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from streams.access.rights import of_workers, rules
from streams.kafka.rules import acls, apply
from streams.kafka.topics import create_topics
from streams.settings import load
from tests.docs.secure import SecureBroker
from tests.support.waiting import wait_until

_OF_ALL = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
PASSWORD = "open-sesame-too"  # noqa: S105  of the test alone

RULES = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secure.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


class GuardedBroker(SecureBroker):
    """As the other, with SCRAM and Kafka's authorizer; whoever sits beside it may do everything."""

    def _configure(self):
        config = super()._configure()
        config.write_text(config.read_text() + RULES)
        return config

    def opened(self, others, **more):
        """Start it with topics, the users of workers and of others, and their rules; return the settings."""
        self.start()
        settings = load(kafka=self.address, **more)
        create_topics(settings)
        self.allow(rules(settings, of_workers(settings) | others))
        return settings

    def allow(self, rules):
        """Make the users of rules, apply the rules, and wait until the broker has heard of them."""
        client = KafkaAdminClient(bootstrap_servers=self.address)
        names = sorted({rule.principal.removeprefix("User:") for rule in rules})
        made = [UserScramCredentialUpsertion(name, ScramMechanism.SCRAM_SHA_512, PASSWORD) for name in names]
        assert not any(client.alter_user_scram_credentials(made).values())
        given = [acl for rule in rules for acl in acls(rule)]
        assert apply(load(kafka=self.address), rules) == len(given)
        everything = ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, _OF_ALL)
        wait_until(lambda: set(map(str, given)) <= set(map(str, client.describe_acls(everything)[0])))
        client.close()

    def set_password(self, user, password, kind=ScramMechanism.SCRAM_SHA_512):
        """Give a user another password."""
        client = KafkaAdminClient(bootstrap_servers=self.address)
        made = UserScramCredentialUpsertion(user, kind, password)
        assert not any(client.alter_user_scram_credentials([made]).values())
        client.close()

    def settings_of(self, settings, name):
        """Return the settings of a user of the broker."""
        return settings.model_copy(
            update={
                "kafka": self.secure, "kafka_security": "SASL_SSL", "kafka_username": name,
                "kafka_password": type(settings.kafka_password)(PASSWORD), "kafka_ca_file": self.authority,
            }
        )  # fmt: skip
