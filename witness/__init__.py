"""The witness: reads the emulator's ordered journal and says from that alone whether the promises held.

It knows nothing of the worker that is judged, neither its code nor its log, and it imports nothing of the emulator
either. What a message asks for, what a rule wants, when a bucket was compliant and what happened to a message are
worked out here a second time, from what the services saw and from the services' own pages.
"""

from __future__ import annotations

from witness.expectations import Expectations
from witness.judge import judge
from witness.rules import Watched, watch
from witness.verdict import Ending, MessageStory, Verdict, Violation

__all__ = ["Ending", "Expectations", "MessageStory", "Verdict", "Violation", "Watched", "judge", "watch"]
