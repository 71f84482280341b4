"""`make benchmark`: every variant verified by the real command line, scored, printed."""

import argparse
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .cases import Case, all_cases, chosen
from .clusters import b_cubed, items_of, per_cause
from .driver import Driver, judged
from .results import Results
from .score import Mixture, Score, is_met, score
from .system import servers
from .tables import markdown, replaced
from .trial import Trial

ROOT = Path(".seamline/benchmark")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was chosen; 1 where a goal is missed."""
    options = parsed(arguments)
    cases = all_cases()
    picked = [case for case in chosen(options.only, cases.values()) if case.mode not in options.skip]
    results = Results(options.results.absolute(), options.noise)
    if options.again:
        for seed in options.seeds:
            for case in picked:
                results.forget(case, seed)
    if not options.judge:
        with servers() as ports:
            Driver(results, ports, cases, say).run(picked, options.seeds, options.jobs)
    result, trials = scored(results, cases, picked, options.seeds)
    noise = "all noise on" if options.noise else "noise off"
    text = markdown(result, trials, f"{len(picked)} cases, seeds {', '.join(map(str, options.seeds))}, {noise}.")
    sys.stdout.write(text)
    if options.write is not None:
        document = options.write.read_text(encoding="utf-8") if options.write.exists() else ""
        options.write.write_text(replaced(document, text), encoding="utf-8")
    return 0 if is_met(result) else 1


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="benchmark", description=__doc__)
    parser.add_argument("--only", type=words, default=[], metavar="R04,D*", help="only cases whose id fits")
    parser.add_argument("--skip", type=words, default=[], metavar="many,fault", help="leave out these modes")
    parser.add_argument("--seeds", type=numbers, default=[1, 2, 3, 4, 5], metavar="1,2")
    parser.add_argument("--jobs", type=int, default=1, help="cases side by side; latency wants 1")
    parser.add_argument("--noise", action="store_true", help="all of N01 to N24 at once, on every side")
    parser.add_argument("--again", action="store_true", help="run what has a result already, too")
    parser.add_argument("--judge", action="store_true", help="run nothing, judge what there is")
    parser.add_argument("--results", type=Path, default=ROOT, help=f"where results are kept (default {ROOT})")
    parser.add_argument("--write", type=Path, default=None, metavar="FILE", help="keep the result in this document")
    return parser.parse_args(arguments)


def scored(
    results: Results, cases: Mapping[str, Case], picked: Sequence[Case], seeds: Sequence[int]
) -> tuple[Score, list[Trial]]:
    """The score of the stored reports, and the trials behind it."""
    trials = [trial for seed in seeds for case in picked for trial in judged(results, cases, case, seed)]
    mixed = [
        mixture(case, seed, report["findings"], cases)
        for seed in seeds
        for case in picked
        if case.parts and (report := results.report(case, seed)) is not None
    ]
    return score(trials, mixed), trials


def mixture(case: Case, seed: int, findings: list[dict[str, Any]], cases: Mapping[str, Case]) -> Mixture:
    """How the findings of a mixture were clustered."""
    causes = [cases[part] for part in case.parts if not cases[part].is_neutral]
    return Mixture(case.id, seed, per_cause(findings, causes), b_cubed(items_of(findings, causes)))


def words(text: str) -> list[str]:
    """`a,b` as a list."""
    return [word for word in text.split(",") if word]


def numbers(text: str) -> list[int]:
    """`1,2` as a list."""
    return [int(word) for word in words(text)]


def say(line: str) -> None:
    """Progress: results are data, this is not."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        # Otherwise servers and verifications would be left behind.
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
