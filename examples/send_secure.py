"""Send over TLS with a user and a password: KAFKA_PASSWORD=... python examples/send_secure.py BROKER CA_FILE"""

import os
import sys

from schemas.emitter import Emitter

emitter = Emitter.to_kafka(
    sys.argv[1],
    source="shop/assistant",
    service_name="assistant",
    security_protocol="SASL_SSL",
    ssl_cafile=sys.argv[2],
    sasl_mechanism="PLAIN",  # or SCRAM-SHA-512; all options of kafka-python's KafkaProducer
    sasl_plain_username="assistant",
    sasl_plain_password=os.environ["KAFKA_PASSWORD"],
)
if problem := emitter.check().problem:
    sys.exit(problem)
emitter.inference(session_id="s1", request_model="gpt-4o")
emitter.close()
