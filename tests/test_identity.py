"""What a space is, whatever things are called: digests, changes, what contains what, and runs that outlive an edit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import TINY, atnas, run
from test_conditions import compiled
from test_supernet import rows

from atnas.compiler import contain
from atnas.compiler.carry import carried, carry
from atnas.compiler.contain import contains
from atnas.compiler.diff import diff
from atnas.compiler.identity import digest, network_digest
from atnas.compiler.space import Compiled
from atnas.compiler.supernet import Supernet

SPACE = """\
op unit(c, k) = relu -> conv(c, k) -> bn
op edge(c)    = skip | unit(c, 1) | unit(c, 3)

cell dag(c) [x0] -> x2 {
  x1 = x0 -> edge(c)
  x2 = x1 -> edge(c) + x0 -> edge(c)
}

space s(C = 8) [image: (3, 8, 8)] -> logits: (5) {
  width  = 4 | 8
  wide   = image -> conv(C, 3) -> dag(C) * 1..2
  narrow = image -> conv(width, 1) -> conv(C, 3)
  logits = add(wide, narrow) -> global_avg_pool -> linear(5)
  require params <= 3k
}
"""


def of(text: str) -> str:
    return digest(compiled(text).net)


WIDE, NARROW = (line for line in SPACE.splitlines() if line.startswith(("  wide", "  narrow")))


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: "# a comment\n" + text.replace("op unit", "## What it is.\nop unit"),
        lambda text: re.sub(r"\bedge\b", "way", text),
        lambda text: re.sub(r"\bdag\b", "block", text).replace("space s(", "space other("),
        lambda text: re.sub(r"\bwidth\b", "w", text).replace("logits", "scores").replace("image", "picture"),
        lambda text: "\n\n".join(reversed(text.split("\n\n"))),
        lambda text: text.replace(f"{WIDE}\n{NARROW}", f"{NARROW}\n{WIDE}"),
        lambda text: text.replace("3k", "3000").replace("conv(C, 3)", "conv(channels = C, kernel = 3)"),
        lambda text: text.replace("space s(C = 8)", "space s(C = 9 - 1)"),
    ],
)
def test_an_edit_that_changes_no_meaning_changes_no_digest(edit: Callable[[str], str]) -> None:
    edited = edit(SPACE)
    assert edited != SPACE
    assert of(edited) == of(SPACE)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("3k", "4k"),
        ("unit(c, 3)", "unit(c, 5)"),
        ("skip | unit(c, 1)", "unit(c, 1) | skip"),
        ("1..2", "1..3"),
        ("4 | 8", "4 | 6"),
        ("conv(width, 1) -> conv(C, 3)", "conv(width, 1) -> conv(C, 5)"),
        ("cell dag", "op dag"),
        ("(3, 8, 8)", "(1, 8, 8)"),
        ("require params", "require macs"),
        ("add(wide, narrow)", "add(wide, narrow, narrow)"),
        ("C = 8", "C = 16"),
    ],
)
def test_an_edit_that_changes_the_meaning_changes_the_digest(word: str, other: str) -> None:
    assert word in SPACE
    assert of(SPACE.replace(word, other)) != of(SPACE)


CONSTRAINED = """\
op unit(c) = conv(c, 3) -> bn

space s [x: (3, 8, 8)] -> y {
  u = 1 | 2
  v = 1 | 2 | 4
  z = 1 | 2 | 4
  y = x -> (unit(4) | skip) * 3
  require count(unit) <= 2
  require u + v <= 5
  require u < v
  require v < z
}
"""


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: re.sub(r"\bunit\b", "block", text),
        lambda text: "\n".join([*text.splitlines()[:-4], *text.splitlines()[-4:-1][::-1], "}"]),
        lambda text: text.replace("  require u < v\n", "  require u < v\n  require u < v\n"),  # said twice
        lambda text: text.replace("u = 1 | 2\n  v = 1 | 2 | 4", "v = 1 | 2 | 4\n  u = 1 | 2"),
        lambda text: text.replace("  require u < v\n  require v < z\n", "  require v < z\n  require u < v\n"),
    ],
)
def test_constraints_are_the_same_whatever_they_speak_of_is_called_and_in_any_order(edit: Callable[[str], str]) -> None:
    edited = edit(CONSTRAINED)
    assert edited != CONSTRAINED
    assert of(edited) == of(CONSTRAINED)


def test_the_sizes_of_a_layer_of_ones_own_may_have_any_names() -> None:
    text = (
        'extern op swirl(c: int) [x: (n, h, w)] -> (c, h, w) = "my_layers:Swirl"\n'
        "space s [x: (3, 8, 8)] -> y {\n  y = x -> swirl(4)\n}\n"
    )
    assert of(text.replace("swirl", "twist").replace("n, h", "m, k").replace("c, h", "c, k")) == of(text)
    assert of(text.replace("(c, h, w)", "(c, w, h)")) != of(text)


def test_a_digest_is_the_same_in_every_process_and_version() -> None:
    assert of(SPACE) == PINNED
    code = "import test_identity as test; print(test.of(test.SPACE))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == PINNED


PINNED = "a20e27345a17c557dedadfdea32deaa06fe0a0bc54581177dc80f6b997fed8cc"


def test_each_network_has_a_digest_of_its_own_whatever_its_decisions_are_called() -> None:
    free = SPACE.replace("  require params <= 3k\n", "")
    found = [digests(compiled(text)) for text in (free, re.sub(r"\bedge\b", "way", free).replace("width", "w"))]
    assert found[0] == found[1]
    assert len(set(found[0])) == len(found[0]) == compiled(free).encoding.count()


def digests(space: Compiled) -> list[str]:
    """Those of all networks of a space, in order."""
    return [network_digest(space.net, space.encoding.unrank(i)) for i in range(space.encoding.count())]


def test_a_network_is_the_same_whatever_space_it_is_chosen_from() -> None:
    chosen = compiled("space s [x: (3, 8, 8)] -> y {\n  y = x -> (relu | conv(4, 3 | 5)) * 1..2\n}\n")
    alone = compiled("space s [x: (3, 8, 8)] -> y {\n  y = x -> conv(4, 5) -> relu\n}\n")
    assert digests(alone)[0] in digests(chosen)
    assert digests(compiled("space s [x: (3, 8, 8)] -> y {\n  y = x -> conv(4, 7)\n}\n"))[0] not in digests(chosen)


# From one space to another


def test_what_changed_is_told_by_decision_and_option() -> None:
    old, new = compiled(SPACE), compiled(SPACE.replace("4 | 8", "4 | 6 | 8").replace("1..2", "2").replace("3k", "4k"))
    found = diff(old, new)
    assert not found.is_same
    assert found.counts == (old.encoding.count(), new.encoding.count())
    assert [d.name for d in found.removed] == ["wide.dag.depth"]
    assert [(c.name, c.added, c.removed) for c in found.changed] == [("width", ("6",), ())]
    assert (found.constraints_added, found.constraints_removed) == (
        ("require params <= 4k",),
        ("require params <= 3k",),
    )


@pytest.mark.parametrize("work", [0, contain.WORK])
@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("4 | 8", "4 | 6 | 8"),
        ("1..2", "1..3"),
        ("skip | unit(c, 1)", "skip | unit(c, 5) | unit(c, 1)"),
        ("cell dag", "op dag"),
        ("conv(width, 1)", "(conv(width, 1) | conv(width, 3))"),
        ("-> conv(C, 3)\n  logits", "-> conv(C, 1 | 3)\n  logits"),
        ("  require params <= 3k\n", ""),
    ],
)
def test_a_space_with_more_options_contains_the_one_before(
    work: int, word: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SPACE if work else SPACE.replace("  require params <= 3k\n", "")  # what is required is not laid over
    smaller, larger = compiled(text), compiled(text.replace(word, other))
    if digest(smaller.net) == digest(larger.net):
        return
    monkeypatch.setattr(contain, "WORK", work)
    assert contains(larger, smaller) is True
    assert contains(smaller, larger) is not True


def test_what_is_told_of_large_spaces_is_what_comparing_all_networks_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    free = SPACE.replace("  require params <= 3k\n", "")
    words = [
        ("4 | 8", "4 | 6"),
        ("1..2", "1..3"),
        ("skip |", "skip | unit(c, 5) |"),
        ("unit(c, 3)", "unit(c, 1) -> relu"),
        ("conv(width, 1)", "conv(8, 1)"),
        ("relu -> ", ""),
    ]
    texts = [SPACE, free, *(free.replace(*pair) for pair in words)]
    spaces = [compiled(text) for text in texts]
    told = 0
    for larger in spaces:
        for smaller in spaces:
            exact = contains(larger, smaller)
            with monkeypatch.context() as patched:
                patched.setattr(contain, "WORK", 0)
                quick = contains(larger, smaller)
            assert quick in (None, exact)
            told += quick is not None
    assert told > len(spaces) ** 2 / 3


def test_layers_that_share_weights_are_not_laid_over_two_that_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    once = compiled("space s [x: (8, 6, 6)] -> y {\n  a = x -> conv(8, 3)\n  y = a + a\n}\n")
    twice = compiled("space s [x: (8, 6, 6)] -> y {\n  y = x -> conv(8, 3) + x -> conv(8, 3)\n}\n")
    monkeypatch.setattr(contain, "WORK", 0)
    assert contains(once, twice) is not True
    assert contains(twice, once) is not True


def test_an_input_more_is_another_space() -> None:
    one = "space s [a: (8, 4, 4)] -> y {\n  y = a -> relu\n}\n"
    assert of(one) != of(one.replace("[a: (8, 4, 4)]", "[a: (8, 4, 4), b: (8, 4, 4)]"))


def test_the_weights_of_the_old_are_where_the_new_has_the_same_layer() -> None:
    old, new = compiled(SPACE), compiled(SPACE.replace("skip | unit(c, 1)", "unit(c, 5) | skip | unit(c, 1)"))
    before, after = Supernet(old.net, old.encoding, seed=1), Supernet(new.net, new.encoding, seed=2)
    state = carried(old.net, new.net, before.state_dict(), after.state_dict())
    after.load_state_dict(state)
    for rank in range(0, old.encoding.count(), 7):
        architecture = old.encoding.decode(old.encoding.unrank(rank))
        x = rows(2, 3, 8, 8)
        same = after(x, new.encoding.encode(architecture))
        assert (before(x, old.encoding.encode(architecture)) - same).abs().max() == 0
    amount = carry(old.net, new.net)
    assert (amount.layers, amount.of_layers) == (28, 40)
    assert amount.numbers == sum(t.numel() for n, t in before.named_parameters())


def test_the_leading_channels_carry_over_to_a_wider_layer() -> None:
    old, new = compiled(SPACE), compiled(SPACE.replace("4 | 8", "4 | 8 | 12"))
    before, after = (Supernet(each.net, each.encoding).state_dict() for each in (old, new))
    place = next(name for name in before if before[name].shape == (8, 3, 1, 1))
    state = carried(old.net, new.net, before, after)
    assert after[place].shape == (12, 3, 1, 1)
    assert bool((state[place][:8] == before[place]).all())
    assert bool((state[place][8:] == after[place][8:]).all())


# Runs


def test_a_run_goes_on_where_only_names_comments_and_order_changed(tmp_path: Path) -> None:
    (tmp_path / "a.atnas").write_text(TINY)
    whole = tmp_path / "whole"
    assert run(tmp_path / "a.atnas", whole).code == 0
    (tmp_path / "b.atnas").write_text("# another day\n" + re.sub(r"\blayer\b", "dense", TINY).replace("waves", "hills"))
    again = run(tmp_path / "b.atnas", whole)
    assert again.code == 0
    assert "means the same as what it runs" in again.err
    assert "is finished" in again.err


def test_a_run_whose_meaning_changed_is_refused_with_what_changed(tmp_path: Path) -> None:
    (tmp_path / "a.atnas").write_text(TINY)
    out = tmp_path / "out"
    assert run(tmp_path / "a.atnas", out).code == 0
    (tmp_path / "a.atnas").write_text(TINY.replace("lr = 0.01", "lr = 0.02").replace("4..12 step 4", "4..16 step 4"))
    refused = run(tmp_path / "a.atnas", out)
    assert refused.code == 2
    assert "the space `mlp` changed; train.learner.inner.lr was 0.01 and is 0.02" in refused.err


def test_a_run_begins_with_what_another_learned_on_a_smaller_space(tmp_path: Path) -> None:
    (tmp_path / "a.atnas").write_text(TINY)
    (tmp_path / "b.atnas").write_text(TINY.replace("4..12 step 4", "4..16 step 4"))
    old, new = tmp_path / "old", tmp_path / "new"
    assert run(tmp_path / "a.atnas", old).code == 0
    ended = run(tmp_path / "b.atnas", new, "--from", old)
    assert ended.code == 0
    about = json.loads((new / "run.json").read_text())
    assert about["inherited"]["from"] == str(old)
    assert about["inherited"]["numbers"] == 12 * 2 + 12 * 13 + 13
    assert "beginning with weights of" in ended.err
    assert run(tmp_path / "b.atnas", tmp_path / "afresh").out != ended.out
    assert run(tmp_path / "b.atnas", new, "--from", old).code == 0  # the same command again
    refused = run(tmp_path / "b.atnas", tmp_path / "afresh", "--from", old)
    assert refused.code == 2
    assert "afresh began without the weights of another; --out NEW or --fresh begins one" in refused.err


@pytest.mark.parametrize("word", ["groups = 4", "stride = 2"])
def test_weights_that_mean_something_else_do_not_carry_over(word: str) -> None:
    text = "space s [x: (8, 8, 8)] -> y {{\n  y = x -> conv(8, 3{}) -> conv(8, 1)\n}}\n"
    old, new = compiled(text.format("")), compiled(text.format(f", {word}"))
    amount = carry(old.net, new.net)
    assert (amount.layers, amount.of_layers) == (1, 2)


def test_a_diff_is_told_to_people_and_to_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.atnas").write_text(TINY)
    (tmp_path / "b.atnas").write_text(
        TINY.replace("relu | tanh", "relu | tanh | gelu").replace("seed            = 3", "")
    )
    told = atnas("diff", "a.atnas", "b.atnas")
    assert told.code == 0
    assert told.out.splitlines() == [
        "space mlp",
        "  18 -> 36 architectures",
        "  ~ y.layer[0]: + gelu",
        "  ~ y.layer[1]: + gelu",
        "  every old architecture is a new one: yes",
        "  every new architecture is an old one: no",
        "  weights that carry over: 3 of 3 layers, 100.0% of the new supernet",
        "experiment tiny",
        "  experiment.seed: 3 -> 0",
    ]
    whole = json.loads(atnas("diff", "a.atnas", "b.atnas", "--json").out)
    assert whole["spaces"][0]["new_contains_old"] is True
    assert whole["experiments"][0]["settings"] == [{"setting": "experiment.seed", "old": 3, "new": 0}]
    assert "the same, 18 architectures" in atnas("diff", "a.atnas", "a.atnas").out


def test_a_space_that_was_renamed_is_compared_with_itself(tmp_path: Path) -> None:
    for name, text in (("a", SPACE), ("b", SPACE.replace("space s(", "space t("))):
        (tmp_path / f"{name}.atnas").write_text(text)
    told = atnas("diff", tmp_path / "a.atnas", tmp_path / "b.atnas").out.splitlines()
    assert told[0] == "space t, which was `s`"
    assert told[1].startswith("  the same, ")
    (tmp_path / "b.atnas").write_text(SPACE.replace("space s(", "space t(").replace("4 | 8", "4 | 8 | 12"))
    told = atnas("diff", tmp_path / "a.atnas", tmp_path / "b.atnas").out.splitlines()
    assert told[0] == "space t, which was `s`"
    assert "  ~ width: + 12" in told
