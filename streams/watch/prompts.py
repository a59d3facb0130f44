"""Versions of prompts where variants stand side by side: what each of them answered, beside the sums of its group.

Until a tick is reduced, the variant of such an event has its prompt behind it, so that verdicts that come later find
the prompt too. The sums of a group are those of all its prompts together, in which a session counts once.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace as with_fields

from schemas.events import Inference
from schemas.windows import COMPARED, MAX_PROMPTS, Group, GroupSums, PromptSums
from streams.events.decode import Columns
from streams.events.labels import SEPARATOR, versioned
from streams.watch.batches import no_events
from streams.watch.blocks import Block, Chosen, Met, block_of


def variants_of(columns: Columns) -> pa.ChunkedArray | pa.Array:
    """Return the variant of each event, with the prompt of a call behind it where variants stand side by side."""
    variant = columns.table.column("deployment_variant")
    if columns.kind is not Inference or variant.null_count == len(variant):
        return variant
    prompt = versioned(*(columns.table.column(name) for name in ("prompt_name", "prompt_version")))
    behind = pc.binary_join_element_wise(variant.cast(pa.string()), prompt, SEPARATOR)
    compared = pc.and_(pc.is_in(variant.cast(pa.string()), pa.array(COMPARED)), pc.is_valid(prompt))
    return pc.if_else(compared, behind, variant.cast(pa.string()))


def variant_of(group: Group) -> str:
    """Return the variant of a group without the prompt behind it."""
    return group[3].partition(SEPARATOR)[0]


def split(block: Block) -> tuple[Block, Block | None]:
    """Return a block whose groups are without prompts, and beside it what has a prompt, where anything has."""
    has = np.array([SEPARATOR in group[3] for group in block.batch.groups], bool)
    return (_whole(block), _with_prompt(block, has)) if has.any() else (block, None)


def _whole(block: Block) -> Block:
    numbers: dict[Group, int] = {}
    of = np.array([numbers.setdefault((*group[:3], variant_of(group)), len(numbers)) for group in block.batch.groups])
    events = replace(block.batch.events, group=of[block.batch.events.group])
    met = replace(block.met, group=of[block.met.group])
    return replace(block, batch=replace(block.batch, events=events, groups=list(numbers)), met=met)


def _with_prompt(block: Block, has: "np.ndarray") -> Block | None:
    """Return what of a block is in groups that have a prompt, in the same ticks."""
    rows, met = np.flatnonzero(has[block.batch.events.group]), has[block.met.group]
    if not len(rows) and not met.any():
        return None
    index = block.index()[rows]
    batch = block_of([Chosen(block.batch, rows, block.ticks[index])], {}).batch if len(rows) else no_events()
    starts = np.append(0, np.cumsum(np.bincount(index, minlength=len(block))))
    kept = Met(*(getattr(block.met, column.name)[met] for column in fields(Met)))
    return Block(block.ticks, starts, replace(batch, groups=block.batch.groups), met=kept)


class OfPrompt(NamedTuple):
    """What a group with a prompt behind its variant has in a tick: its name, its events, and their sums."""

    group: Group
    events: int
    sums: PromptSums


def beside(found: dict[int, list[GroupSums]], apart: Iterable[tuple[int, Iterable[OfPrompt]]]) -> None:
    """Put the sums of each prompt beside those of its group; those of the fewest events of too many are left out.

    Parameters
    ----------
    found
        By tick, the sums of the groups; changed in place.
    apart
        By tick, the sums of the groups with their prompts behind their variants.
    """
    for tick, of_tick in apart:
        prompts: dict[Group, list[OfPrompt]] = {}
        for each in sorted(of_tick, key=lambda each: (-each.events, each.group)):
            prompts.setdefault((*each.group[:3], variant_of(each.group)), []).append(each)
        found[tick] = [_with(group, prompts) for group in found[tick]]


def _with(group: GroupSums, prompts: dict[Group, list[OfPrompt]]) -> GroupSums:
    told = prompts.get((group.tenant_id, group.service_name, group.model_version, group.variant), [])[:MAX_PROMPTS]
    if not told:
        return group
    named = {each.group[3].partition(SEPARATOR)[2]: each.sums for each in told}
    return with_fields(group, prompts=dict(sorted(named.items())))
