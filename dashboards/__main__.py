"""Write the generated dashboards anew."""

import json
from pathlib import Path

from dashboards.overview import board

(Path(__file__).with_name("generated") / "overview.json").write_text(json.dumps(board(), indent=1) + "\n")
