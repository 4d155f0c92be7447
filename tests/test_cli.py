"""The command line as scripts and CI rely on it: exit codes, one sentence for each failure, clean pipes."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import TINY, Ended, atnas, run, sentence, spawned
from hypothesis import given
from hypothesis import strategies as st

from atnas.cli.main import COMMANDS
from atnas.cli.progress import Lines
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.modules import Module
from atnas.dsl.source import Span
from atnas.runtime.watch import Progress

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.atnas"))
READERS = ("check", "info", "sample", "compile", "run")
"""The commands that take a file."""

WRONG_SHAPE = """\
space wrong [image: (1, 8, 8)] -> logits: (5) {
  logits = image -> conv(8, 3) -> linear(5)
}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.atnas"
    file.write_text(TINY)
    return file


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a command leaves in its folder is left here."""
    monkeypatch.chdir(tmp_path)


# 0, 1 and 2


def test_a_good_file_is_fine(tiny: Path) -> None:
    assert atnas("check", tiny) == Ended(0, "", "1 file checked: nothing to report\n")


@pytest.mark.parametrize("command", READERS)
def test_a_file_with_a_mistake_has_a_finding(command: str, tmp_path: Path) -> None:
    (tmp_path / "typo.atnas").write_text(TINY.replace("relu", "rely"))
    ended = atnas(command, tmp_path / "typo.atnas")
    assert ended.code == 1
    # What `check` is asked for are the findings; where the data is something else, they keep out of its way.
    report = ended.out if command == "check" else ended.err
    assert "help: did you mean `relu`?" in report
    assert f"{tmp_path}/typo.atnas:1:29" in report
    assert ended.err.endswith("1 error in 1 file\n")
    assert command == "check" or ended.out == ""


@pytest.mark.parametrize("command", READERS)
def test_a_shape_that_cannot_work_is_a_finding(command: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.atnas").write_text(WRONG_SHAPE)
    ended = atnas(command, tmp_path / "wrong.atnas")
    assert ended.code == 1
    assert "wrong.atnas:2:" in ended.out + ended.err


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.atnas", "nowhere.atnas is not there"),
        ("binary.atnas", "binary.atnas is not a text in UTF-8"),
        ("zeros.atnas", "zeros.atnas is a binary file"),
        ("nowhere/../\0.atnas", "no path of a file"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(command: str, name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "binary.atnas").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "zeros.atnas").write_bytes(bytes(1000))
    ended = atnas(command, name)
    assert ended.code == 2
    assert said in sentence(ended)


@pytest.mark.parametrize("command", ["info", "sample", "compile", "run"])
def test_a_folder_is_no_file(command: str, tmp_path: Path) -> None:
    ended = atnas(command, tmp_path)
    assert ended.code == 2
    assert sentence(ended) == f"{tmp_path} is a folder; name a file in it"


def test_a_file_that_may_not_be_read(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> bytes:  # what the system says; not by chmod, since root may read everything
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refused)
    assert sentence(atnas("check", tiny)) == f"{tiny} cannot be read: Permission denied"


def test_a_folder_that_holds_no_source(tmp_path: Path) -> None:
    ended = atnas("check", tmp_path)
    assert ended.code == 2
    assert sentence(ended) == f"there is no .atnas file below {tmp_path}"


def test_an_empty_file_is_a_program_that_declares_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty.atnas"
    empty.touch()
    assert atnas("check", empty).code == 0
    assert json.loads(atnas("info", empty, "--json").out)["spaces"] == []
    ended = atnas("run", empty)
    assert ended.code == 2
    assert f"{empty} declares no experiment" in sentence(ended)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_a_file_cut_in_the_middle_is_never_a_crash(example: Path, tmp_path: Path) -> None:
    text = example.read_bytes()
    folder = tmp_path / "cut"
    folder.mkdir()
    for piece in range(30):
        (folder / f"{piece:02}.atnas").write_bytes(text[: len(text) * piece // 30])
    ended = atnas("check", folder, "--format", "concise")
    assert ended.code in (0, 1), ended.err
    assert "Traceback" not in ended.err
    # A list of settings that stops before its end is wrong wherever it stops.
    assert {line.split(":")[0][-8:-6] for line in ended.out.splitlines()} >= {"29"}


@given(st.text(max_size=200))
def test_no_text_is_a_crash(text: str) -> None:
    ended = atnas("check", "-", stdin=text.encode(errors="surrogatepass"))
    assert ended.code in (0, 1, 2)
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("example", "cure"), [("omniglot", "download = true"), ("cifar_fs", "cifar100/train/<class>/*.png")]
)
def test_data_that_is_not_there_is_told_with_the_cure(example: str, cure: str, tmp_path: Path) -> None:
    file = ROOT / "examples" / f"{example}.atnas"
    assert atnas("check", file).code == 0
    ended = spawned("run", file, ATNAS_DATA=str(tmp_path))
    assert ended.code == 2
    assert "ATNAS_DATA" in sentence(ended)
    assert cure in sentence(ended)
    assert not (tmp_path / "runs").exists()


# Flags


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("train.iterations", "--set train.iterations: write KEY=VALUE, such as train.iterations=500"),
        ("train.iterations=", "--set train.iterations=: write KEY=VALUE, such as train.iterations=500"),
        ("train.iterations=a b", "--set train.iterations=a b: the value is not an expression of the language"),
        ("train.iterations=many", "--set train.iterations=many: `iterations` takes a whole number, not `many`"),
        ("train.iterations=0", "--set train.iterations=0: `iterations` must be at least 1"),
        ("train.iteration=5", "did you mean `iterations`?"),
        ("trains.iterations=5", "--set trains.iterations: write DECLARATION.SETTING, where DECLARATION is one of"),
        ("iterations=5", "--set iterations: write DECLARATION.SETTING"),
        ("meta.outer.momentum=5", "`outer` is not set in `train meta`; set it as a whole"),
    ],
)
def test_a_wrong_setting(tiny: Path, setting: str, said: str) -> None:
    ended = atnas("run", tiny, "--set", setting)
    assert ended.code == 2
    assert said in sentence(ended)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "did you mean `check`?"),
        (["check", "--frmat", "json"], "Did you mean '--format'?"),
        (["run"], "Missing argument 'FILE'"),
        (["run", "{}", "--workers", "0"], "'--workers'"),
        (["run", "{}", "--out", "{}"], "is a file"),
        (["run", "{}", "--experiment", "tin"], "has no experiment `tin`; did you mean `tiny`?"),
        (["compile", "{}", "--experiment", "other"], "has no experiment `other`; it has tiny"),
        (["compile", "{}", "-o", "no/such/folder.atnasc"], "could not be written: No such file or directory"),
        (["compile", "-"], "give one with -o"),
        (["info", "{}", "--space", "mpl"], "has no space `mpl`; did you mean `mlp`?"),
        (["list", "op"], "'op' is not one of"),
        (["list", "ops", "cnv"], "did you mean `conv`?"),
    ],
)
def test_a_wrong_flag_or_argument(tiny: Path, arguments: list[str], said: str) -> None:
    ended = atnas(*(argument.format(tiny) for argument in arguments), stdin=TINY)
    assert ended.code == 2
    assert said in sentence(ended)


def test_a_file_of_several_experiments_asks_which(tmp_path: Path) -> None:
    twice = TINY + TINY[TINY.index("experiment tiny") :].replace("tiny", "other")
    (tmp_path / "two.atnas").write_text(twice)
    ended = atnas("compile", "two.atnas")
    assert ended.code == 2
    assert sentence(ended) == "two.atnas has several experiments; choose one with --experiment: tiny, other"
    assert atnas("compile", "two.atnas", "--experiment", "other").code == 0


def test_a_device_that_is_not_there(tiny: Path) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    ended = run(tiny, tiny.parent / "out", "--device", "cuda")
    assert ended.code == 2
    assert sentence(ended).startswith("PyTorch finds no CUDA device: use --device cpu")


def test_a_space_that_its_constraints_leave_empty(tmp_path: Path) -> None:
    (tmp_path / "none.atnas").write_text(TINY.replace("4..12 step 4", "4..12 step 4\n  require width >= 100"))
    shown = atnas("info", "none.atnas", "--json")
    assert shown.code == 1
    assert json.loads(shown.out)["spaces"][0]["architectures"] == "0"
    for command in (("info",), ("sample",), ("compile",), ("run",)):
        ended = atnas(*command, "none.atnas")
        assert ended.code == 1
        assert "error[E408]: no architecture meets this\n --> none.atnas:5:3" in ended.err
    (tmp_path / "few.atnas").write_text(TINY.replace("finalists   = 2", "require params <= 1"))
    ended = run(tmp_path / "few.atnas", tmp_path / "out")
    assert ended.code == 1
    assert "loosen it: `params` goes from 13 to 193" in ended.err
    assert not (tmp_path / "out").exists()


def test_different_functions_are_counted_where_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "skips.atnas").write_text(TINY.replace("(relu | tanh)", "(skip | skip -> skip | relu)"))
    space = json.loads(atnas("info", "skips.atnas", "--json", "--unique").out)["spaces"][0]
    assert (space["architectures"], space["unique"]) == ("36", "18")
    assert json.loads(atnas("info", "skips.atnas", "--json").out)["spaces"][0]["unique"] is None
    assert "18 of them are different functions" in atnas("info", "skips.atnas", "--unique").out


def test_architectures_are_drawn_as_lines_of_json(tiny: Path) -> None:
    drawn = atnas("sample", tiny, "-n", 200, "--seed", 3)
    lines = [json.loads(line) for line in drawn.out.splitlines()]
    assert len(lines) == 200
    assert len({json.dumps(line) for line in lines}) == 18
    assert all(("y.layer[1]" in json.dumps(line)) == (line["y.layer.depth"] == 2) for line in lines)
    assert drawn.err == ""
    assert atnas("sample", tiny, "-n", 200, "--seed", 3).out == drawn.out
    assert atnas("sample", tiny, "-n", 200, "--seed", 4).out != drawn.out


def test_how_many_draws_met_the_constraints_is_told(tmp_path: Path) -> None:
    (tmp_path / "half.atnas").write_text(TINY.replace("4..12 step 4", "4..12 step 4\n  require params <= 60"))
    drawn = atnas("sample", "half.atnas", "-n", 5)
    assert drawn.err.endswith(" of the draws met the constraints; the others were drawn again\n")
    assert len(drawn.out.splitlines()) == 5


# What goes in


def test_standard_input_is_a_file() -> None:
    assert atnas("check", "-", stdin=TINY).code == 0
    assert atnas("check", "-", stdin=TINY.replace("relu", "rely")).code == 1
    assert json.loads(atnas("info", "-", "--json", stdin=TINY).out)["spaces"][0]["architectures"] == "18"
    assert atnas("compile", "-", "-o", "out.atnasc", stdin=TINY).code == 0
    assert atnas("info", "-", stdin=b"\xff\xfe").code == 2
    assert "standard input is not a text in UTF-8" in sentence(atnas("info", "-", stdin=b"\xff\xfe"))


def test_line_ends_and_byte_order_marks_of_windows_are_read(tmp_path: Path) -> None:
    (tmp_path / "windows.atnas").write_bytes(b"\xef\xbb\xbf" + TINY.replace("\n", "\r\n").encode())
    assert atnas("check", "windows.atnas").code == 0


def test_a_folder_is_all_sources_below_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("one.atnas", "a/two.atnas", "a/b/three.atnas"):
        (tmp_path / name).write_text(TINY)
    (tmp_path / "a" / "notes.txt").write_text("no program")
    assert atnas("check", tmp_path).err == "3 files checked: nothing to report\n"
    assert atnas("check").err == "3 files checked: nothing to report\n"
    (tmp_path / "a" / "two.atnas").write_text("op")
    assert atnas("check", "a", "one.atnas").code == 1


# What comes out


def test_files_that_use_each_other_are_told_once(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.atnas").write_text(f'use "{other}.atnas" ({other})\nop {name}(c) = {other}(c)\n')
    found = atnas("check", "--format", "concise", str(tmp_path))
    assert found.code == 1
    assert [line.partition(": ")[2] for line in found.out.splitlines()] == [
        "E103 these files use each other: " + " -> ".join(str(tmp_path / f"{name}.atnas") for name in "abca")
    ]


def test_findings_as_json(tmp_path: Path) -> None:
    (tmp_path / "typo.atnas").write_text("# ä\n" + TINY.replace("relu", "rely"))
    ended = atnas("check", "typo.atnas", "--format", "json")
    report = json.loads(ended.out)
    assert ended.code == 1
    assert list(report) == ["version", "findings", "summary"]
    assert report["version"] == 1
    assert report["summary"] == {"files": 1, "errors": 1, "warnings": 0}
    (finding,) = report["findings"]
    assert set(finding) == {"code", "severity", "message", "help", "file", "start", "end", "labels"}
    assert (finding["severity"], finding["file"], finding["labels"]) == ("error", "typo.atnas", [])
    # Lines and columns from 1 in characters, offsets from 0: of a file whose first line has an umlaut.
    assert finding["start"] == {"line": 2, "column": 29, "offset": 4 + 28}
    assert finding["end"] == {"line": 2, "column": 33, "offset": 4 + 32}
    assert ended.err == ""


def test_findings_one_a_line(tmp_path: Path) -> None:
    (tmp_path / "typo.atnas").write_text(TINY.replace("relu", "rely").replace("sinusoid", "sinus"))
    lines = atnas("check", "typo.atnas", "--format", "concise").out.splitlines()
    assert [re.sub(r"(E\d+) .*", r"\1", line)[:19] for line in lines] == ["typo.atnas:1:29: E1", "typo.atnas:9:12: E5"]


def test_warnings_fail_only_where_they_are_to(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def warned(module: Module, _: object) -> list[Diagnostic]:
        return [Diagnostic("W000", Span(module.source, 0, 2), "this may be meant otherwise")]

    monkeypatch.setattr("atnas.runtime.checking.scan", warned)
    plain = atnas("check", tiny)
    assert plain.code == 0
    assert "warning[W000]: this may be meant otherwise" in plain.out
    assert plain.err == "1 warning in 1 file\n"
    assert atnas("check", tiny, "--strict").code == 1


def test_what_a_space_is_as_json(tiny: Path) -> None:
    whole = json.loads(atnas("info", tiny, "--json").out)
    assert list(whole) == ["version", "spaces", "experiments", "tasks"]
    (space,) = whole["spaces"]
    costs = ["params", "macs", "flops", "activations", "depth"]
    ends = ["attained", "distribution", "constraints"]
    assert list(space) == ["name", "inputs", "outputs", "decisions", "architectures", "unique", *costs, *ends]
    width, depth, first, second = space["decisions"]
    assert width == {"name": "width", "kind": "number", "options": [4, 8, 12], "when": None}
    assert (depth["name"], depth["options"], depth["when"]) == ("y.layer.depth", [1, 2], None)
    assert (first["options"], first["when"]) == (["relu", "tanh"], None)
    assert second["when"] == "y.layer.depth = 2"
    # One or two layers of 4, 8 or 12 units, each relu or tanh, and a head: 3 * (2 + 4) architectures.
    assert space["architectures"] == "18"
    assert space["params"] == {"min": 4 * 2 + 5, "max": 12 * 2 + 12 * 13 + 13}
    assert space["depth"] == {"min": 2, "max": 3}
    assert space["attained"]["params"]["max"]["width"] == 12
    assert space["attained"]["depth"]["min"]["y.layer.depth"] == 1
    spread = space["distribution"]
    assert (spread["of"], spread["architectures"]) == ("every architecture", 18)
    assert spread["depth"] == {"low": 2, "high": 3, "counts": [6, 12]}
    assert space["constraints"] == []
    assert whole["experiments"] == [
        {"name": "tiny", "space": "mlp", "tasks": "waves", "train": "meta", "search": "evolve"}
    ]
    assert whole["tasks"][0]["loss"] == "mse"


def test_extensions_are_listed_with_their_parameters() -> None:
    lines = atnas("list", "ops").out.splitlines()
    assert next(line for line in lines if line.startswith("conv ")).split(maxsplit=1)[1]
    found = json.loads(atnas("list", "trainers", "maml", "--json").out)["trainers"][0]
    assert found["name"] == "maml"
    assert {"order", "inner", "steps"} <= {parameter["name"] for parameter in found["parameters"]}
    assert "kernel" in atnas("list", "ops", "conv").out


def test_no_colour_where_there_is_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "typo.atnas").write_text(TINY.replace("relu", "rely"))
    for arguments in (("check", "typo.atnas"), ("info", "-"), ("list", "ops")):
        ended = atnas(*arguments, stdin=TINY)
        assert "\x1b" not in ended.out + ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)])
def test_colour_on_a_terminal_unless_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool
) -> None:
    import pty

    (tmp_path / "typo.atnas").write_text(TINY.replace("relu", "rely"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "atnas", "check", "typo.atnas"]
    done = subprocess.run(command, stdout=inner, stderr=subprocess.DEVNULL, env=os.environ | variables, check=False)
    os.close(inner)
    written = os.read(outer, 10_000)
    os.close(outer)
    assert done.returncode == 1
    assert (b"\x1b[" in written) == coloured


def test_help_comes_without_torch() -> None:
    code = """
import sys
from atnas.cli.main import COMMANDS, guarded
for command in COMMANDS:
    assert guarded([command, "--help"]) == 0, command
assert guarded(["--help"]) == 0 and guarded([]) == 0
heavy = {"torch", "deap", "matplotlib"} & set(sys.modules)
sys.exit(f"{heavy} were imported" if heavy else 0)
"""
    ended = spawned(code=code)
    assert ended.code == 0, ended.err
    for command in COMMANDS:
        assert f"Usage: atnas {command} " in ended.out


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"atnas, version \d+\.\d+\.\d+\S*\n", atnas("--version").out)


def test_doctor_tells_what_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "omniglot").mkdir()
    monkeypatch.setenv("ATNAS_DATA", str(tmp_path))
    ended = atnas("doctor")
    assert ended.code == 0
    assert {line.split()[0] for line in ended.out.splitlines()} == {
        *("atnas", "installed", "extensions", "cpu", "gpu", "memory", "data")
    }
    assert f"ATNAS_DATA = {tmp_path}: omniglot" in ended.out
    monkeypatch.setenv("ATNAS_DATA", str(tmp_path / "nowhere"))
    assert "is no folder that can be read: set it to" in atnas("doctor").out


def test_doctor_tells_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deap", None)
    ended = atnas("doctor")
    assert ended.code == 2
    assert "missing      deap does not import" in ended.out
    assert "pip install --force-reinstall deap" in ended.out


def test_progress_without_a_terminal_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    lines = Lines(clock=lambda: now)
    for step in range(1, 101):
        now += 0.9
        lines.progress(Progress("train", step, 100, loss=1.0, rate=5.0))
        lines.progress(Progress("search", step, 200, score=0.5))
    told = [line.split() for line in capsys.readouterr().err.splitlines()]
    train = [line[1] for line in told if line[0] == "meta-training"]
    assert train == [f"{step}/100" for step in (13, 25, 37, 49, 61, 73, 85, 97, 100)]
    assert all(line[2:] == ["loss", "1.000", "5.0", "tasks/s"] for line in told if line[0] == "meta-training")
    assert sum(line[0] == "search" for line in told) == 8


# How it ends otherwise


def test_a_reader_that_goes_away_is_no_failure() -> None:
    script = f"{sys.executable} -m atnas list ops --json | head -n 1; exit ${{PIPESTATUS[0]}}"
    for command in (script, script.replace(" --json", "")):
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.atnas"
    faulty.write_text("op f(c) = cnov(c, 3)\n")
    for command in (["check", str(faulty)], ["list", "ops"], ["explain", "E101"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "atnas", *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert (done.returncode, done.stderr.splitlines()[-1]) == (2, "atnas: cannot write: No space left on device")


def test_an_interrupted_command_exits_with_130(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("atnas.runtime.checks.Checker.begin", interrupted)
    ended = atnas("check", tiny)
    assert ended.code == 130
    assert ended.err.strip() == "atnas: interrupted"


def test_a_fault_of_ours_exits_with_70_and_shows_where(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> None:
        raise ZeroDivisionError("an accident")

    monkeypatch.setattr("atnas.runtime.checks.Checker.begin", faulty)
    ended = atnas("check", tiny)
    assert ended.code == 70
    assert "Traceback" in ended.err
    assert "ZeroDivisionError: an accident" in ended.err
    assert "fault of atnas" in ended.err.splitlines()[-1]
    assert "report" in ended.err.splitlines()[-1]


def test_atnas_debug_shows_where_a_refusal_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATNAS_DEBUG", "1")
    ended = atnas("check", "nowhere.atnas")
    assert ended.code == 2
    assert "Traceback" in ended.err
    assert ended.err.endswith("atnas: nowhere.atnas is not there\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_while_it_loads_is_130_too(tiny: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    # A test run in the background of a shell inherits that the signal is ignored.
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script = f"{heeded}from atnas.cli.main import main; import atnas.runtime.checks as c\ndef stop(*_): {code}\n"
    ended = spawned("check", tiny, code=script + "c.Checker.begin = stop; main()")
    assert ended.code == 130
    assert "Traceback" not in ended.err
