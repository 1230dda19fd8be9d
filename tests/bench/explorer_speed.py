"""Measure the explorer in a real browser and record it: part of ``make bench``.

What a reader feels: how much is loaded besides the weights, the time from opening the page to
the first answer (weights included, which wait for an idle browser), the time for a further
image, and the longest stretch in which the page could not react while images were computed.
Everything runs on this machine, the server too.
"""

import functools
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from browsers import BUILT, Quiet, chromium, served

from cnncourse import models, results

TOPIC = "bench.explorer"
RUNS = 5
IMAGES = 8

# A long task is one that keeps the page from reacting for more than 50 ms (W3C Long Tasks).
WATCH = """
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const task of list.getEntries()) window.longest = Math.max(longest, task.duration);
    }).observe({type: 'longtask'});
"""
BYTES = """performance.getEntriesByType('resource')
    .filter(({name}) => name.includes('/explorer/') && !name.includes('/networks/'))
    .reduce((sum, {decodedBodySize}) => sum + decodedBodySize, 0)"""
FIRST = """start => document.querySelector('.cnn-status')?.textContent.startsWith(start)
    && performance.now()"""
CLICK = """async ([number, name]) => {
    const status = document.querySelector('.cnn-status');
    const card = document.querySelector(`.cnn-gallery button:nth-child(${number})`);
    status.textContent = '';
    const started = performance.now();
    card.click();
    while (!status.textContent.startsWith(`${name} says`)) {
        await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return performance.now() - started;
}"""


def visit(browser, address: str, name: str) -> dict[str, float]:
    """One reader's visit with one network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/book/explorer.html#network={name}")
    first = page.wait_for_function(FIRST, arg=f"{name} says").json_value()
    page.wait_for_load_state("networkidle")
    page_bytes = page.evaluate(BYTES)
    page.evaluate(WATCH)
    further = [page.evaluate(CLICK, [number, name]) for number in range(2, 2 + IMAGES)]
    page.wait_for_timeout(300)
    longest = page.evaluate("window.longest")
    context.close()
    return {
        "page_bytes": page_bytes,
        f"{name}_first_answer": first,
        f"{name}_new_image": statistics.median(further),
        f"{name}_longest_task": longest,
    }


def main() -> None:
    if not BUILT.is_dir():
        sys.exit("There is no built book; run `make book` first.")
    measured: dict[str, list[float]] = {}
    with (
        chromium() as browser,
        served(functools.partial(Quiet, directory=str(BUILT))) as address,
    ):
        for _ in range(RUNS):
            for name in models.NETWORKS:
                for key, value in visit(browser, address, name).items():
                    measured.setdefault(key, []).append(value)
    values = {}
    for key, numbers in measured.items():
        middle = statistics.median(numbers)
        values[key] = {
            "value": round(middle),
            "unit": "bytes" if key == "page_bytes" else "ms",
            "tolerance": round(max(abs(number - middle) for number in numbers)),
        }
    results.record(TOPIC, values, command="make bench")
    for key, entry in values.items():
        sys.stdout.write(f"{key}: {entry['value']:,} ± {entry['tolerance']:,} {entry['unit']}\n")


if __name__ == "__main__":
    main()
