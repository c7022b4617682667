"""Row S12: which request is hit."""

from sandbox.braze import Fault, Faults
from sandbox.braze.faults import FaultInjector


def hits(injector: FaultInjector, number: int, body: bytes = b"", path: str = "/users/track") -> list[bool]:
    return [injector.pick(path, body) is not None for _ in range(number)]


def test_s12_next_n_requests() -> None:
    assert hits(FaultInjector(Faults((Fault("500", times=2),))), 4) == [True, True, False, False]


def test_s12_probability_is_seeded() -> None:
    def run(seed: int) -> list[bool]:
        return hits(FaultInjector(Faults((Fault("500", probability=0.3, seed=seed),))), 1_000)

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 230 < sum(run(1)) < 370


def test_s12_text_in_the_body() -> None:
    injector = FaultInjector(Faults((Fault("500", contains="ü7"),)))
    assert hits(injector, 2, "…ü7…".encode()) == [True, True]
    assert hits(injector, 1, "…ü8…".encode()) == [False]


def test_s12_path() -> None:
    injector = FaultInjector(Faults((Fault("500", path="/users/track/bulk"),)))
    assert hits(injector, 1) == [False]
    assert hits(injector, 1, path="/users/track/bulk") == [True]


def test_s12_conditions_are_joined_and_the_first_rule_decides() -> None:
    injector = FaultInjector(Faults((Fault("503", times=1, contains="x"), Fault("500"))))
    picked = [injector.pick("/users/track", body) for body in (b"a", b"x", b"x")]
    assert [fault.kind for fault in picked if fault] == ["500", "503", "500"]
    assert [rule["hits"] for rule in injector.summary()] == [1, 2]


def test_s12_rules_in_place_keep_their_hits() -> None:
    first, second = Fault("500", times=2), Fault("503")
    injector = FaultInjector(Faults((first,)))
    injector.pick("/users/track", b"")
    injector.change(Faults((first, second)))
    assert [rule["hits"] for rule in injector.summary()] == [1, 0]
    injector.change(Faults((second,)))
    assert [rule["hits"] for rule in injector.summary()] == [0]
