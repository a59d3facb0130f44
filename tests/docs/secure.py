"""A broker that wants TLS and a password of everybody who does not sit beside it."""

from streams.local.broker import Broker
from streams.local.ports import free_port
from tests.support.authority import Authority

PASSWORD = "open-sesame"  # noqa: S105  of the test alone

DOOR = """
listeners={plain},SECURE://127.0.0.1:{port}
advertised.listeners=PLAINTEXT://127.0.0.1:{own},SECURE://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
listener.name.secure.sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_assistant="{password}";
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={key}
"""


class SecureBroker(Broker):
    """As the other, with a second door; `secure` is its address, `authority` the file of who signed for it."""

    def __init__(self, data_dir):
        super().__init__(data_dir)
        self._secure_port = free_port()
        self.secure = f"127.0.0.1:{self._secure_port}"
        self.authority = self.data_dir / "authority.pem"
        self.signer = None

    def _configure(self):
        config = super()._configure()
        self.signer = self.signer or Authority(self.data_dir)  # whoever trusted it before a restart still does
        certificate, key = self.signer.signed("broker")
        both = self.data_dir / "both.pem"
        both.write_text(key.read_text() + certificate.read_text())
        [plain] = [line for line in config.read_text().splitlines() if line.startswith("listeners=")]
        door = DOOR.format(
            plain=plain.partition("=")[2], port=self._secure_port, own=self.port, password=PASSWORD, key=both
        )
        config.write_text(config.read_text() + door)
        return config
