"""The KPIs: what they are (`registry`), over a period (`show`, `page`), and the policy they are held against."""
