"""What is often wrong with telemetry that is accepted: looked for in the last hour of the store, or in a file."""

from streams.intake.doctor.complaint import Complaint
from streams.intake.doctor.look import Look
from streams.intake.doctor.run import complaints
from streams.intake.doctor.seen import look_at_events
from streams.intake.doctor.stored import look_at_store

__all__ = ["Complaint", "Look", "complaints", "look_at_events", "look_at_store"]
