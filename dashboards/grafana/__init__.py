"""Boards, rules, contact points and routes in a Grafana that runs already, through its HTTP API.

| file | what |
| --- | --- |
| `shapes.py` | the committed files in the shapes of the API, and what of an object can be compared; pure |
| `contacts.py` | contact points filled in with addresses and secrets; pure |
| `plan.py` | what is wanted held against what is there: the steps between; pure |
| `server.py` | the calls, through grafana-client |
| `deploy.py` | read, plan, write; or read, plan, show |
| `verify.py` | every query asked through Grafana, and how its rules fare |

What is ours: the two folders, uids that begin with ``watchkeeper-`` in them, contact points with such uids, and the
routes of the root policy that match ``source=watchkeeper``. Nothing else is written.
"""
