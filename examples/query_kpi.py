"""Ask how often unsafe output was served: python examples/query_kpi.py http://127.0.0.1:8123/ SERVICE FROM TO"""

import sys

import requests

QUERY = """
SELECT value, lower, upper, n, trust, trust_reason
FROM kpis(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step=86400, versions=0, objective=0.99,
    known_at={until:DateTime('UTC')})
WHERE kpi = 'unsafe_served' AND service_name = {service:String} ORDER BY window_start
"""
address, *values = sys.argv[1:]
asked = {f"param_{name}": value for name, value in zip(("service", "since", "until"), values, strict=True)}
answer = requests.post(address, params=asked | {"default_format": "JSON"}, data=QUERY, timeout=40)
for day in answer.json()["data"]:
    print("{value:.2%} ({lower:.2%} to {upper:.2%}) of {n}, {trust} {trust_reason}".format(**day))
