"""A broker that asks everybody who does not sit beside it for a certificate, and knows by it who they are."""

from tests.docs.secure import SecureBroker
from tests.real.guarded import GuardedBroker

CERTIFICATES = """
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SSL
listener.name.secure.ssl.client.auth=required
listener.name.secure.ssl.truststore.type=PEM
listener.name.secure.ssl.truststore.location={authority}
listener.name.secure.ssl.principal.mapping.rules=RULE:^CN=([^,]+)$/$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=false
"""


class CertifiedBroker(GuardedBroker):
    """As the other, with certificates in the place of passwords."""

    def _configure(self):
        config = SecureBroker._configure(self)
        ours = CERTIFICATES.format(authority=self.authority)
        replaced = {line.partition("=")[0] for line in ours.split()}
        kept = [line for line in config.read_text().splitlines() if line.partition("=")[0] not in replaced]
        config.write_text("\n".join(kept) + ours)
        return config

    def settings_of(self, settings, name, authority=None, **more):
        """Return the settings of somebody with a certificate, of another authority if one is given."""
        signed = (authority or self.signer).signed(name, **more)
        return settings.model_copy(
            update={"kafka": self.secure, "kafka_security": "SSL", "kafka_ca_file": self.authority,
                    "kafka_cert_file": signed[0], "kafka_key_file": signed[1]}
        )  # fmt: skip
