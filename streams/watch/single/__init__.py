"""Single events and traces, looked at one by one."""
