"""Grafana's HTTP API, through grafana-client: what is there, and one call for each step.

Every refusal becomes one line that says what to do. Two kinds: what a person must mend (`GrafanaError`), and what may
be over when asked again (`GrafanaUnavailableError`).
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from grafana_client import GrafanaApi
from grafana_client.client import GrafanaException

from dashboards.grafana.plan import Found, Step
from dashboards.grafana.shapes import ALERTS_FOLDER, BOARDS_FOLDER, FOLDERS, POLICY, PREFIX, Item, Object
from dashboards.panels import TYPE, UID

SECONDS: Final = 30.0
OLDEST_GRAFANA: Final = (11, 6)
OLDEST_PLUGIN: Final = (4, 0)
"""The first ClickHouse plugin with the query fields that panels have."""


class GrafanaError(ValueError):
    """Grafana refuses, or is not as it must be; the message says what to do."""


class GrafanaUnavailableError(RuntimeError):
    """Grafana does not answer, or fails."""


class Server:
    """One Grafana.

    Parameters
    ----------
    url
        Where it is, with its path if it has one.
    token
        Token of a service account with the role Admin.

    Raises
    ------
    GrafanaError
        Where one of them cannot be used.
    """

    def __init__(self, url: str, token: str) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise GrafanaError(f"WATCHKEEPER_GRAFANA_URL must be http(s)://HOST, not {url!r}")
        if not token:
            raise GrafanaError("set WATCHKEEPER_GRAFANA_TOKEN to a token of a service account with the role Admin")
        self._url: Final = url
        self._api: Final[Any] = GrafanaApi.from_url(url.rstrip("/") + "/", credential=token, timeout=SECONDS)

    def check(self) -> None:
        """Refuse a Grafana that is too old, or has no plugin for ClickHouse or one that is too old."""
        about = self._call(self._api.client.GET, "/frontend/settings")
        version = about.get("buildInfo", {}).get("version", "") if isinstance(about, dict) else ""
        if not version:
            raise GrafanaError(f"what answers at {self._url} is no Grafana; set WATCHKEEPER_GRAFANA_URL")
        if _numbers(version) < OLDEST_GRAFANA:
            raise GrafanaError(f"Grafana at {self._url} is {version}: 11.6 or newer is needed")
        plugins = {plugin["id"]: plugin["info"]["version"] for plugin in self._call(self._api.plugin.list)}
        if TYPE not in plugins:
            raise GrafanaError(f"Grafana at {self._url} has no plugin {TYPE}: grafana cli plugins install {TYPE}")
        if _numbers(plugins[TYPE]) < OLDEST_PLUGIN:
            raise GrafanaError(f"the plugin {TYPE} is {plugins[TYPE]}: 4.0 or newer is needed")

    def read(self, wanted: list[Item]) -> Found:
        """Return what is there of the kinds that are wanted, ours or not.

        Raises
        ------
        GrafanaError
            Where another folder has the title of one of ours.
        """
        found = {("folder", uid): folder for uid in FOLDERS if (folder := self._get(self._api.folder.get_folder, uid))}
        self._check_titles([uid for uid in FOLDERS if ("folder", uid) not in found])
        if source := self._get(self._api.datasource.get_datasource_by_uid, UID):
            found["data source", UID] = source
        found |= {("board", uid): board for uid, board in self._boards(wanted, found)}
        provisioning = self._api.alertingprovisioning
        found |= {("contact point", point["uid"]): point for point in self._call(provisioning.get_contactpoints)}
        found["policy", POLICY] = self._call(provisioning.get_notification_policy_tree)
        for rule in self._call(provisioning.get_alertrules_all):
            if rule["folderUID"] == ALERTS_FOLDER:
                found["rule", rule["uid"]] = rule
        for item in wanted:
            if item.kind == "rule group" and (group := self._get(provisioning.get_rule_group, ALERTS_FOLDER, item.uid)):
                found["rule group", item.uid] = group
        return found

    def apply(self, step: Step) -> None:
        """Make the call of a step; what is gone already is removed."""
        uid, body, api, rules = step.uid, step.body, self._api, self._api.alertingprovisioning
        calls: dict[tuple[str, str], Callable[[], Any]] = {
            ("folder", "create"): lambda: api.folder.create_folder(body["title"], uid=uid),
            ("folder", "change"): lambda: api.folder.update_folder(uid, title=body["title"], overwrite=True),
            ("data source", "create"): lambda: api.datasource.create_datasource(body),
            ("data source", "change"): lambda: api.datasource.update_datasource_by_uid(uid, body),
            ("board", "create"): lambda: api.dashboard.update_dashboard(body),
            ("board", "change"): lambda: api.dashboard.update_dashboard(body),
            ("board", "remove"): lambda: api.dashboard.delete_dashboard(uid),
            ("contact point", "create"): lambda: rules.create_contactpoint(body),
            ("contact point", "change"): lambda: rules.update_contactpoint(uid, body),
            ("contact point", "remove"): lambda: rules.delete_contactpoint(uid),
            ("policy", "change"): lambda: self._put_policy(body),
            ("rule group", "create"): lambda: rules.update_rule_group(ALERTS_FOLDER, uid, body),
            ("rule group", "change"): lambda: rules.update_rule_group(ALERTS_FOLDER, uid, body),
            ("rule", "remove"): lambda: rules.delete_alertrule(uid),
        }
        call = calls[step.kind, step.action]
        try:
            (self._get if step.action == "remove" else self._call)(call)
        except (GrafanaError, GrafanaUnavailableError) as error:
            raise type(error)(f"could not {step.action} {step.kind} {uid}: {error}") from None

    def health(self) -> str:
        """Return what is wrong with the data source; nothing where it answers."""
        try:
            said = self._call(self._api.datasource.health, UID)
        except (GrafanaError, GrafanaUnavailableError) as error:
            return str(error)
        return "" if said["status"] == "OK" else said["message"]

    def query(self, queries: list[Object], since: int, until: int) -> dict[str, Object]:
        """Return the results of queries by their names; a failed one has an ``error``.

        Parameters
        ----------
        queries
            As panels have them, each with a data source.
        since, until
            The time that is asked about, in Unix milliseconds.
        """
        body = {"queries": queries, "from": str(since), "to": str(until)}
        try:
            said = self._raw(self._api.client.POST, "/ds/query", json=body)
        except GrafanaException as error:
            if error.status_code in (401, 403, 404):
                raise self._refused(error) from None
            said = error.response
            if not isinstance(said, dict) or "results" not in said:
                said = {"results": {query["refId"]: {"error": error.message} for query in queries}}
        results: dict[str, Object] = said["results"]
        return results

    def rules(self) -> list[Object]:
        """Return what Grafana says of each rule in our folder: name, state, health, lastError."""
        said = self._call(self._api.client.GET, "/prometheus/grafana/api/v1/rules")
        ours = (ALERTS_FOLDER, FOLDERS[ALERTS_FOLDER])
        groups = [group for group in said["data"]["groups"] if group.get("folderUid", group["file"]) in ours]
        return [rule for group in groups for rule in group["rules"]]

    def _boards(self, wanted: list[Item], found: Found) -> Iterator[tuple[str, Object]]:
        uids = {item.uid for item in wanted if item.kind == "board"}
        if ("folder", BOARDS_FOLDER) in found:
            search = self._api.search.search_dashboards
            there = self._call(search, type_="dash-db", folder_uids=[BOARDS_FOLDER], limit=5_000)
            uids |= {board["uid"] for board in there if board["uid"].startswith(PREFIX)}
        for uid in sorted(uids):
            if board := self._get(self._api.dashboard.get_dashboard, uid):
                yield uid, {"dashboard": board["dashboard"], "folderUid": board["meta"].get("folderUid")}

    def _check_titles(self, missing: list[str]) -> None:
        if not missing:
            return
        taken = {folder["title"]: folder["uid"] for folder in self._call(self._api.folder.get_all_folders)}
        for title in (FOLDERS[uid] for uid in missing):
            if title in taken:
                raise GrafanaError(
                    f"a folder {title!r} is there that is not ours (its uid is {taken[title]}): somebody's own, or "
                    "provisioned from files; rename or remove it"
                )

    def _put_policy(self, tree: Object) -> Any:
        """Put the policy tree; one that could be edited stays so, also for those whose routes stand beside ours."""
        put = self._api.alertingprovisioning.set_notification_policy_tree
        return put(tree, disable_provenance=not tree.get("provenance"))

    def _get(self, call: Callable[..., Any], *given: Any) -> Any:
        """Return what a call answers; None where the thing is not there."""
        try:
            return self._raw(call, *given)
        except GrafanaException as error:
            if error.status_code == 404:
                return None
            raise self._refused(error) from None

    def _call(self, call: Callable[..., Any], *given: Any, **more: Any) -> Any:
        try:
            return self._raw(call, *given, **more)
        except GrafanaException as error:
            raise self._refused(error) from None

    def _raw(self, call: Callable[..., Any], *given: Any, **more: Any) -> Any:
        try:
            return call(*given, **more)
        except ValueError:
            raise GrafanaError(f"what answers at {self._url} is no Grafana; set WATCHKEEPER_GRAFANA_URL") from None
        except OSError as error:  # what the HTTP library below raises
            reason = type(error).__name__
            raise GrafanaUnavailableError(f"Grafana at {self._url} does not answer ({reason})") from None

    def _refused(self, error: GrafanaException) -> GrafanaError | GrafanaUnavailableError:
        said = error.response.get("message", "") if isinstance(error.response, dict) else error.message
        if error.status_code == 401:
            return GrafanaError(f"Grafana at {self._url} does not know the token: set WATCHKEEPER_GRAFANA_TOKEN")
        if error.status_code == 403:
            return GrafanaError(f"Grafana forbids it ({said}): the token's service account needs the role Admin")
        if not error.status_code or error.status_code >= 500:
            return GrafanaUnavailableError(f"Grafana at {self._url} fails ({error.message})")
        return GrafanaError(f"Grafana refuses ({error.status_code}: {said})")


def _numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version.

    >>> _numbers("13.3.1"), _numbers("12.0.0-pre"), _numbers("v4")
    ((13, 3), (12, 0), (4,))
    """
    return tuple(map(int, re.findall(r"\d+", version)[:2]))
