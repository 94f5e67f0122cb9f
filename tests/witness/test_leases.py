"""Changes outside the lease of the event that asked for them: by then the message may be somebody else's."""

from __future__ import annotations

from tests.witness.journals import WORKER, Journal

OUTSIDE = "PutBucketAcl outside the lease of every event about it"


def received(key: str = WORKER) -> Journal:
    journal = Journal()
    journal.bucket("one")
    journal.event("m1", "one")
    journal.receive("m1", key=key)
    return journal


def sentences(journal: Journal, **expected: object) -> list[str]:
    return [found.sentence for found in journal.judge(converged=False, **expected).violations]


def test_a_change_after_the_lease_has_ended() -> None:
    """The queue had promised 30 seconds, and a little more is allowed for a request on its way."""
    journal = received()
    journal.wait(40)
    journal.acl("one")
    assert sentences(journal) == [OUTSIDE]


def test_a_change_sent_within_the_lease_may_take_effect_a_moment_later() -> None:
    """A request cannot be called back."""
    journal = received()
    journal.wait(30)
    journal.acl("one")
    assert sentences(journal) == []
    assert sentences(journal, lease_grace_seconds=0) == [OUTSIDE]


def test_a_renewal_extends_it() -> None:
    """As long as it is renewed in time."""
    journal = received()
    journal.wait(20)
    journal.renew("m1", 30)
    journal.wait(20)
    journal.acl("one")
    assert sentences(journal) == []


def test_a_release_ends_it() -> None:
    """Hidden for one second is released, whatever was promised before."""
    journal = received()
    journal.renew("m1", 1)
    journal.wait(5)
    journal.acl("one")
    assert sentences(journal) == [OUTSIDE]


def test_a_lease_is_its_receivers_only() -> None:
    """One replica's receipt does not entitle another one."""
    journal = received(key="first")
    journal.acl("one", key="second")
    keys = frozenset({"first", "second"})
    assert sentences(journal, worker_access_keys=keys, lasting_access_keys=keys) == [OUTSIDE]


def test_who_holds_keys_that_are_renewed_cannot_be_known() -> None:
    """A replica on temporary credentials received with one key and repairs with the next."""
    journal = received(key="STS.first")
    journal.acl("one", key="STS.second")
    assert sentences(journal, worker_access_keys=None, lasting_access_keys=frozenset({WORKER})) == []


def test_a_clock_that_was_moved_proves_nothing() -> None:
    """The lease is measured by the services' clock; when that jumps, how much time passed is not known."""
    journal = received()
    journal.wait(1200)
    journal.acl("one")
    assert sentences(journal) == []
