"""LoRAs are put in and taken out where the weights lie, whatever diffusers has joined meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from streamer.errors import BackendError
from streamer.generator.lora.places import places_of
from streamer.generator.lora.switch import LoraSwitch, Masters
from streamer.generator.lora.weights import LowRank
from streamer.types import Lora

pytestmark = pytest.mark.torch

INK, CLAY = Lora("ink"), Lora("clay", 0.5)


def seeded(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


class Network(nn.Module):
    """Self-attention, attention to a text, and a convolution in channels-last: what a UNet has."""

    def __init__(self) -> None:
        super().__init__()
        self.own = Attention(16, heads=2, dim_head=8)
        self.text = Attention(16, cross_attention_dim=12, heads=2, dim_head=8)
        self.conv = nn.Conv2d(4, 6, 3).to(memory_format=torch.channels_last)
        self.requires_grad_(False)


def switch_of(network: nn.Module, layers: dict[str, Tensor]) -> LoraSwitch:
    masters = Masters(frozenset(layers))
    for name, weight in layers.items():
        masters.keep(name, weight)
    masters.keep("something else", torch.zeros(2, 2))
    changes = {
        name: (LowRank(0, seeded(len(weight), 2), seeded(2, weight[0].numel()), 1.0),)
        for name, weight in layers.items()
    }
    return LoraSwitch(network, masters, {INK: changes, CLAY: changes}, torch.device("cpu"))


def every_layer(network: Network) -> dict[str, Tensor]:
    names = [f"{part}.{leaf}" for part in ("own", "text") for leaf in ("to_q", "to_k", "to_v", "to_out.0")]
    return {name: network.get_submodule(name).weight for name in (*names, "conv")}


def outputs(network: Network) -> list[Tensor]:
    states = seeded(1, 3, 16)
    return [network.own(states), network.text(states, seeded(1, 5, 12)), network.conv(seeded(1, 4, 8, 8))]


def fuse(network: Network) -> None:
    network.own.fuse_projections()
    network.text.fuse_projections()


@pytest.mark.parametrize("before", [fuse, lambda network: None])
def test_joined_projections_follow(before: Callable[[Network], None]) -> None:
    """Joined or not, the outputs are those of the weights with the change added, and later those of before."""
    network, plain = Network(), Network()
    plain.load_state_dict(network.state_dict())
    switch = switch_of(network, every_layer(network))
    before(network)
    truth = outputs(network)
    places = [weight.data_ptr() for weight in network.parameters()]
    assert switch.use((INK,))
    for name, layer in every_layer(plain).items():
        change = switch._loras[INK][name][0]
        layer.data.copy_(layer + (change.up @ change.down).view(layer.shape))
    for actual, expected in zip(outputs(network), outputs(plain), strict=True):
        assert torch.allclose(actual, expected, atol=1e-4)
    assert switch.use(())
    assert all(torch.equal(actual, expected) for actual, expected in zip(outputs(network), truth, strict=True))
    assert [weight.data_ptr() for weight in network.parameters()] == places


def test_only_a_change_is_work() -> None:
    """The same again, or nothing again, touches no weight; an unknown one is refused and changes nothing."""
    network = Network()
    switch = switch_of(network, {"own.to_q": network.own.to_q.weight})
    assert not switch.use(())
    assert switch.use((CLAY,))
    assert not switch.use((CLAY,))
    changed = network.own.to_q.weight.clone()
    with pytest.raises(BackendError, match="the LoRA chalk is not loaded"):
        switch.use((Lora("chalk"),))
    assert switch.current == (CLAY,)
    assert torch.equal(network.own.to_q.weight, changed)


def test_two_strengths_differ() -> None:
    """Half the weight is half the change."""
    network = Network()
    weight = network.own.to_q.weight.clone()
    switch = switch_of(network, {"own.to_q": network.own.to_q.weight})
    changes = [(switch.use((lora,)), network.own.to_q.weight - weight)[1] for lora in (INK, CLAY)]
    assert torch.allclose(changes[0], 2 * changes[1], atol=1e-5)


def test_rows_of_joined_projections() -> None:
    """Keys and values come last, also where the query is longer."""
    network = Network()
    network.own.to_q = nn.Linear(16, 24, bias=False)
    fuse(network)
    network.own.to_qkv = nn.Linear(16, 24 + 16 + 16, bias=False)
    found = {
        leaf: [place.first for place in places_of(network, f"own.{leaf}", count)]
        for leaf, count in (("to_q", 24), ("to_k", 16), ("to_v", 16))
    }
    assert found == {"to_q": [0, 0], "to_k": [0, 24], "to_v": [0, 40]}
    assert [place.first for place in places_of(network, "text.to_v", 16)] == [0, 16]


def test_weights_as_loaded_are_copies_of_few_layers() -> None:
    """Only what a style changes is kept, and where it is kept is told."""
    network = Network()
    switch = switch_of(network, {"conv": network.conv.weight})
    assert switch._masters.weights.keys() == {"conv"}
    assert switch._masters.gb == network.conv.weight.nbytes / 1e9
    assert switch.masters_in == "main memory"
    kept = switch._masters.weights["conv"]
    assert torch.equal(kept, network.conv.weight.flatten(1))
    network.conv.weight.data.zero_()
    assert kept.any()
