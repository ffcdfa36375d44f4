import pytest

from streamer.generator.ipc import GPU_FAULT_EXIT, Failed
from streamer.generator.restart_policy import (
    EXIT_MESSAGE_LINES,
    CrashingRequests,
    RestartPolicy,
    WorkerExit,
    explain_exit,
)
from streamer.types import Actor, ImageRequest, Lane, RequestKind, Role, SamplingParams

CRASH = WorkerExit("crash", "it crashed")


def request(prompt: str, seed: int = 1) -> ImageRequest:
    params, actor = SamplingParams(64, 48, 4, 1.0, seed), Actor("1", "somebody", Role.VIEWER)
    return ImageRequest(
        "1", "bg", RequestKind.BACKGROUND, "background", prompt, prompt, params, actor, Lane.CHAT, 0.0, 1.0
    )


def test_each_death_in_a_row_waits_longer_and_the_last_delay_stays() -> None:
    deaths, delays = RestartPolicy((0, 1, 2, 5, 10, 30), 99, 600), []
    for now in range(8):
        deaths.add(CRASH, now)
        delays.append(deaths.delay_s(now))
    assert delays == [0, 1, 2, 5, 10, 30, 30, 30]


def test_the_fifth_death_within_the_window_is_one_too_many() -> None:
    deaths = RestartPolicy((0,), 5, 600)
    for now in range(4):
        deaths.add(CRASH, now)
        assert not deaths.too_many(now)
    deaths.add(CRASH, 600.0)
    assert deaths.too_many(600.0)


def test_deaths_older_than_the_window_count_no_more() -> None:
    deaths = RestartPolicy((0, 60), 2, 600)
    deaths.add(CRASH, 0.0)
    deaths.add(CRASH, 601.0)
    assert not deaths.too_many(601.0)
    assert deaths.delay_s(601.0) == 0


def test_forgetting_gives_a_clean_record_and_keeps_the_totals() -> None:
    deaths = RestartPolicy((0, 60), 2, 600)
    deaths.add(CRASH, 0.0)
    deaths.add(WorkerExit("hang", "it hung"), 1.0)
    deaths.forget()
    assert not deaths.too_many(1.0)
    assert deaths.by_cause == {"crash": 1, "hang": 1}


def test_a_request_is_known_by_prompt_and_seed() -> None:
    poison = CrashingRequests(2)
    for _ in range(2):
        poison.blame(request("boom", seed=1))
    assert poison.refuses(request("boom", seed=1))
    assert not poison.refuses(request("boom", seed=2))
    assert not poison.refuses(request("calm", seed=1))


def test_one_death_is_forgiven() -> None:
    poison = CrashingRequests(2)
    poison.blame(request("boom"))
    assert not poison.refuses(request("boom"))


def test_the_memory_for_poison_is_bounded_and_forgets_the_oldest() -> None:
    poison = CrashingRequests(1)
    for seed in range(EXIT_MESSAGE_LINES + 1):
        poison.blame(request("boom", seed))
    assert not poison.refuses(request("boom", 0))
    assert poison.refuses(request("boom", 1))


@pytest.mark.parametrize(
    ("status", "cause", "words"),
    [
        (-11, "crash", "crashed (Segmentation fault)"),
        (0xC0000005, "crash", "crashed (0xc0000005)"),
        (-9, "killed", "by the system if memory ran out"),
        (-15, "killed", "from outside"),
        (GPU_FAULT_EXIT, "gpu", "lost the GPU"),
        (0, "exit", "exit status 0"),
        (3, "exit", "exit status 3"),
    ],
)
def test_an_exit_status_becomes_a_cause_and_words(status: int, cause: str, words: str) -> None:
    death = explain_exit("klein", status, hung=False, last_word=None)
    assert (death.cause, death.hopeless) == (cause, False)
    assert words in death.detail


def test_a_killed_hang_is_a_hang() -> None:
    assert explain_exit("klein", -9, hung=True, last_word=None).cause == "hang"


@pytest.mark.parametrize(("error", "hopeless"), [("BackendUnavailable", True), ("BackendError", False)])
def test_only_a_backend_that_says_it_cannot_run_is_hopeless(error: str, hopeless: bool) -> None:
    death = explain_exit("klein", 0, hung=False, last_word=Failed(0, error, "too little memory", "take klein 4B"))
    assert death.hopeless is hopeless
    assert death.detail == "the klein backend cannot start: too little memory; take klein 4B"
