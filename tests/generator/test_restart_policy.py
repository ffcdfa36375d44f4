from dataclasses import replace

import pytest

from streamer.generator.ipc import GPU_FAULT_EXIT, Failed
from streamer.generator.restart_policy import (
    REMEMBERED_CRASHES,
    CrashingRequests,
    ExitCause,
    RestartPolicy,
    WorkerExit,
    explain_exit,
)
from streamer.types import ImageRequest, Lora, Role
from tests.support.generation import request

CRASH = WorkerExit(ExitCause.CRASH, "it crashed")


def test_each_death_in_a_row_waits_longer_and_the_last_delay_stays() -> None:
    policy, delays = RestartPolicy((0, 1, 2, 5, 10, 30), 99, 600), []
    for now in range(8):
        policy.add(CRASH, now)
        delays.append(policy.delay_s(now))
    assert delays == [0, 1, 2, 5, 10, 30, 30, 30]


def test_the_fifth_death_within_the_window_is_one_too_many() -> None:
    policy = RestartPolicy((0,), 5, 600)
    for now in range(4):
        policy.add(CRASH, now)
        assert not policy.too_many(now)
    policy.add(CRASH, 600.0)
    assert policy.too_many(600.0)


def test_deaths_older_than_the_window_count_no_more() -> None:
    policy = RestartPolicy((0, 60), 2, 600)
    policy.add(CRASH, 0.0)
    policy.add(CRASH, 601.0)
    assert not policy.too_many(601.0)
    assert policy.delay_s(601.0) == 0


def test_forgetting_gives_a_clean_record_and_keeps_the_totals() -> None:
    policy = RestartPolicy((0, 60), 2, 600)
    policy.add(CRASH, 0.0)
    policy.add(WorkerExit(ExitCause.HANG, "it hung"), 1.0)
    policy.forget()
    assert not policy.too_many(1.0)
    assert policy.by_cause == {"crash": 1, "hang": 1}


def blamed(*requests: ImageRequest, limit: int = 2) -> CrashingRequests:
    crashing = CrashingRequests(limit, 100.0)
    for number, wanted in enumerate(requests):
        crashing.blame(wanted, number)
    return crashing


def test_a_picture_is_known_whatever_its_seed_and_whoever_asks() -> None:
    crashing = blamed(request("boom", seed=1), request("boom", seed=2, role=Role.VIP))
    assert crashing.refuses(request("boom", seed=3), 2.0)
    assert not crashing.refuses(request("calm", seed=1), 2.0)


BOOM = replace(request("boom"), reference=b"photo", loras=(Lora("ink"),))


@pytest.mark.parametrize(
    "other",
    [
        replace(BOOM, command="meme"),
        replace(BOOM, reference=b"another photo"),
        replace(BOOM, reference=None),
        replace(BOOM, loras=()),
        replace(BOOM, loras=(Lora("ink", 0.5),)),
        replace(BOOM, params=replace(BOOM.params, width=96)),
        replace(BOOM, params=replace(BOOM.params, height=96)),
    ],
)
def test_a_picture_that_differs_in_what_can_crash_is_another_one(other: ImageRequest) -> None:
    crashing = blamed(BOOM, BOOM)
    assert crashing.refuses(BOOM, 2.0)
    assert not crashing.refuses(other, 2.0)


def test_the_death_that_sets_a_picture_aside_says_so_once() -> None:
    crashing = CrashingRequests(2, 100.0)
    assert [crashing.blame(BOOM, now) for now in range(3)] == [False, True, False]
    assert crashing.set_aside == 1


def test_one_death_is_forgiven() -> None:
    crashing = blamed(BOOM)
    assert not crashing.refuses(BOOM, 1.0)
    assert crashing.set_aside == 0


def test_a_picture_set_aside_is_drawn_again_after_a_while() -> None:
    crashing = blamed(BOOM, BOOM)
    assert crashing.refuses(BOOM, 101.0)
    assert not crashing.refuses(BOOM, 101.5)
    assert crashing.set_aside == 0


def test_the_memory_for_crashes_is_bounded_and_forgets_the_oldest() -> None:
    crashing = CrashingRequests(1, 1e9)
    for number in range(REMEMBERED_CRASHES + 1):
        crashing.blame(request(f"boom {number}"), 0.0)
    assert not crashing.refuses(request("boom 0"), 0.0)
    assert crashing.refuses(request("boom 1"), 0.0)


@pytest.mark.parametrize(
    ("status", "cause", "words"),
    [
        (-11, "crash", "crashed (Segmentation fault)"),
        (0xC0000005, "crash", "crashed (0xc0000005)"),
        (-9, "killed", "perhaps by the system because memory ran out"),
        (-15, "killed", "from outside"),
        (GPU_FAULT_EXIT, "gpu", "lost the GPU"),
        (0, "exit", "exit status 0"),
        (3, "exit", "exit status 3"),
    ],
)
def test_an_exit_status_becomes_a_cause_and_words(status: int, cause: str, words: str) -> None:
    worker_exit = explain_exit("klein", status, hung=False, exit_message=None)
    assert (worker_exit.cause, worker_exit.hopeless) == (cause, False)
    assert words in worker_exit.detail


def test_a_killed_hang_is_a_hang() -> None:
    assert explain_exit("klein", -9, hung=True, exit_message=None).cause == "hang"


@pytest.mark.parametrize(("error", "hopeless"), [("BackendUnavailable", True), ("BackendError", False)])
def test_only_a_backend_that_says_it_cannot_run_is_hopeless(error: str, hopeless: bool) -> None:
    worker_exit = explain_exit(
        "klein", 0, hung=False, exit_message=Failed(0, error, "too little memory", "take klein 4B")
    )
    assert worker_exit.hopeless is hopeless
    assert worker_exit.detail == "the klein backend cannot start: too little memory; take klein 4B"
