"""A worker's life as a state machine: entries late and repeated, crashes at any moment; what was told is the truth."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.transitions import refused, transition
from tests.support.incidents.entries import act, back, change, folding, page, taken

SECONDS = st.integers(0, 300_000)
NAMES = st.sampled_from("pqstuv")
INCIDENTS = NAMES.map("inc-{}".format)


class Life(RuleBasedStateMachine):
    """The log holds what was said, `told` what was published; a crash may lose the end of what was to be published."""

    def __init__(self):
        super().__init__()
        self.log, self.told, self.whole = [], [], True
        self.incident_log = IncidentLog(lambda _: "sev2")

    def say(self, entry, lost):
        """Let an entry come in, and publish what is news; of it `lost` records do not get out before a crash."""
        self.log.append(entry)
        self.incident_log.folding.add(taken([entry]))
        news = self.incident_log.news()
        self.told += news[: max(len(news) - lost, 0)]
        self.whole = self.whole and not (lost and news)
        if lost:
            self.restart()

    @rule()
    def restart(self):
        """Begin anew with what the logs hold."""
        self.incident_log = IncidentLog(lambda _: "sev2")
        self.incident_log.published(self.told)
        self.incident_log.folding.add(taken(self.log))
        self.told += self.incident_log.news()
        self.whole = True

    @rule(name=NAMES, second=SECONDS, severity=st.sampled_from(["page", "ticket"]), service=st.sampled_from("ab"),
          family=st.sampled_from(["leak", "unsafe"]), lost=st.sampled_from([0, 0, 0, 1, 9]))  # fmt: skip
    def found(self, name, second, severity, service, family, lost):
        """A finding comes in; the same name may come with other words only if nobody said it before."""
        if not any(getattr(entry, "finding_id", None) == name for entry in self.log):
            self.say(page(name, second, severity, service=service, family=family), lost)

    @rule(name=NAMES, second=SECONDS, lost=st.sampled_from([0, 0, 1]))
    def recovered(self, name, second, lost):
        """A recovery comes in."""
        if not any(getattr(entry, "finding_id", None) == f"r-{name}" for entry in self.log):
            self.say(back(name, second), lost)

    @rule(action=st.sampled_from(["acknowledge", "mitigate", "close", "reopen", "false_positive", "note", "merge"]),
          second=SECONDS, incident=INCIDENTS, into=INCIDENTS, lost=st.sampled_from([0, 0, 1]))  # fmt: skip
    def acted(self, action, second, incident, into, lost):
        """Somebody acts, perhaps on what is not known yet."""
        name = f"{action}-{second}-{incident}-{into}"
        self.say(act(action, second, incident, name, into_incident_id=into), lost)

    @rule(second=SECONDS, kind=st.sampled_from(["started", "rolled_back"]), service=st.sampled_from("ab"))
    def changed(self, second, kind, service):
        """A change is recorded."""
        self.say(change(second, kind, name=f"c-{kind}-{second}-{service}", service=service), 0)

    @rule(data=st.data())
    def repeated(self, data):
        """Something that was said comes again."""
        if self.log:
            self.say(data.draw(st.sampled_from(self.log)), 0)
            self.log.pop()

    @invariant()
    def what_holds_is_what_the_log_says(self):
        """What was told and not taken back is exactly the transitions of the log in its order."""
        if not self.whole:
            return
        in_order = folding()
        in_order.add(taken(self.log))
        expected = [transition(each, step) for each in in_order.incidents() for step in each.steps]
        expected += [refused(*item) for item in in_order.fold.refused.values()]
        last = {record.event_id: record for record in self.told}
        held = {name: record for name, record in last.items() if record.transition != "retracted"}
        assert held == {record.event_id: record for record in expected}


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
