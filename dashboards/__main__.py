"""Write the generated boards and alerting files anew."""

from dashboards.generate import write

write()
