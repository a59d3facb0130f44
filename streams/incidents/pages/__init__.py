"""An incident as people see it: page, report, table."""
