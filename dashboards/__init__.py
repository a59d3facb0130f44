"""Dashboards as code: a registry of KPIs, named SQL, and the boards, alerts and runbooks that are made of them.

| file | what |
| --- | --- |
| `registry.py` | the KPIs: title, unit, objective, window, severity, family, owner, runbook |
| `queries/*.sql` | named SQL, one each, shared by panels, rules and tests |
| `rules.py` | the alert rules |
| `boards/*.py` | the panels of each board |
| `runbooks/*.md` | what to do about each alert |
| `panels.py`, `layout.py`, `alerting.py`, `prometheus.py`, `generate.py` | how these become files in `generated/` |
| `variables.py` | what Grafana's front end does with a query before it is sent |
| `grafana/` | the files brought to a Grafana that runs already, compared with it, and asked through it |

`make dashboards` (``python -m dashboards``) writes ``generated/`` anew; a test fails where it differs. This package
knows the tables and nothing else of the project.
"""
