"""The README says what is true."""

from pathlib import Path

from streams.settings import Settings

README = (Path(__file__).parents[1] / "README.md").read_text()


def settings_table() -> str:
    """Return the table of settings as the README must have it."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.default.get_secret_value() if hasattr(field.default, "get_secret_value") else field.default
        meaning = " ".join((field.description or "").split())
        lines.append(f"| `WATCHKEEPER_{name.upper()}` | `{default}` | {meaning} |")
    return "\n".join(lines)


def test_every_setting_is_in_the_table():
    """The table of settings is the one that the code would write."""
    assert settings_table() in README
