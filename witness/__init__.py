"""The witness: reads the emulator's ordered journal and says from that alone whether the promises held.

It knows nothing of the worker that is judged: neither its code nor its log. What a message asks for, when a bucket was
compliant and what happened to a message are worked out here a second time, from what the services saw.
"""

from __future__ import annotations

from witness.expectations import Expectations, Watched, watch
from witness.judge import judge
from witness.verdict import Ending, MessageStory, Verdict, Violation

__all__ = ["Ending", "Expectations", "MessageStory", "Verdict", "Violation", "Watched", "judge", "watch"]
