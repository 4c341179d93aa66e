"""`vidgan benchmark`: the papers' tables, trained and measured on equal terms."""

import shlex
import sys
from pathlib import Path

from .shared import print_json


def benchmark(options) -> None:
    from ..benchmark.report import markdown, publish, write
    from ..benchmark.run import Budget, results, run
    from ..benchmark.suites import SUITES, find_suites

    if options.list:
        for suite in SUITES.values():
            print(f"{suite.name:16} {suite.source}: {suite.claim} ({', '.join(row.name for row in suite.rows)})")
        return
    budget = Budget(
        options.budget, options.seeds, options.clips, options.scale, options.batch, options.threads, options.device,
        options.first_seed,
    )  # fmt: skip
    out = Path(options.out).expanduser()
    suites, data = find_suites(options.suite), options.data.split(",")
    command = shlex.join(["vidgan", "benchmark", "--suite", options.suite, "--data", options.data,
                          "--budget", str(options.budget), "--seeds", str(options.seeds)])  # fmt: skip
    if not options.report:
        run(suites, data, budget, out, lambda line: print(line, file=sys.stderr, flush=True), options.rows)
    found = write(results(out), out)
    if options.publish:
        publish(found, out, command)
    print_json(found) if options.json else print(markdown(found, command))
