"""Emerging patterns: which clusters of unit vectors are new.

Two tiers. *Established* clusters are matched by one matrix product per batch, and their centroids follow their
members. What matches none goes to a ring of *candidates*: a vector joins the nearest candidate, or else becomes one
in the place of the candidate that has waited longest. A candidate that gathers `need` members within `ttl` events
is promoted, and said to be new unless the finder is still warming up. One-off noise only turns the ring over; an
established cluster gives way to a promoted one alone, and only where all places are taken: the one with the
smallest share of recent events goes.

It is leader-follower clustering (Hartigan, "Clustering Algorithms", 1975, chapter 3) with the potential and
outlier micro-clusters of DenStream (Cao, Ester, Qian and Zhou, SDM 2006), for cosines and in batches.

A batch is matched before any centroid moves, so results may depend on how the stream was cut into batches.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Floats, Ints, State, StateError
from detectors.columns import Columns, check_version, check_whole

CAPACITY: Final = 256
RING: Final = 1_024
MATCH: Final = 0.5
"""Cosine to an established centroid from which a vector is a member."""

JOIN: Final = 0.66
"""Cosine to a candidate from which a vector joins; higher, because a candidate begins as a single vector."""

FOLLOW: Final = 0.02
"""Share of the way that a centroid goes towards one member."""

HALF_LIFE_EVENTS: Final = 100_000
VERSION: Final = 1

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NewPattern:
    """A cluster that has just been promoted.

    `rows` are its members in this batch, `size` counts the earlier ones too; the first of those that promoted it
    was event number `began`.
    """

    number: int
    rows: list[int]
    size: int
    began: int


class Assignment(NamedTuple):
    """The cluster number of each vector, or -1, and what is new."""

    labels: Ints
    new: list[NewPattern]


class _Clusters(Columns):
    COLUMNS: ClassVar = ("centroids", "numbers", "began", "weights")

    def __init__(self, dimensions: int) -> None:
        self.centroids: Vectors = np.empty((0, dimensions), np.float32)
        self.numbers: Ints = np.empty(0, np.int64)  # -1 where a place is free
        self.began: Ints = np.empty(0, np.int64)
        self.weights: Floats = np.empty(0)
        self.extend(CAPACITY)
        self.numbers[:] = -1


class _Candidates(Columns):
    COLUMNS: ClassVar = ("leaders", "sizes", "joined", "last")

    def __init__(self, dimensions: int, need: int, ttl: int) -> None:
        self.leaders: Vectors = np.empty((0, dimensions), np.float32)
        self.sizes: Ints = np.empty(0, np.int64)
        self.joined: Ints = np.empty((0, need), np.int64)  # when its latest members came
        self.last: Ints = np.empty(0, np.int64)
        self.extend(RING)
        self.joined[:] = self.last[:] = -ttl


class PatternFinder:
    """Clusters of one stream of vectors.

    Parameters
    ----------
    dimensions
        Length of a vector.
    need
        Members that make a candidate a cluster.
    ttl
        Events within which they must come; also how long a candidate without members is kept.
    warm_up
        Events during which clusters are learned in silence.

    Notes
    -----
    State takes 250 kB at 32 dimensions and does not grow.

    >>> finder = PatternFinder(dimensions=3, need=2, warm_up=0)
    >>> finder.assign(np.eye(3)).labels.tolist()
    [-1, -1, -1]
    >>> finder.assign(np.eye(3)[:1]).new
    [NewPattern(number=0, rows=[0], size=2, began=0)]
    """

    def __init__(self, dimensions: int = 32, need: int = 8, ttl: int = 4_000, warm_up: int = 5_000) -> None:
        if dimensions < 1 or need < 2 or ttl < 1 or warm_up < 0:
            raise ValueError("dimensions and ttl must be at least 1, need at least 2, warm_up at least 0")
        self._ttl: Final = ttl
        self._warm_up: Final = warm_up
        self.events = 0
        self._next = 0
        self._clusters: Final = _Clusters(dimensions)
        self._candidates: Final = _Candidates(dimensions, need, ttl)

    def __len__(self) -> int:
        return int(np.count_nonzero(self._clusters.numbers >= 0))

    def assign(self, vectors: npt.NDArray[np.floating]) -> Assignment:
        """Give each vector its cluster, then learn.

        Parameters
        ----------
        vectors
            One a row, in the order of their events; only their direction counts.

        Raises
        ------
        ValueError
            Where the shape is wrong, or a vector is not finite or of length 0: leave such a vector out.
        """
        return self.assign_units(self.units(vectors))

    def units(self, vectors: npt.NDArray[np.floating]) -> Vectors:
        """Return vectors as rows of length 1.

        Raises
        ------
        ValueError
            As `assign`.
        """
        given = np.asarray(vectors, np.float64)
        if given.ndim != 2 or given.shape[1] != self._clusters.centroids.shape[1]:
            raise ValueError(
                f"vectors must be rows of {self._clusters.centroids.shape[1]} numbers, not of shape {given.shape}"
            )
        length = np.linalg.norm(given, axis=1, keepdims=True)
        if not np.isfinite(length).all() or (length <= 0).any():
            raise ValueError("vectors must be finite and longer than 0; leave the others out")
        return np.asarray(given / length, np.float32)

    def assign_units(self, unit: Vectors) -> Assignment:
        """Do as `assign`, for rows that `units` has made."""
        places = self._match(unit)
        labels = np.where(places >= 0, self._clusters.numbers[places], -1)
        self._follow(unit, places)
        new = self._gather(unit, labels)
        self.events += len(unit)
        return Assignment(labels, new)

    def _match(self, unit: Vectors) -> Ints:
        """Return the place of the nearest established cluster, or -1."""
        used = len(self)
        if not used:
            return np.full(len(unit), -1, np.int64)
        cosine = unit @ self._clusters.centroids[:used].T
        return np.where(cosine.max(axis=1) >= MATCH, cosine.argmax(axis=1), -1)

    def _follow(self, unit: Vectors, places: Ints) -> None:
        """Fade all weights, and move each centroid towards the mean of its new members."""
        self._clusters.weights *= 0.5 ** (len(unit) / HALF_LIFE_EVENTS)
        for place in {*places.tolist()} - {-1}:
            members = unit[places == place].astype(np.float64)
            self._clusters.weights[place] += len(members)
            step = 1 - (1 - FOLLOW) ** len(members)
            centroid = self._clusters.centroids[place].astype(np.float64)
            towards = (1 - step) * centroid + step * members.sum(axis=0) / len(members)
            self._clusters.centroids[place] = towards / np.sqrt(np.square(towards).sum())

    def _gather(self, unit: Vectors, labels: Ints) -> list[NewPattern]:
        """Bring what matched nothing to the candidates, then promote those that are ready; fill in their labels."""
        rows: dict[int, list[int]] = {}
        ready: dict[int, int] = {}
        for row in np.flatnonzero(labels < 0).tolist():
            now = self.events + row
            slot = self._join(unit[row], now, rows)
            rows.setdefault(slot, []).append(row)
            began = int(self._candidates.joined[slot].min())
            if slot in ready or now - began < self._ttl:
                ready.setdefault(slot, began)
                self._candidates.last[slot] = self.events + len(
                    unit
                )  # younger than all: not recycled before it is promoted
        new = []
        for slot, began in ready.items():
            number, is_new = self._promote(slot, began)
            labels[rows[slot]] = number
            if is_new and self.events + rows[slot][-1] >= self._warm_up:
                new.append(NewPattern(number, rows[slot], int(self._candidates.sizes[slot]), began))
            self._release(slot)
        return new

    def _join(self, vector: Vectors, now: int, rows: dict[int, list[int]]) -> int:
        """Return the candidate that takes a vector in: the nearest live one, or one of its own."""
        cosine = np.where(now - self._candidates.last < self._ttl, self._candidates.leaders @ vector, -1)
        slot = int(cosine.argmax())
        if cosine[slot] >= JOIN:
            mean = self._candidates.leaders[slot] + (vector - self._candidates.leaders[slot]) / (
                self._candidates.sizes[slot] + 1
            )
            self._candidates.leaders[slot] = mean / np.linalg.norm(mean)
        else:
            slot = int(self._candidates.last.argmin())
            self._release(slot)
            self._candidates.leaders[slot] = vector
            rows.pop(slot, None)
        self._candidates.joined[slot, self._candidates.sizes[slot] % self._candidates.joined.shape[1]] = now
        self._candidates.sizes[slot] += 1
        self._candidates.last[slot] = now
        return slot

    def _release(self, slot: int) -> None:
        self._candidates.sizes[slot] = 0
        self._candidates.joined[slot] = -self._ttl
        self._candidates.last[slot] = -self._ttl

    def _promote(self, slot: int, began: int) -> tuple[int, bool]:
        """Establish a candidate, unless it has come close to an established cluster; return its number."""
        used = len(self)
        cosine = self._clusters.centroids[:used] @ self._candidates.leaders[slot]
        if used and cosine.max() >= JOIN:
            self._clusters.weights[cosine.argmax()] += self._candidates.sizes[slot]
            return int(self._clusters.numbers[cosine.argmax()]), False
        place = used if used < CAPACITY else self._least()
        self._clusters.centroids[place] = self._candidates.leaders[slot]
        self._clusters.weights[place] = self._candidates.sizes[slot]
        self._clusters.began[place] = began
        self._clusters.numbers[place] = self._next
        self._next += 1
        return self._next - 1, True

    def _least(self) -> int:
        """Return the place with the smallest share of the events since it began, old ones faded."""
        faded_age = -np.expm1(-np.log(2) / HALF_LIFE_EVENTS * np.maximum(self.events - self._clusters.began, 1))
        return int((self._clusters.weights / faded_age).argmin())

    def centroid(self, number: int) -> Vectors:
        """Return the middle of a cluster, of length 1.

        Raises
        ------
        KeyError
            Where there is no such cluster, or it has given way to another.
        """
        place = np.flatnonzero(self._clusters.numbers == number)
        if number < 0 or not len(place):
            raise KeyError(f"no cluster {number}; it was never there or has given way to another")
        return self._clusters.centroids[place[0]].copy()

    def state(self) -> State:
        """Return everything as flat arrays, with a version."""
        scalars = np.array([self._ttl, self._warm_up, self.events, self._next])
        own = {"version": np.array([VERSION]), "scalars": scalars}
        return own | self._clusters.columns() | self._candidates.columns()

    def restore(self, state: State) -> None:
        """Take over what `state` returned.

        Raises
        ------
        StateError
            Where the state is of another version or other parameters, or not whole. Nothing is changed then.
        """
        check_version(state, VERSION, "pattern")
        check_whole(state, self.state(), "pattern")
        clusters, candidates = self._clusters.fitting(state), self._candidates.fitting(state)
        lengths = len(clusters["numbers"]), len(candidates["last"])
        ttl, warm_up, events, following = (int(number) for number in state["scalars"])
        if (ttl, warm_up, *lengths) != (self._ttl, self._warm_up, CAPACITY, RING):
            raise StateError("pattern state was kept with other settings; set them back or start without it")
        self._clusters.restore(clusters)
        self._candidates.restore(candidates)
        self.events, self._next = events, following
