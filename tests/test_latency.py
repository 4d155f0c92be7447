"""Latencies: looked up layer by layer in the table of a device, added up, limited and searched for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from commands import TINY, atnas, run, sentence, spawned
from hypothesis import given, settings
from hypothesis import strategies as st
from random_nets import spaces, toys, truths

from atnas.compiler.budget import Budget, Range
from atnas.compiler.space import Compiled, compile
from atnas.dsl import plugins
from atnas.dsl.errors import Unable
from atnas.dsl.latency import Layer, Table, read_table
from atnas.dsl.net import Metric, Net
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program
from atnas.runtime.program import Program

SPACE = """\
space s [x: (3, 8, 8)] -> y {{
  w = 4 | 8
  y = x -> conv(w, 1 | 3) -> (skip | relu) * 1..2
{}}}
"""


def entry(op: str, shape: tuple[int, ...], seconds: float, **arguments: object) -> dict[str, Any]:
    return {"op": op, "arguments": arguments, "inputs": [shape], "seconds": seconds}


LAYERS = [
    *(entry("conv", (3, 8, 8), (w + k) * 1e-3, channels=w, kernel=k) for w in (4, 8) for k in (1, 3)),
    *(entry("skip", (w, 8, 8), 0) for w in (4, 8)),
    *(entry("relu", (w, 8, 8), w * 1e-5) for w in (4, 8)),
]
"""A table written by hand: a convolution takes channels and kernel in milliseconds, a relu its channels in 10 us."""


def table(layers: object = LAYERS, **changes: object) -> str:
    return json.dumps({"version": 1, "device": "none", "how": "by hand", "unit": "s", "layers": layers} | changes)


def milliseconds(architecture: Mapping[str, Any]) -> float:
    """What the layers of an architecture of `SPACE` add up to."""
    turns = [architecture[f"y[{i}]"] for i in range(architecture["y.depth"])]
    return architecture["w"] + architecture["y.kernel"] + turns.count("relu") * architecture["w"] / 100


def program(text: str, files: Mapping[str, str] | None = None) -> Program:
    def read(path: str) -> str:
        if files is None or path not in files:
            raise Unable(f"{path} is not there")
        return files[path]

    return read_program(Source("file.atnas", text), read)


def compiled(lines: str = "", layers: object = LAYERS) -> Compiled:
    found = program(SPACE.format(lines), {"phone.latency.json": table(layers)})
    assert found.good, found.findings
    net = found.every_space()["s"].net
    assert net is not None
    return compile(net)


def every(space: Compiled) -> Iterator[tuple[int, ...]]:
    return map(space.encoding.unrank, range(space.encoding.count()))


LIMIT = "  require latency(phone) <= 8ms\n"


@pytest.fixture(scope="module", autouse=True)
def _toys() -> Iterator[None]:
    with toys():
        yield


# The sum over the layers


def test_a_latency_is_the_sum_over_the_active_layers() -> None:
    space = compiled(LIMIT)
    found = [(space.costs.of(g)["latency(phone)"], space.encoding.decode(g)) for g in every(space)]
    assert len(found) == 2 * 2 * (2 + 4)
    for nanoseconds, architecture in found:
        assert nanoseconds == round(milliseconds(architecture) * 1_000_000)


class ByMacs(Mapping[Layer, int]):
    """A table that has every layer, each as long as it has multiply-accumulates."""

    def __getitem__(self, found: Layer) -> int:
        operator, arguments, inputs = found
        return plugins.load("ops", operator)(**dict(arguments)).cost(*inputs).macs

    def __contains__(self, found: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Layer]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


@settings(max_examples=60, deadline=None)
@given(net=spaces())
def test_latencies_extremes_and_counts_are_those_of_a_walk_through_each_architecture(net: Net) -> None:
    space = compile(replace(net, tables=(Table("x", "", "", ByMacs()),)))
    known = truths(net)
    for genotype, true in known.items():
        assert space.costs.of(genotype)["latency(x)"] == true.costs["macs"]
    feasible = {space.encoding.canonical(g): true.costs["macs"] for g, true in known.items() if true.feasible}
    if not feasible:
        return
    for largest, best in ((False, min), (True, max)):
        found, genotype = space.costs.extreme("latency(x)", largest)
        assert found == feasible[genotype] == best(feasible.values())
    limit = Range(high=sorted(feasible.values())[len(feasible) // 2])
    within = Budget(space.costs.terms(Metric("latency(x)")), space.encoding.factors, space.costs.options, limit)
    inside = sum(cost in limit for cost in feasible.values())
    assert within.count == inside or (within.count > inside and not within.grid.exact)


def test_arguments_that_are_left_out_of_a_table_are_the_defaults() -> None:
    full = {"channels": 4, "kernel": 1, "stride": 1, "dilation": 1, "groups": 1, "bias": False}
    written = [entry("conv", (3, 8, 8), 5e-3, **full), *LAYERS[1:]]
    spaces = [compiled(LIMIT, layers) for layers in (LAYERS, written)]
    assert [[space.costs.of(g) for g in every(space)] for space in spaces[:1]] == [
        [space.costs.of(g) for g in every(space)] for space in spaces[1:]
    ]


def test_a_layer_of_ones_own_is_looked_up_by_what_it_names() -> None:
    text = (
        'extern op twice(k: int = 3) [x: (c, h)] -> (c, h) = "layers:Twice"\n'
        "space s [x: (3, 8)] -> y {\n  y = x -> (twice(3) | twice(5))\n  require latency(phone) <= 1s\n}\n"
    )
    layers = [entry("layers:Twice", (3, 8), k * 1e-3, k=k) for k in (3, 5)]
    found = program(text, {"phone.latency.json": table(layers)}).every_space()["s"].net
    assert found is not None
    assert compile(found).costs.extreme("latency(phone)", largest=True)[0] == 5_000_000


# Limits


def test_draws_are_uniform_over_the_architectures_within_a_latency() -> None:
    space = compiled(LIMIT)
    inside = {g for g in every(space) if milliseconds(space.encoding.decode(g)) <= 8}
    rng, draws = Random(0), 4000
    found = Counter(space.encoding.sample(rng) for _ in range(draws))
    assert set(found) == inside
    assert len(inside) < space.encoding.count()
    assert max(found.values()) < 1.5 * draws / len(inside)


@pytest.mark.parametrize(
    ("line", "meets"),
    [
        ("latency(phone) < 7ms", lambda ms: ms < 7),
        ("latency(phone) >= 0.0055s", lambda ms: ms >= 5.5),
        ("7ms >= latency(phone)", lambda ms: ms <= 7),
        ("latency(phone) <= 2 * 3ms + 500us", lambda ms: ms <= 6.5),
        ("latency(phone) / 2 <= 3.3ms", lambda ms: ms <= 6.6),
        ("latency(phone) == 5ms", lambda ms: ms == 5),
        ("latency(phone) in [5ms, 7ms]", lambda ms: ms in (5, 7)),
        ("latency(phone) / latency(phone) < 1", lambda ms: ms != ms),
        ("w == 0 if latency(phone) > 9ms", lambda ms: ms <= 9),
    ],
)
def test_times_are_compared_in_the_units_they_are_written_in(line: str, meets: Any) -> None:
    space = compiled(f"  require {line}\n")
    for genotype in every(space):
        assert space.encoding.allowed(genotype) == meets(milliseconds(space.encoding.decode(genotype)))


def test_in_an_op_the_latency_is_that_of_each_use() -> None:
    text = (
        "op f(c) [x] -> y {\n  k = 1 | 3\n  y = x -> conv(c, k)\n  require latency(phone) <= 6ms\n}\n"
        "space s [x: (3, 8, 8)] -> y { y = x -> f(4) -> f(3) }\n"
    )
    layers = [entry("conv", (c, 8, 8), 5e-3 * k, channels=d, kernel=k) for c, d in ((3, 4), (4, 3)) for k in (1, 3)]
    net = program(text, {"phone.latency.json": table(layers)}).every_space()["s"].net
    assert net is not None
    space = compile(net)
    assert [space.encoding.decode(g) for g in every(space) if space.encoding.allowed(g)] == [
        {"y.f[0].k": 1, "y.f[1].k": 1}
    ]


def test_a_latency_that_no_architecture_has_is_told_with_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "phone.latency.json").write_text(table())
    (tmp_path / "s.atnas").write_text(SPACE.format("  require latency(phone) <= 4ms\n"))
    ended = atnas("sample", tmp_path / "s.atnas")
    assert ended.code == 1
    assert "error[E408]" in ended.err
    assert "loosen it: `latency(phone)` goes from 5ms to 11.16ms" in ended.err


# The table


def test_a_program_is_checked_without_any_numerics(tmp_path: Path) -> None:
    (tmp_path / "phone.latency.json").write_text(table())
    (tmp_path / "s.atnas").write_text(SPACE.format(LIMIT))
    loads = "import sys; from atnas.cli.main import guarded; print(guarded(), {'torch', 'networkx'} & set(sys.modules))"
    ended = spawned("check", tmp_path / "s.atnas", code=loads)
    assert (ended.out, ended.err) == ("0 set()\n", "1 file checked: nothing to report\n")


def test_a_layer_that_a_table_lacks_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "phone.latency.json").write_text(table([e for e in LAYERS if e["op"] != "relu"]))
    (tmp_path / "s.atnas").write_text(SPACE.format(LIMIT))
    assert atnas("check", tmp_path / "s.atnas").code == 0
    for command in ("info", "sample"):
        ended = atnas(command, tmp_path / "s.atnas")
        assert ended.code == 2
        assert sentence(ended) == (
            "phone.latency.json lacks relu() on (4, 8, 8), which `s` has at y/relu[0] and 1 more layer; "
            "measure what is missing: atnas latency FILE --device phone"
        )


def findings(text: str, at: str = "phone.latency.json") -> list[str]:
    found = program(SPACE.format(LIMIT), {at: text}).findings
    assert all(f.code == "E409" and f.span.text == "phone" for f in found)
    return [f"{f.message}; {f.help}" for f in found]


def test_a_table_that_is_not_there_is_a_finding_with_the_command_that_measures_it() -> None:
    assert findings(table(), "tablet.latency.json") == [
        "phone.latency.json is not there; measure it: atnas latency file.atnas --device phone"
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the file is no JSON that can be read"),
        ("[" * 100_000, "the file is no JSON that can be read"),
        ('{"version": ' + "9" * 10_000 + "}", "the file is no JSON that can be read"),
        (" " * 5_000_001, "the file has more than 5,000,000 characters"),
        ("[]", "the file is no object of `version` 1"),
        (table(version=2), "the file is no object of `version` 1"),
        (table(version=True), "the file is no object of `version` 1"),
        (table(version=[1]), "the file is no object of `version` 1"),
        (table(unit="ms"), 'the file has another `unit` than "s"'),
        (table(device=3), "the file says no `device` in a text of at most 1,000 characters"),
        (table(how="x" * 1_001), "the file says no `how` in a text of at most 1,000 characters"),
        (table(None), "the file has no list of `layers`"),
        (table([3]), "layers[0] is no object"),
        (table([{}]), "layers[0] has no text as its `op`"),
        (table([entry("relu", (4, 8, 8), 1) | {"arguments": []}]), "layers[0] has no object as its `arguments`"),
        (table([entry("relu", (4, 8, -8), 1)]), "layers[0] has no list of shapes as its `inputs`"),
        (table([entry("relu", (4, True), 1)]), "layers[0] has no list of shapes as its `inputs`"),
        (table([entry("relu", (4, 1.5), 1)]), "layers[0] has no list of shapes as its `inputs`"),
        (table([entry("conv", (4, 8), 1, kernel={})]), "layers[0] has arguments that are no numbers, words, truth"),
        (table([entry("conv", (4, 8), 1, kernel=[[1]])]), "layers[0] has arguments that are no numbers, words, truth"),
        (table([entry("conv", (4, 8), 1, bias=float("nan"))]), "layers[0] has arguments that are no numbers, words"),
        *(
            (table([entry("relu", (4, 8, 8), seconds)]), "layers[0] has `seconds` that are no number from 0 to 3,600")
            for seconds in (-1e-9, float("nan"), float("inf"), 1e300, 10**400, True, "1", None)
        ),
        (table([*LAYERS, entry("relu", (4, 8, 8), 2)]), "layers[8] is the same layer as one before it"),
    ],
)
def test_a_damaged_table_is_told_in_one_sentence(text: str, why: str) -> None:
    (told,) = findings(text)
    assert told.startswith(f"phone.latency.json is no latency table: {why}")
    assert told.endswith("; mend it, or remove it and measure anew: atnas latency file.atnas --device phone")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_json_is_more_than_no_table(data: st.DataObject) -> None:
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner))
    whole = json.loads(table())
    place = data.draw(st.sampled_from([*whole, *whole["layers"][0]]))
    (whole if place in whole else whole["layers"][0])[place] = data.draw(anything)
    with suppress(Unable):
        assert read_table("phone", json.dumps(whole)).name == "phone"


def test_a_table_outside_of_the_project_is_not_read(tmp_path: Path) -> None:
    inside = tmp_path / "project"
    inside.mkdir()
    (inside / "pyproject.toml").touch()
    (inside / "s.atnas").write_text(SPACE.format(LIMIT))
    (tmp_path / "secret.json").write_text(table())
    (inside / "phone.latency.json").symlink_to(tmp_path / "secret.json")
    ended = atnas("check", inside / "s.atnas")
    assert ended.code == 1
    assert "phone.latency.json lies outside of the project folder" in ended.out


def test_tables_count_among_the_files_of_a_program() -> None:
    lines = "".join(f"  require latency(d{i}) <= 1s\n" for i in range(1_100))
    found = program(SPACE.format(lines), {f"d{i}.latency.json": table([]) for i in range(1_100)}).findings
    assert {f.code for f in found} == {"E409"}
    assert found[-1].message == "the files of this program are too many, or too large together"


# Goals and runs

SEARCHED = TINY.replace(
    "  minimize      loss(tasks = 4)\n", "  minimize      latency(phone)\n  minimize loss(tasks = 4)\n"
)


def layers_of_tiny() -> list[dict[str, Any]]:
    """A linear layer takes its weights in microseconds, anything else nothing."""
    sizes = (4, 8, 12)
    hidden = [entry("linear", (i,), i * n * 1e-6, features=n) for n in sizes for i in (1, n)]
    last = [entry("linear", (n,), n * 1e-6, features=1) for n in sizes]
    return [*hidden, *last, *(entry(act, (n,), 0) for act in ("relu", "tanh") for n in sizes)]


@pytest.fixture
def searched(tmp_path: Path) -> Path:
    (tmp_path / "phone.latency.json").write_text(table(layers_of_tiny()))
    (tmp_path / "tiny.atnas").write_text(SEARCHED)
    return tmp_path / "tiny.atnas"


def test_the_artifact_carries_the_table_and_a_search_minimises_what_it_says(
    searched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = tmp_path / "alone" / "tiny.atnasc"
    artifact.parent.mkdir()
    assert atnas("compile", searched, "-o", artifact).code == 0
    assert "phone.latency.json" in dict(json.loads(artifact.read_text())["sources"])
    monkeypatch.chdir(artifact.parent)
    ended = run(artifact, Path("run"), "--set", "train.iterations=2")
    assert ended.code == 0, ended.err
    trials = [json.loads(line) for line in Path("run/trials.jsonl").read_text().splitlines()]
    for trial in trials:
        n, depth = trial["architecture"]["width"], trial["architecture"]["y.layer.depth"]
        assert trial["values"]["latency(phone)"] == pytest.approx((n + n + (depth - 1) * n * n) * 1e-6)
    result = json.loads(Path("run/result.json").read_text())
    assert result["latency"]["phone"] == min(trial["values"]["latency(phone)"] for trial in trials)
    assert set(result["controls"]["largest"]["latency"]) == {"phone"}
    assert "latency(phone)" in ended.out


def test_what_is_asked_of_a_device_that_has_no_table_stops_the_run(searched: Path) -> None:
    (searched.parent / "phone.latency.json").write_text(table(layers_of_tiny()[1:]))
    ended = run(searched, searched.parent / "run")
    assert ended.code == 2
    assert "lacks linear(features = 4, bias = true) on (1)" in sentence(ended)


def test_what_experiments_and_spaces_take_is_listed(searched: Path, tmp_path: Path) -> None:
    (found,) = json.loads(atnas("info", searched, "--json").out)["experiments"]
    assert found["latency"] == {"phone": {"min": 8e-6, "max": 168e-6}}
    assert "8us to 168us on phone" in atnas("info", searched).out
    (tmp_path / "phone.latency.json").write_text(table())
    (tmp_path / "s.atnas").write_text(SPACE.format(LIMIT))
    (space,) = json.loads(atnas("info", tmp_path / "s.atnas", "--json").out)["spaces"]
    assert space["latency"] == {"phone": {"min": 5e-3, "max": 11.16e-3}}
    assert sum(space["distribution"]["latency"]["phone"]["counts"]) == 24
    assert "latency(phone)" in atnas("info", tmp_path / "s.atnas").out
