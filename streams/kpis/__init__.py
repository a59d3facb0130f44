"""The KPIs of `schemas.kpis` over a period (`period`, `show`, `page`), and the policy they are held against."""
