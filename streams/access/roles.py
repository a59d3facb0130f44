"""Who may ask for what: every route with the roles that may use it; one that is not here is nobody's.

``python -m streams.access.roles`` writes the table to ``docs/roles.md``.
"""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

Role = Literal["viewer", "responder", "reviewer", "analyst", "auditor", "admin", "service"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
MEANS: Final[dict[Role, str]] = {
    "viewer": "sees incidents, services, KPIs, findings and changes",
    "responder": "does something about incidents, tickets and changes, and asks for controls",
    "reviewer": "judges items of the review queue, and sees their texts",
    "analyst": "sees what a viewer sees and what labels say, and judges tickets",
    "auditor": "sees what a viewer sees, and who asked and did what",
    "admin": "may do everything",
    "service": "is a machine, which tells of changes and alerts",
}

_LOOK: Final[tuple[Role, ...]] = ("viewer", "responder", "reviewer", "analyst", "auditor")
_ACT: Final[tuple[Role, ...]] = ("responder",)
_JUDGE: Final[tuple[Role, ...]] = ("reviewer",)
_SORT: Final[tuple[Role, ...]] = ("responder", "analyst")

ALLOWED: Final[dict[str, tuple[Role, ...]]] = {
    "GET /incidents": (*_LOOK, "service"),
    "GET /incidents/{incident_id}": (*_LOOK, "service"),
    "GET /incidents/{incident_id}/view": _LOOK,
    "GET /incidents/{incident_id}/page": _LOOK,
    "POST /incidents/{incident_id}/{action}": _ACT,
    "POST /alerts": ("service",),
    "POST /changes": (*_ACT, "service"),
    "POST /controls": _ACT,
    "POST /triage": _SORT,
    "POST /erasures": (),
    "POST /policies": (),
    "GET /approvals": _LOOK,
    "POST /approvals/{request_id}/{decision}": _SORT,
    "GET /review/next": _JUDGE,
    "POST /review/labels": _JUDGE,
    "GET /review/stats": _LOOK,
    "GET /review/whatif": _LOOK,
    "GET /audit": ("auditor",),
    "GET /audit/heads": ("auditor",),
    "GET /console/": _LOOK,
    "GET /console/live": _LOOK,
    "GET /console/incidents": _LOOK,
    "GET /console/incidents.csv": _LOOK,
    "GET /console/incidents/{incident_id}": _LOOK,
    "POST /console/incidents/{incident_id}/control": _ACT,
    "POST /console/incidents/{incident_id}/{kind}": _ACT,
    "GET /console/review": _JUDGE,
    "POST /console/review": _JUDGE,
    "GET /console/review/disagreements": _JUDGE,
    "GET /console/findings": _LOOK,
    "POST /console/findings": _SORT,
    "GET /console/backtest": _LOOK,
    "POST /console/backtest": _SORT,
    "POST /console/backtest/{number}/cancel": _SORT,
    "GET /console/telemetry": _LOOK,
    "POST /console/telemetry/letters": _ACT,
    "GET /console/services/{name:path}": _LOOK,
    "GET /console/versions/{name:path}": _LOOK,
    "GET /console/kpis": _LOOK,
    "GET /console/changes": _LOOK,
    "GET /console/approvals": _LOOK,
    "POST /console/approvals/{request_id}/{decision}": _SORT,
    "POST /console/sign-out": _LOOK,
}
"""Roles by method and path; `admin` is among them without being named."""

About = Literal["its own", "said", "listed", "all", "none"]
ABOUT_WORDS: Final[dict[About, str]] = {
    "its own": "what it names belongs to services, and is unknown to whoever sees none of them",
    "said": "what is sent names the services, and all of them have to be one's own",
    "listed": "it shows what belongs to one's own services",
    "all": "it is about all services, and refused to whoever sees those of some teams alone",
    "none": "it is about no service",
}

ABOUT: Final[dict[str, About]] = {
    "GET /incidents": "listed",
    "GET /incidents/{incident_id}": "its own",
    "GET /incidents/{incident_id}/view": "its own",
    "GET /incidents/{incident_id}/page": "its own",
    "POST /incidents/{incident_id}/{action}": "its own",
    "POST /alerts": "all",
    "POST /changes": "said",
    "POST /controls": "said",
    "POST /triage": "said",
    "POST /erasures": "all",
    "POST /policies": "all",
    "GET /approvals": "listed",
    "POST /approvals/{request_id}/{decision}": "its own",
    "GET /review/next": "listed",
    "POST /review/labels": "its own",
    "GET /review/stats": "listed",
    "GET /review/whatif": "listed",
    "GET /audit": "all",
    "GET /audit/heads": "all",
    "GET /console/": "listed",
    "GET /console/live": "listed",
    "GET /console/incidents": "listed",
    "GET /console/incidents.csv": "listed",
    "GET /console/incidents/{incident_id}": "its own",
    "POST /console/incidents/{incident_id}/control": "its own",
    "POST /console/incidents/{incident_id}/{kind}": "its own",
    "GET /console/review": "listed",
    "POST /console/review": "its own",
    "GET /console/review/disagreements": "listed",
    "GET /console/findings": "listed",
    "POST /console/findings": "said",
    "GET /console/backtest": "listed",
    "POST /console/backtest": "listed",
    "POST /console/backtest/{number}/cancel": "its own",
    "GET /console/telemetry": "listed",
    "POST /console/telemetry/letters": "all",
    "GET /console/services/{name:path}": "its own",
    "GET /console/versions/{name:path}": "its own",
    "GET /console/kpis": "listed",
    "GET /console/changes": "listed",
    "GET /console/approvals": "listed",
    "POST /console/approvals/{request_id}/{decision}": "its own",
    "POST /console/sign-out": "none",
}
"""Which services a route is about, for whoever sees those of some teams alone."""

OPEN: Final = (
    "GET /console/sign-in", "POST /console/sign-in", "POST /console/sign-in/provider", "GET /console/sign-in/return",
)  # fmt: skip
"""Routes that nobody has to be signed in for."""


def route_of(scope: MutableMapping[str, Any]) -> str:
    """Return the route of an ASGI request: method and template, as the table names it; empty where there is none."""
    path = getattr(scope.get("route"), "path", None)
    return f"{scope['method'][:16]} {scope.get('root_path', '')}{path}" if path else ""


def may(roles: tuple[Role, ...], route: str) -> bool:
    """Tell whether somebody with some roles may use a route.

    >>> may(("viewer",), "GET /incidents"), may(("viewer",), "POST /controls"), may(("admin",), "POST /controls")
    (True, False, True)
    >>> may(("admin",), "GET /of-nobody")
    False
    """
    return route in ALLOWED and ("admin" in roles or any(role in ALLOWED[route] for role in roles))


def wanted(route: str) -> str:
    """Return the roles that a route takes, in words."""
    return " or ".join((*ALLOWED.get(route, ()), "admin"))


def page() -> str:
    """Return the table as a page of the documentation."""
    lines = [
        "# Who may ask for what",
        "",
        "How people and machines get roles is in [deploy](deploy.md#who-may).",
        "",
        *(f"- **{role}** {text}." for role, text in MEANS.items()),
        "",
        "Whoever sees the services of some [teams](deploy.md#teams) alone may use the same routes. Of which services:",
        "",
        *(f"- *{about}*: {text}." for about, text in ABOUT_WORDS.items()),
        "",
        f"| route | {' | '.join(ROLES)} | services |",
        f"| --- |{' --- |' * len(ROLES)} --- |",
    ]
    lines += [
        f"| `{route}` | {' | '.join('yes' if may((role,), route) else '' for role in ROLES)} | {ABOUT[route]} |"
        for route in ALLOWED
    ]
    return "\n".join(
        (*lines, "", f"For everybody: {', '.join(f'`{route}`' for route in OPEN)}, `GET /openapi.json`.", "")
    )


if __name__ == "__main__":
    (Path(__file__).parents[2] / "docs" / "roles.md").write_text(page())
