"""`atnas`: the entry point, exit codes and what a user sees of an error.

0 fine; 1 findings in the user's files; 2 it could not be done; 70 a fault of ours; 130 interrupted.
"""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from atnas import __version__
from atnas.dsl.errors import Findings, Unable

COMMANDS = {
    "new": "Begin a project: a commented experiment, a workflow for GitHub, hooks for pre-commit.",
    "check": "Check files: names, arguments and shapes of every architecture.",
    "fmt": "Format files: one style, comments kept.",
    "info": "What a file holds: spaces, their sizes and costs, experiments, tasks.",
    "sample": "Draw architectures of a space, each as likely as any other.",
    "graph": "Draw a space, or an architecture of it, as SVG.",
    "latency": "Measure every layer that a space can have on this machine.",
    "diff": "What a change of a file means for its spaces, experiments and weights.",
    "compile": "Compile an experiment into one artifact file.",
    "run": "Meta-train, search and judge an experiment.",
    "runs": "List runs and compare what they found.",
    "report": "One page of what a run found and how, or of several runs.",
    "adapt": "Adapt what a run found to a folder of images that nobody has seen.",
    "predict": "Tell what images show, by a model that was adapted.",
    "reduce": "Find the smallest architecture that fails as one of a run did, and where.",
    "export": "Write what a run found as PyTorch source, ONNX or torch.export.",
    "list": "Operators, tasks, trainers, objectives and searchers that are installed.",
    "explain": "What a finding's code means, and its cure.",
    "lsp": "The language server, for editors.",
    "doctor": "What this machine offers, and what is missing.",
}

SHORT = {"check", "fmt", "list", "explain", "runs", "report"}
"""Commands that are done before it pays to look for garbage: what they make, they need to the end."""

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""What the system answers where nothing more can be written."""

ISSUES = "please report this with the text above"


class Lazy(click.Group):
    """Imports a command only when it is asked for, so that `check` loads nothing heavy."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            from atnas.dsl.findings.suggest import nearest

            close = nearest(cmd_name, list(COMMANDS))
            ctx.fail(f"There is no command `{cmd_name}`" + (f"; did you mean `{close}`?" if close else ""))
        command: click.Command = import_module(f"atnas.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with their lines, none of them imported."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command. That its reader went away, as `head` does, is no failure. Raises `Unable` on a full disk."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except OSError as error:
            if not isinstance(error, BrokenPipeError) and error.errno not in FULL:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if not isinstance(error, BrokenPipeError):
                raise Unable(f"cannot write: {error.strerror}") from error
            return 0
        return result


@click.group(cls=Lazy, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="atnas")
@click.pass_context
def atnas(ctx: click.Context) -> None:
    """Neural architecture search across tasks."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Runs the command line and exits."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a character that the terminal does not know is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    if SHORT.intersection(sys.argv[1:2]):
        gc.disable()
    sys.exit(guarded())


def guarded(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line, that of the process if none is given; every end is an exit code."""
    try:
        result = atnas.main(arguments, prog_name="atnas", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        return _told(error.format_message(), 2)
    except Unable as error:
        if os.environ.get("ATNAS_DEBUG") == "1":
            _trace()
        return _told(str(error), 2)
    except Findings as error:
        from atnas.cli.check import report

        return report(error.findings)
    except (KeyboardInterrupt, click.Abort):
        return _told("interrupted", 130)
    except Exception:
        _trace()
        return _told(f"this is a fault of atnas {__version__}: {ISSUES}", 70)


def _trace() -> None:
    import traceback

    traceback.print_exc()


def _told(sentence: str, code: int) -> int:
    click.echo(f"atnas: {sentence}", err=True)
    return code
