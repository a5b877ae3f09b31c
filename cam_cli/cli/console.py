"""What a run tells people: stderr, and through `Stdout` the data."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cam_cli.outputs.record import json_line
from cam_cli.specs.run import TerminalSpec
from cam_cli.tasks.outcome import Outcome
from cam_cli.tasks.summary import Summary, counted
from cam_cli.types import IMAGE_FLAGS, MAP_FLAGS

from .boundary import Stop
from .stdout import Stdout
from .verdict import gates_table, numbers_table

if TYPE_CHECKING:
    from cam_cli.tasks.train import Outcome as Trained

EVERY = 30.0  # seconds between progress lines where there is no terminal to draw a bar in


class People(Console):
    """stderr. When nobody reads it any more, nothing is said and nothing else changes."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


class Terminal:
    """The listener of a run."""

    def __init__(self, spec: TerminalSpec, stop: Stop):
        self.spec, self.stop, self.stdout = spec, stop, Stdout()
        self.stderr = People(stderr=True, quiet=spec.quiet or not sys.stderr, highlight=False, soft_wrap=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            console=self.stderr,
            transient=True,
            disable=spec.quiet or not self.stderr.is_terminal,
        )
        self.explained, self.total, self.failed, self.skipped = 0, 0, 0, 0
        self.began = self.spoke = time.monotonic()
        self.flags_said: set[str] = set()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def say(self, head: str, style: str, text: str) -> None:
        """A line whose head is styled and whose text is shown as it is: names may hold anything."""
        self.stderr.print(Text.assemble((head, style), " ", text))

    def table(self, table: Table) -> None:
        """As wide as it is: a number is never cut."""
        width = Measurement.get(self.stderr, self.stderr.options.update(max_width=1000), table).maximum
        wide = People(stderr=True, quiet=self.stderr.quiet, highlight=False, width=max(width, self.stderr.width))
        wide.print(table)

    def note(self, topic: str, text: str) -> None:
        self.say(f"{topic:<6}", "dim", text)

    def warn(self, text: str) -> None:
        self.say("camtool: warning:", "yellow", text)

    def error(self, kind: str, text: str) -> None:
        """One failed image; said even with --quiet."""
        self.stderr.quiet = not sys.stderr
        self.say(f"camtool: error[{kind}]:", "red", text)
        self.stderr.quiet = self.spec.quiet or not sys.stderr

    def begin(self, total: int, what: str = "explaining", done: int = 0) -> None:
        self.stop.armed = True
        if not gc.isenabled():  # see `main`; what is there by now will not be looked at again
            gc.freeze()
            gc.enable()
        self.total, self.explained, self.failed, self.skipped = total, done, 0, done
        self.began = self.spoke = time.monotonic()
        for task in self.bar.task_ids:  # one bar at a time
            self.bar.remove_task(task)
        self.task = self.bar.add_task(what, total=total, completed=done, pace="")
        self.bar.start()

    def progress(self, done: int, count: int) -> None:
        """A map that takes many passes: on the bar where it stands, else a line each 30 s."""
        if not self.bar.disable:
            self.bar.update(self.task, pace=f"pass {done} of {count}" if done < count else "")
        elif time.monotonic() - self.spoke >= EVERY:
            self.spoke = time.monotonic()
            self.note("so far", f"{self.explained} of {self.total} images, pass {done} of {count} of a map")

    def result(self, record: dict[str, Any], paths: tuple[str, ...], data: bytes | None) -> None:
        self.explained += 1
        if record["error"]:
            self.failed += 1
            self.error(record["error"]["kind"], f"{printable(record['image'])}: {record['error']['message']}")
        self.explain_flags(record)
        if self.spec.json:
            self.stdout.write(json_line(record))
        elif data is not None:
            self.stdout.write(data)
        elif self.bar.disable or not sys.stdout.isatty():
            end = b"\0" if self.spec.print0 else b"\n"
            self.stdout.write(b"".join(os.fsencode(path) + end for path in paths))
        else:  # one terminal shows both: the bar has to make room
            self.stderr.print(*map(Text, map(printable, paths)), sep="\n")
        if self.spec.verbose and not record["error"]:
            self.note("image", f"{printable(record['image'])}: {answer(record)}")
        self.tick()

    def judged(self, image: str, error: Mapping[str, str] | None) -> None:
        self.explained += 1
        if error:
            self.failed += 1
            self.error(error["kind"], f"{printable(image)}: {error['message']}")
        self.tick()

    def left_out(self, image: str, correct: bool | None) -> None:
        self.explained += 1
        if self.spec.verbose:
            self.note("image", f"{printable(image)}: {JUDGED[correct]}, left out")
        self.tick()

    def learnt(self, epoch: Mapping[str, Any], best: bool) -> None:
        self.explained += 1
        text = learnt(epoch)
        if self.spec.verbose:
            self.note("epoch", f"{epoch['number']} of {self.total}: {text}{', the best so far' * best}")
        now = time.monotonic()
        if not self.bar.disable:
            self.bar.update(self.task, completed=self.explained, pace=text)
        elif now - self.spoke >= EVERY and not self.spec.verbose:
            self.spoke = now
            left = (self.total - self.explained) * (now - self.began) / (self.explained - self.skipped)
            self.note("so far", f"epoch {self.explained} of {self.total}, {text}, at most {left:.0f} s left")

    def explain_flags(self, record: dict[str, Any]) -> None:
        """Says what a flag means the first time it comes; all of them stand in the records."""
        flags = [*record["flags"], *(flag for one in record["maps"] for flag in one["flags"])]
        for flag in dict.fromkeys(flags):
            if flag not in self.flags_said:
                self.flags_said.add(flag)
                meaning = IMAGE_FLAGS.get(flag) or MAP_FLAGS[flag]
                self.warn(f"{printable(record['image'])}: {flag}: {meaning} (said once; every record has its flags)")

    def tick(self) -> None:
        now = time.monotonic()
        if not self.bar.disable:
            self.bar.update(self.task, completed=self.explained, pace=self.so_far(now))
        elif now - self.spoke >= EVERY:
            self.spoke = now
            self.note("so far", f"{self.explained} of {self.total} images, {self.so_far(now)}")

    def so_far(self, now: float) -> str:
        """Images a second, time left, failures."""
        pace = (self.explained - self.skipped) / max(now - self.began, 1e-9)
        told = [f"{pace:.1f} images/s"]
        if pace and self.explained < self.total:
            told.append(f"{span((self.total - self.explained) / pace)} left")
        return ", ".join(told + [f"{self.failed} failed"] * bool(self.failed))

    def tell(self, done: Summary | Outcome) -> None:
        if isinstance(done, Outcome):
            self.report(done)
        else:
            self.close(done)

    def close(self, summary: Summary) -> None:
        """The last line: what was done, and where it is."""
        self.bar.stop()
        told = [counted(summary.maps, "map")]
        told += [counted(summary.boxes, "box")] if summary.boxes else []
        words = ("failed", "flagged", "right", "wrong", "left_out")
        told += [f"{getattr(summary, word)} {word.replace('_', ' ')}" for word in words if getattr(summary, word)]
        self.last(summary, told)

    def report(self, outcome: Outcome) -> None:
        """The numbers and gates of an evaluation, and the last line; on stdout the report, or where it is."""
        self.bar.stop()
        if outcome.report:
            self.table(numbers_table(outcome.runs))
            if outcome.gates:
                self.table(gates_table(outcome.gates))
            text = os.fsencode(outcome.report) + (b"\0" if self.spec.print0 else b"\n")
            self.stdout.write(outcome.report.read_bytes() if self.spec.json else text)
        self.last(outcome, [f"{count} {word}" for word in ("failed", "flagged") if (count := getattr(outcome, word))])

    def last(self, done: Summary | Outcome, more: list[str]) -> None:
        told = ", ".join([counted(done.done, done.noun), *more])
        pace = f"{done.pace:.1f} {done.noun}s/s" + (f", {done.before} done before" if done.before else "")
        rest = f"; stopped, {done.not_done} not done" if done.stopped else ""
        self.note("done", f"{told} in {done.seconds:.1f} s ({pace}): {done.where}{rest}")

    def trained(self, outcome: Trained) -> None:
        """What a training came to, and the last line; on stdout the checkpoint's path, or its record."""
        self.bar.stop()
        found, where = outcome.record.get("metrics", {}), outcome.checkpoint
        if where:
            text = os.fsencode(where) + (b"\0" if self.spec.print0 else b"\n")
            self.stdout.write(json.dumps(outcome.record, indent=1).encode() + b"\n" if self.spec.json else text)
        if outcome.nothing:
            self.note("done", f"{where} is trained already; nothing was left to do")
            return
        told = (
            [f"{counted(len(outcome.record['epochs']), 'epoch')}, the best: {found['epoch']}"]
            if where
            else ["no epoch"]
        )
        told += [f"mean average precision {found['classification_ap']:.3f}"] if found.get("classification_ap") else []
        told += [f"{counted(len(outcome.failed), 'image')} failed"] if outcome.failed else []
        rest = "; stopped: --resume goes on" if outcome.stopped else ""
        self.note("done", f"{', '.join(told)} in {outcome.seconds:.1f} s: {where or 'nothing written yet'}{rest}")


def learnt(epoch: Mapping[str, Any]) -> str:
    """The numbers of an epoch."""
    told = [f"loss {epoch['loss']:.3f}"]
    if epoch["val_loss"] is not None:
        told.append(f"to choose by {epoch['val_loss']:.3f}")
    if epoch["val_map"] is not None:
        told.append(f"mAP {epoch['val_map']:.3f}")
    return ", ".join(told)


JUDGED = {True: "right", False: "wrong", None: "neither right nor wrong"}


def answer(record: dict[str, Any]) -> str:
    """The first prediction, the truth, and where each map peaks, for --verbose."""
    best, truth = record["predictions"][0], record["truth"]
    if best["probability"] is None:
        return "scores are not finite"
    told = [f"{best['name']} {best['probability']:.1%}"]
    if truth:
        told.append("right" if record["correct"] else f"wrong, true: {truth['name']} {truth['probability']:.1%}")
    told += [f"{asked(one)} peaks at {one['peak'][0]},{one['peak'][1]}" for one in record["maps"] if one["peak"]]
    return " · ".join(told)


def asked(one: dict[str, Any]) -> str:
    """The class of a map, in words."""
    no, against = "not " if one["sign"] < 0 else "", one["against"]
    return no + str(one["class"]["name"]) + (f" against {against['name']}" if against else "")


def printable(path: str) -> str:
    """A file name for people: what is no printable character is escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode() for one in path)


def span(seconds: float) -> str:
    """How long something takes, for people: 0:42, 12:05, 3:07:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
