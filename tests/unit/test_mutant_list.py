"""The judgement of `make mutants`: a survivor needs an explanation, and an explanation needs a survivor."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.mutants.__main__ import Mutant, complaints, explained, figures, function_of, mutant, pattern

DIFF = """--- consumer/engine/lease.py
+++ consumer/engine/lease.py
@@ -1,3 +1,3 @@
 def held(self, now: float) -> bool:
     \"\"\"Whether the message is ours.\"\"\"
-    return now < self.until
+    return now <= self.until
"""
SURVIVOR = Mutant("consumer.engine.lease.Lease.held", "return now < self.until", "return now <= self.until")


def test_a_mutant_is_known_by_its_function_and_its_lines() -> None:
    """Not by the number that mutmut gives it, which moves with every edit."""
    assert mutant("consumer.engine.lease.xǁLeaseǁheld__mutmut_3", DIFF) == SURVIVOR
    assert function_of("consumer.core.outcome.x_successful__mutmut_1") == "consumer.core.outcome.successful"
    assert function_of("consumer.engine.lease.xǁLeaseǁ__init____mutmut_1") == "consumer.engine.lease.Lease.__init__"
    assert function_of("consumer.engine.lease.x__hidden__mutmut_1") == "consumer.engine.lease._hidden"


def test_a_survivor_without_an_explanation_is_a_complaint() -> None:
    """It names the function and shows the change."""
    (complaint,) = complaints([SURVIVOR], {}, [])
    assert "Lease.held" in complaint
    assert "+ return now <= self.until" in complaint
    assert complaints([SURVIVOR], {SURVIVOR: "the moment itself is no span of time"}, []) == []


def test_an_explanation_that_nothing_needs_is_a_complaint() -> None:
    """Unless its function was not looked at this time."""
    known = {SURVIVOR: "the moment itself is no span of time"}
    assert complaints([], known, []) != []
    assert complaints([], known, ["consumer.engine.lease*"]) != []
    assert complaints([], known, ["consumer.guards*"]) == []


def test_one_file_or_one_folder_can_be_chosen() -> None:
    """By its path; one file's pattern takes no neighbour whose name begins alike. mutmut's own patterns stay."""
    assert pattern("consumer/engine/lease.py") == "consumer.engine.lease.*"
    assert pattern("consumer/guards/") == "consumer.guards.*"
    assert pattern("consumer.engine.lease.xǁLeaseǁheld*") == "consumer.engine.lease.xǁLeaseǁheld*"


def test_the_figures_of_a_module_show_what_survived() -> None:
    """A mutant that no test reaches has survived; one that never ended was noticed."""
    statuses = {
        "consumer.engine.lease.xǁLeaseǁheld__mutmut_1": "killed",
        "consumer.engine.lease.xǁLeaseǁheld__mutmut_2": "timeout",
        "consumer.engine.lease.xǁLeaseǁheld__mutmut_3": "survived",
        "consumer.engine.lease_keeper.x_due__mutmut_1": "no tests",
    }
    assert figures(statuses, [SURVIVOR]) == [
        "consumer.engine.lease: 3 mutants, 2 noticed (1 by never ending), 1 survived, 1 of them explained",
        "consumer.engine.lease_keeper: 1 mutants, 0 noticed (0 by never ending), 1 survived, 0 of them explained",
    ]


def test_each_explanation_is_a_whole_one() -> None:
    """Each survivor of the list has its reason, and stands there once."""
    text = (Path(__file__).parents[1] / "mutants" / "explained.toml").read_text(encoding="utf-8")
    listed = tomllib.loads(text).get("survivor", [])
    assert len(explained(text)) == len(listed)
    assert all(len(each["why"].split()) >= 4 for each in listed)


def test_each_explanation_is_about_a_line_that_there_is() -> None:
    """Code that was changed takes its explanations along; a whole run, which would find them, takes an hour."""
    root = Path(__file__).parents[2]
    for each in explained((root / "tests" / "mutants" / "explained.toml").read_text(encoding="utf-8")):
        parts = each.function.split(".")
        modules = [root.joinpath(*parts[:end]).with_suffix(".py") for end in range(len(parts), 1, -1)]
        (module,) = [path for path in modules if path.is_file()]
        code = {line.strip() for line in module.read_text(encoding="utf-8").splitlines()}
        assert code >= set(each.removed.splitlines()), each
