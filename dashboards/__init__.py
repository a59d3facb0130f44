"""Dashboards as code: named SQL, and the boards, alerts and runbooks that are made of it and of `schemas.kpis`.

| file | what |
| --- | --- |
| `queries/*.sql` | named SQL, one each, shared by panels, rules and tests |
| `rules.py` | the alert rules |
| `boards/*.py` | the panels of each board |
| `runbooks/*.md` | what to do about each alert |
| `panels.py`, `layout.py`, `alerting.py`, `prometheus.py`, `generate.py` | how these become files in `generated/` |
| `reference.py` | ``docs/kpis.md``, the page about KPIs and rules |
| `variables.py` | what Grafana's front end does with a query before it is sent |
| `grafana/` | the files brought to a Grafana that runs already, compared with it, and asked through it |

`make dashboards` (``python -m dashboards``) writes ``generated/`` and ``docs/kpis.md`` anew; a test fails where they
differ. This package knows the tables and the KPIs, and nothing else of the project.
"""
