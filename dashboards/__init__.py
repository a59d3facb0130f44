"""Dashboards: named SQL, panels made of it, provisioning. Knows the tables and nothing else of the project.

``python -m dashboards`` writes ``generated/overview.json`` anew; a test fails where it differs.
"""
