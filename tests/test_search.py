"""Searching for architectures: variation, proposals, selection, goals, objectives, the record of trials."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atnas.dsl.errors import Unable
from atnas.dsl.net import Decision
from atnas.dsl.plugins import load
from atnas.dsl.settings import MisfitError
from atnas.dsl.source import Source, Span
from atnas.runtime.records import LARGEST, line_of, record_of
from atnas.runtime.search.domain import SearchDomain
from atnas.runtime.search.evolution import Evolution, Nsga2
from atnas.runtime.search.objectives import Accuracy, Flops, Macs, Measurement, Params, TaskLoss
from atnas.runtime.search.operators import mate, mutate
from atnas.runtime.search.random_search import RandomSearch
from atnas.runtime.search.searcher import Goal, Searcher, Trial, best, front, read_trials
from atnas.runtime.search.selection import keep, lend, ranked, tournament

Genotype = tuple[int, ...]
HIGH_ACCURACY = Goal("maximize", Accuracy())
FEW_PARAMS = Goal("minimize", Params())
FEW_MACS = Goal("minimize", Macs())


class Space:
    """A space by brute force. `needs[i] = (j, k)`: decision i is active where j is and takes option k."""

    def __init__(
        self, sizes: Sequence[int], needs: dict[int, tuple[int, int]] | None = None, ordered: bool = False
    ) -> None:
        span = Span(Source("space", ""), 0, 0)
        self.decisions = tuple(
            Decision(f"d{i}", "number" if ordered else "layer", tuple(range(n)), ordered, span)
            for i, n in enumerate(sizes)
        )
        self.needs = needs or {}

    def active(self, genotype: Genotype) -> tuple[bool, ...]:
        return tuple(self._on(i, genotype) for i in range(len(genotype)))

    def _on(self, i: int, genotype: Genotype) -> bool:
        if i not in self.needs:
            return True
        parent, option = self.needs[i]
        return genotype[parent] == option and self._on(parent, genotype)

    def canonical(self, genotype: Genotype) -> Genotype:
        return tuple(g if on else 0 for g, on in zip(genotype, self.active(genotype), strict=True))

    def members(self) -> list[Genotype]:
        genotypes = product(*(range(len(d.options)) for d in self.decisions))
        return list(dict.fromkeys(self.canonical(g) for g in genotypes))

    def count(self) -> int:
        return len(self.members())

    def sample(self, rng: random.Random) -> Genotype:
        return rng.choice(self.members())


class Flat(Space):
    """A space whose decisions are all active, of any size."""

    def count(self) -> int:
        return math.prod(len(d.options) for d in self.decisions)

    def sample(self, rng: random.Random) -> Genotype:
        return tuple(rng.randrange(len(d.options)) for d in self.decisions)


CONDITIONAL = Space([2, 3, 4, 2, 3], {1: (0, 1), 2: (1, 2), 3: (0, 0)})
"""d1 if d0 = 1, d2 if d1 = 2, d3 if d0 = 0, d4 always: 2 * 3 + (2 + 4) * 3 = 24 architectures."""

SEARCHERS: list[Searcher] = [
    RandomSearch(population=6, generations=4),
    Evolution(population=6, generations=4, tournament=3),
    Evolution(population=6, generations=4, lifetime=1, crossover=1),
    Nsga2(population=6, generations=4, mutate=0.5),
]


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Spaces of up to five decisions, each of which may hang on an option of another, earlier or later."""
    sizes = draw(st.lists(st.integers(1, 4), max_size=5))
    order = draw(st.permutations(range(len(sizes))))
    needs: dict[int, tuple[int, int]] = {}
    for place, child in enumerate(order):
        if place and draw(st.booleans()):
            parent = draw(st.sampled_from(order[:place]))
            needs[child] = (parent, draw(st.integers(0, sizes[parent] - 1)))
    return Space(sizes, needs, ordered=draw(st.booleans()))


def score(genotype: Genotype) -> dict[str, float]:
    """Two goals that pull apart, and a third."""
    ones = sum(gene == 1 for gene in genotype)
    return {"accuracy": ones / 10, "params": sum(genotype), "macs": 7 * ones % 5}


def search(
    searcher: Searcher,
    space: SearchDomain,
    goals: Sequence[Goal],
    seed: int = 0,
    measure: Callable[[Genotype], dict[str, float] | None] = score,
) -> list[Trial]:
    history: list[Trial] = []
    for generation in range(searcher.budget):
        proposals = searcher.ask(history, space, goals, random.Random(f"{seed} {generation}"))
        for genotype in proposals:
            history.append(Trial(len(history), generation, genotype, measure(genotype)))
    return history


def trials(points: Sequence[tuple[float, ...]]) -> list[Trial]:
    """One trial for each point of (accuracy, params, macs), cut to its length."""
    names = ("accuracy", "params", "macs")
    return [Trial(i, 0, (i,), dict(zip(names, point, strict=False))) for i, point in enumerate(points)]


# Variation


@given(spaces(), st.randoms(use_true_random=False), st.none() | st.floats(0.01, 1))
def test_every_mutant_is_another_member_of_the_space(space: Space, rng: random.Random, rate: float | None) -> None:
    parent = space.sample(rng)
    mutant = mutate(parent, space, rate, rng)
    assert mutant in space.members()
    can_change = any(on and len(d.options) > 1 for on, d in zip(space.active(parent), space.decisions, strict=True))
    assert (mutant != parent) == can_change


@given(spaces(), st.integers(0, 10**6))
def test_every_child_is_a_member_that_takes_each_gene_from_a_parent_where_that_gene_is_active(
    space: Space, seed: int
) -> None:
    rng = random.Random(seed)
    mother, father = space.sample(rng), space.sample(rng)
    child = mate(mother, father, space, rng)
    assert child in space.members()
    hers, his = space.active(mother), space.active(father)
    for gene, active in enumerate(space.active(child)):
        sources = {p[gene] for p, on in ((mother, hers[gene]), (father, his[gene])) if on}
        if active and sources:
            assert child[gene] in sources


def test_a_gene_that_becomes_active_may_take_any_option() -> None:
    rng = random.Random(0)
    mutants = {mutate((0, 0, 0, 0, 0), CONDITIONAL, 1.0, rng) for _ in range(300)}
    assert {m[:3] for m in mutants} == {(1, 0, 0), (1, 1, 0), *((1, 2, d) for d in range(4))}


def test_ordered_decisions_move_mostly_to_a_neighbour() -> None:
    rng = random.Random(0)
    steps = [abs(mutate((5,), Flat([11], ordered=True), None, rng)[0] - 5) for _ in range(500)]
    # Half of the moves go next door at once, a fifth of the others by chance: 0.6.
    assert 0.5 < steps.count(1) / 500 < 0.7
    assert set(steps) == {1, 2, 3, 4, 5}


def test_lending_continues_one_generator_and_leaves_the_global_one_alone() -> None:
    lent, plain = random.Random(3), random.Random(3)
    before = random.getstate()
    with lend(lent):
        drawn = [random.random() for _ in range(5)]
    assert random.getstate() == before
    assert drawn == [plain.random() for _ in range(5)]
    assert lent.random() == plain.random()


# Asking


@pytest.mark.parametrize("searcher", SEARCHERS, ids=repr)
@settings(max_examples=25, deadline=None)
@given(space=spaces(), seed=st.integers(0, 10**6), modulus=st.integers(1, 3))
def test_proposals_are_allowed_members_and_none_is_paid_for_twice(
    searcher: Searcher, space: Space, seed: int, modulus: int
) -> None:
    def allowed(genotype: Genotype) -> bool:
        return sum(genotype) % modulus == 0

    history = search(searcher, SearchDomain(space, allowed), [HIGH_ACCURACY, FEW_PARAMS], seed)
    proposed = [trial.genotype for trial in history]
    assert len(set(proposed)) == len(proposed)
    permitted = {g for g in space.members() if allowed(g)}
    assert set(proposed) <= permitted
    # Few enough to be tried all: what is left out was spent on nothing.
    assert len(proposed) == min(len(permitted), 24)


@pytest.mark.parametrize("searcher", SEARCHERS, ids=repr)
def test_asking_is_a_pure_function(searcher: Searcher) -> None:
    domain, goals = SearchDomain(CONDITIONAL), [HIGH_ACCURACY, FEW_PARAMS]
    history = search(searcher, domain, goals)[:12]
    frozen, before = list(history), random.getstate()
    first = searcher.ask(history, domain, goals, random.Random(5))
    random.seed(99)
    again = searcher.ask(history, domain, goals, random.Random(5))
    assert first == again
    assert history == frozen
    random.setstate(before)
    searcher.ask(history, domain, goals, random.Random(5))
    assert random.getstate() == before


@pytest.mark.parametrize("searcher", SEARCHERS[1:], ids=repr)
def test_the_order_in_which_workers_finish_changes_nothing(searcher: Searcher) -> None:
    domain, goals = SearchDomain(CONDITIONAL), [HIGH_ACCURACY]
    history = search(searcher, domain, goals)[:12]
    shuffled = random.Random(1).sample(history, len(history))
    assert searcher.ask(history, domain, goals, random.Random(5)) == searcher.ask(
        shuffled, domain, goals, random.Random(5)
    )


@pytest.mark.parametrize("searcher", SEARCHERS, ids=repr)
@pytest.mark.parametrize("sizes", [[], [1], [3]])
def test_spaces_of_no_decision_or_one_end_when_all_is_tried(searcher: Searcher, sizes: list[int]) -> None:
    domain = SearchDomain(Flat(sizes))
    history = search(searcher, domain, [HIGH_ACCURACY])
    assert sorted(t.genotype for t in history) == sorted(Space(sizes).members())
    assert searcher.ask(history, domain, [HIGH_ACCURACY], random.Random(0)) == []


def test_a_constraint_that_nothing_meets_gives_no_proposals() -> None:
    nothing = SearchDomain(CONDITIONAL, lambda _: False)
    assert Evolution().ask([], nothing, [HIGH_ACCURACY], random.Random(0)) == []


def test_where_draws_miss_what_is_allowed_it_is_found_near_the_cheapest() -> None:
    narrow = SearchDomain(Flat([10] * 12), lambda genotype: sum(genotype) <= 2, seeds=((0,) * 12,))
    proposals = RandomSearch(population=40).ask([], narrow, [FEW_PARAMS], random.Random(0))
    assert len(set(proposals)) == 40
    assert max(map(sum, proposals)) == 2


def test_failed_trials_have_no_children_and_are_not_tried_again() -> None:
    def measure(genotype: Genotype) -> dict[str, float] | None:
        return None if genotype[0] else {"accuracy": float("nan") if genotype[4] == 2 else 0.5}

    history = search(Evolution(population=6, generations=10), SearchDomain(CONDITIONAL), [HIGH_ACCURACY], 0, measure)
    assert len({t.genotype for t in history}) == 24
    alive = Evolution(population=6).survivors(history, [HIGH_ACCURACY])
    assert {t.genotype for t in alive} <= {(0, 0, 0, d3, d4) for d3 in (0, 1) for d4 in (0, 1)}
    assert len(alive) == 4


# Selection and goals


points = st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=30)


def dominated(point: tuple[float, ...], others: Sequence[tuple[float, ...]]) -> bool:
    """By the definition, for (more, less, less)."""
    return any(
        other[0] >= point[0] and other[1] <= point[1] and other[2] <= point[2] and other != point for other in others
    )


@given(points)
def test_the_front_is_what_nothing_dominates_and_the_best_is_on_it(points: list[tuple[float, ...]]) -> None:
    history, goals = trials(points), [HIGH_ACCURACY, FEW_PARAMS, FEW_MACS]
    found = front(history, goals)
    assert {t.number for t in found} == {i for i, p in enumerate(points) if not dominated(p, points)}
    chosen = best(history, goals)
    assert chosen in found
    assert points[chosen.number][0] == max(p[0] for p in points)


@given(points, st.integers(1, 30))
def test_nsga2_keeps_whole_fronts_in_the_order_of_a_brute_force_sort(points: list[tuple[float, ...]], k: int) -> None:
    goals = [HIGH_ACCURACY, FEW_PARAMS, FEW_MACS]
    fronts: list[list[int]] = []
    left = list(range(len(points)))
    while left:
        fronts.append([i for i in left if not dominated(points[i], [points[j] for j in left])])
        left = [i for i in left if i not in fronts[-1]]
    rank = {i: number for number, members in enumerate(fronts) for i in members}
    kept = [rank[t.number] for t in keep(trials(points), goals, k)]
    assert kept == sorted(rank.values())[:k]


def test_within_a_front_nsga2_keeps_the_ends_and_the_lonely() -> None:
    # A straight front: of the three inner points the middle one has its neighbours nearest.
    line = trials([(0, 0), (4, 4), (5, 5), (6, 6), (10, 10)])
    kept = keep(line, [HIGH_ACCURACY, FEW_PARAMS], 4)
    assert {t.number for t in kept} == {0, 1, 3, 4}


def test_a_tournament_is_won_by_the_front_and_there_by_the_lonely() -> None:
    two = [HIGH_ACCURACY, FEW_PARAMS]
    line = ranked(trials([(0, 9), (4, 14), (5, 5), (0, 0), (4, 4), (10, 10), (6, 6)]), two)
    # With so many rivals all take part: an end of the front wins, (0, 0) or (10, 10).
    assert {tournament(line, 60, random.Random(seed)).number for seed in range(20)} == {3, 5}
    worse = ranked(trials([(0, 9), (4, 4)]), two)
    assert {tournament(worse, 40, random.Random(seed)).number for seed in range(20)} == {1}
    values = ranked(trials([(0.3, 1), (0.5, 1), (0.4, 1)]), [HIGH_ACCURACY])
    assert {tournament(values, 40, random.Random(seed)).number for seed in range(20)} == {1}


def test_with_one_goal_the_best_survive_and_ages_count_from_the_last_measurement() -> None:
    def trial(number: int, generation: int, genotype: Genotype, accuracy: float) -> Trial:
        return Trial(number, generation, genotype, {"accuracy": accuracy})

    history = [trial(0, 0, (0,), 0.9), trial(1, 0, (1,), 0.8), trial(2, 1, (2,), 0.7), trial(3, 2, (3,), 0.6)]
    goals = [HIGH_ACCURACY]
    alive = [t.genotype for t in Evolution(population=2).survivors(history, goals)]
    assert alive == [(0,), (1,)]
    ageing = Evolution(population=2, lifetime=2)
    assert [t.genotype for t in ageing.survivors(history, goals)] == [(3,)]
    again = [*history, trial(4, 2, (0,), 0.65)]
    assert [t.genotype for t in ageing.survivors(again, goals)] == [(0,), (3,)]
    assert best(again, goals) == history[1]


def test_the_best_with_one_goal_follows_its_direction_and_the_first_of_equals_wins() -> None:
    history = trials([(0.5, 7), (0.9, 3), (0.9, 9), (0.1, 3)])
    assert best(history, [HIGH_ACCURACY]) == history[1]
    assert best(history, [FEW_PARAMS]) == history[1]
    assert best(history, [FEW_PARAMS, Goal("minimize", Accuracy())]) == history[3]
    assert best([Trial(0, 0, (0,), None, failure="out of memory")], [HIGH_ACCURACY]) is None


# Does it search?


@pytest.mark.parametrize("searcher", [Evolution(population=20, generations=10), Nsga2(population=20, generations=10)])
def test_evolution_counts_ones_better_than_random_search(searcher: Searcher) -> None:
    domain = SearchDomain(Flat([2] * 30))

    def reached(searcher: Searcher, seed: int) -> float:
        return best(search(searcher, domain, [HIGH_ACCURACY], seed), [HIGH_ACCURACY]).values["accuracy"]

    control = RandomSearch(population=20, generations=10)
    pairs = [(reached(searcher, seed), reached(control, seed)) for seed in range(3)]
    assert all(found > drawn + 0.2 for found, drawn in pairs)


def test_nsga2_covers_more_of_two_goals_than_random_search() -> None:
    # Zeros lead and ones trail (Laumanns et al., 2002): the whole front has i leading ones followed by zeros.
    n, goals = 16, [HIGH_ACCURACY, FEW_PARAMS]

    def lotz(genotype: Genotype) -> dict[str, float]:
        leading = next((i for i, gene in enumerate(genotype) if gene == 0), n)
        trailing = next((i for i, gene in enumerate(reversed(genotype)) if gene == 1), n)
        return {"accuracy": leading, "params": -trailing}

    def volume(searcher: Searcher, seed: int) -> float:
        """The area that the front dominates above (0, 0)."""
        members = front(search(searcher, SearchDomain(Flat([2] * n)), goals, seed, lotz), goals)
        corners = sorted({(t.values["accuracy"], -t.values["params"]) for t in members})
        lefts = [0.0, *(x for x, _ in corners)]
        return sum((x - left) * y for (x, y), left in zip(corners, lefts, strict=False))

    for seed in range(3):
        evolved = volume(Nsga2(population=20, generations=20), seed)
        assert evolved > 1.3 * volume(RandomSearch(population=20, generations=20), seed)
        assert evolved <= n * (n - 1) / 2 + n


def data() -> Path:
    return Path(os.environ.get("ATNAS_DATA") or Path(__file__).parents[2] / "shared" / "data")


def test_evolution_finds_the_best_of_nas_bench_201_in_500_evaluations() -> None:
    table = data() / "nasbench201" / "nasbench201.npz"
    if not table.exists():
        pytest.skip(f"needs the NAS-Bench-201 table, {table}")
    import numpy as np

    with np.load(table) as arrays:
        cells, accuracy = arrays["ops"].tolist(), arrays["valid_acc"][:, 1].tolist()
    known = {tuple(cell): value for cell, value in zip(cells, accuracy, strict=True)}
    domain = SearchDomain(Flat([5] * 6))

    def reached(searcher: Searcher) -> float:
        runs = [search(searcher, domain, [HIGH_ACCURACY], seed, lambda g: {"accuracy": known[g]}) for seed in range(5)]
        assert all(len(history) == 500 for history in runs)
        return fmean(best(history, [HIGH_ACCURACY]).values["accuracy"] for history in runs)

    evolved = reached(Evolution(population=50, generations=10))
    assert max(accuracy) == pytest.approx(73.49, abs=0.01)
    assert evolved > max(accuracy) - 0.1
    assert evolved > reached(RandomSearch(population=50, generations=10)) + 0.5


# Objectives


class Table:
    """An evaluation that remembers what it was asked."""

    def __init__(self, scores: Sequence[float]) -> None:
        self.scores = scores
        self.asked: list[tuple[int, str]] = []

    def cost(self, genotype: Genotype) -> dict[str, int]:
        return {"params": 10 * genotype[0], "flops": 20 * genotype[0]}

    def adapted(self, genotype: Genotype, tasks: int, measure: str) -> Sequence[float]:
        del genotype
        self.asked.append((tasks, measure))
        return self.scores


def test_costs_are_exact_and_adapted_scores_come_with_the_standard_error_of_their_mean() -> None:
    table = Table([0.2, 0.4, 0.4, 0.6])
    assert Params().evaluate((3,), table) == Measurement(30, 0.0)
    assert Flops().evaluate((3,), table) == Measurement(60, 0.0)
    accuracy = Accuracy(tasks=4).evaluate((3,), table)
    assert accuracy.value == pytest.approx(0.4)
    # Squared deviations sum to 0.08: s^2 = 0.08 / 3, over 4 tasks.
    assert accuracy.standard_error == pytest.approx(math.sqrt(0.08 / 3 / 4))
    TaskLoss(tasks=4).evaluate((3,), table)
    assert table.asked == [(4, "accuracy"), (4, "loss")]
    assert Accuracy.losses == ("cross_entropy",)
    assert "mse" in TaskLoss.losses


def test_settings_out_of_range_are_refused() -> None:
    for make in (
        lambda: Accuracy(tasks=1),
        lambda: Evolution(population=0),
        lambda: Evolution(lifetime=0),
        lambda: Nsga2(mutate=0),
        lambda: Nsga2(crossover=2),
    ):
        with pytest.raises(MisfitError):
            make()
    with pytest.raises(TypeError, match="Nsga2 has no setting `tournament`"):
        Nsga2(tournament=3)


def test_what_is_built_in_comes_through_entry_points() -> None:
    assert [load("searchers", name) for name in ("random", "evolution", "nsga2")] == [
        RandomSearch,
        Evolution,
        Nsga2,
    ]
    for name in ("params", "macs", "flops", "activations", "depth", "accuracy", "loss"):
        assert load("objectives", name).name == name


def test_describing_a_search_loads_no_numerics() -> None:
    program = (
        "import sys; from atnas.dsl.plugins import GROUPS, entries, load\n"
        "from atnas.dsl.settings.describe import describe\n"
        "found = [load(g, n) for g in ('searchers', 'objectives') for n in entries(g)]\n"
        "[model() for model in found if not any(field.required for field in describe(model))]\n"
        "print(sorted({'torch', 'numpy', 'deap', 'networkx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# The record


values = st.none() | st.dictionaries(st.sampled_from(["accuracy", "params"]), st.floats(-LARGEST, LARGEST))


@given(st.lists(st.integers(0, 9)).map(tuple), values, st.none() | st.text())
def test_a_trial_survives_its_line(genotype: Genotype, values: dict[str, float] | None, failure: str | None) -> None:
    trial = Trial(3, 1, genotype, values, {"accuracy": 0.01}, failure, 1.5)
    line = line_of(trial.to_record())
    assert "\n" not in line
    assert Trial.from_record(record_of(line.encode(), sealed=True)) == trial


def test_a_value_that_is_no_number_is_still_json() -> None:
    line = line_of(Trial(0, 0, (1,), {"accuracy": float("inf"), "params": 5}).to_record())
    assert json.loads(line)["values"] == {"accuracy": None, "params": 5}
    assert math.isnan(Trial.from_record(record_of(line.encode(), sealed=True)).values["accuracy"])


def test_reading_leaves_out_a_line_cut_anywhere_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    assert read_trials(path) == []
    whole = [Trial(i, 0, (i, 1), {"accuracy": 0.5}) for i in range(3)]
    data = "".join(line_of(trial.to_record()) + "\n" for trial in whole).encode()
    last = len(data) - len(line_of(whole[2].to_record())) - 1
    for cut in range(last, len(data)):
        path.write_bytes(data[:cut])
        assert read_trials(path) == whole[:2]
    path.write_bytes(data)
    assert read_trials(path) == whole


@pytest.mark.parametrize("damage", [b"\xff\xfe\n", b"{}\n", b"[1]\n", b"7\n", b"\n", b'{"number": 1\n'])
def test_damage_before_the_end_is_one_sentence_with_the_line(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "trials.jsonl"
    line = line_of(Trial(0, 0, (1,), {"accuracy": 0.5}).to_record()).encode() + b"\n"
    path.write_bytes(line + damage + line)
    with pytest.raises(Unable, match=r"line 2 of .*trials\.jsonl is damaged"):
        read_trials(path)
    with pytest.raises(Unable, match="cannot be read"):
        read_trials(tmp_path)
