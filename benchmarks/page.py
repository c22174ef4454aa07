"""Speed of the web page of `shakegen page`, in headless Chromium.

    python benchmarks/page.py

The default page, as a reader meets it: its size, the time from opening it to the first character, characters per
second, and the longest task, during which it answers to nothing (browsers report none under 50 ms).
Then its engine alone: characters per second, the time of a key (a step and the five likeliest words), and the
connectivity of 200 characters; networks that are not shipped have random weights. Each figure is the best of some
rounds: other programs on the machine only make it worse.
"""

import sys
import tempfile
from pathlib import Path

from measuring import make_parser, print_head, print_row, random_model, random_weights

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser import open_browser
from engine_page import open_engine

from shakegen.export.page.network import describe
from shakegen.export.page.page import write_page
from shakegen.model import AutocompleteModel, load, shelf
from shakegen.network.config import Config
from shakegen.study.autocomplete.outputs import SYMBOLS, Outputs

WORDS, SECONDS = 1 << 14, 4

WATCH = """
window.tasks = [];
new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(one => one.duration)))
  .observe({ type: "longtask", buffered: true });
document.addEventListener("DOMContentLoaded", () => {
  const written = () => document.querySelector("#write .text span");
  const look = () => written() ? window.first = performance.now() : requestAnimationFrame(look);
  look();
});
"""
WRITE = """
const pace = document.querySelector("#write .pace"), done = arguments[1];
pace.value = "Infinity";
pace.dispatchEvent(new Event("input", { bubbles: true }));
pace.dispatchEvent(new Event("change", { bubbles: true }));
const find = name => document.querySelector(`#write .${name}`), count = () => find("text").textContent.length;
if (find("go").textContent !== "Stop") find("go").click();
window.tasks.length = 0;
const length = count(), time = performance.now();
const watch = setInterval(() => {
  const seconds = (performance.now() - time) / 1000;
  if (find("go").textContent === "Stop" && seconds < arguments[0]) return;
  clearInterval(watch);
  done({ rate: (count() - length) / seconds, longest: Math.max(0, ...window.tasks) });
}, 10);
"""
ALONE = """
const network = new Network(arguments[0]), next = random(1), outputs = network.outputs, now = () => performance.now();
const reads = network.task === "autocomplete", best = { rate: 0, key: Infinity, connectivity: Infinity };
let state = network.start();
const write = () => state = network.step(state, draw(probabilities(state.logits, { outputs }), next));
const press = () => {
  state = network.step(state, Math.floor(next() * network.symbols.length), true);
  likeliest(probabilities(state.logits, { outputs }), 5);
};
for (let round = 0; round < arguments[1]; round++) {
  let time = now();
  for (let k = 0; k < 300 && !reads; k++) write();
  best.rate = Math.max(best.rate, 3e5 / (now() - time));
  time = now();
  for (let k = 0; k < 20; k++) press();
  best.key = Math.min(best.key, (now() - time) / 20);
  const ids = Array.from({ length: 200 }, () => Math.floor(next() * network.symbols.length));
  const states = network.read(ids, undefined, true);
  time = now();
  network.connectivity(states, outputs.length - 1);
  best.connectivity = Math.min(best.connectivity, now() - time);
}
return best;
"""


def random_study_model(cell: str) -> AutocompleteModel:
    """A model like the study's, of random weights, of small products."""
    words = Outputs("".join(chr(97 + number // 26**k % 26) for k in range(4)) for number in range(WORDS))
    config = Config.study(cell)
    return AutocompleteModel(config, SYMBOLS, random_weights(config, len(SYMBOLS), len(words), scale=0.8), words=words)


def measure_page(browser, folder: Path, rounds: int) -> None:
    models = {path.stem: load(path) for path in map(shelf.pretrained, ("next", "autocomplete"))}
    path = folder / "page.html"
    path.write_text(write_page(models), "utf-8")
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    browser.set_script_timeout(60)
    opened, written = [], []
    for _ in range(rounds):
        browser.get(path.as_uri())
        browser.execute_async_script(
            "const done = arguments[0], look = () => window.first ? done() : setTimeout(look, 50); look();"
        )
        opened.append(browser.execute_script("return [window.first, Math.max(0, ...window.tasks)]"))
        written.append(browser.execute_async_script(WRITE, SECONDS))
    print_head("the default page", "")
    print_row("size", f"{path.stat().st_size / 1e6:.2f} MB")
    print_row("from opening to the first character", f"{min(first for first, _ in opened):.0f} ms")
    print_row("longest task while it opens", tell_task(min(task for _, task in opened)))
    print_row("characters per second, on the screen", f"{max(one['rate'] for one in written):,.0f}")
    print_row("longest task while it writes", tell_task(min(one["longest"] for one in written)))


def measure_engine(browser, folder: Path, rounds: int) -> None:
    open_engine(browser, folder)
    networks = {
        "the shipped GRU": load(shelf.pretrained("next")),
        "LSTM, 512 units": random_model(Config("lstm", 512, layers=1)),
        "LSTM, 2 × 512 units": random_model(Config("lstm", 512, layers=2)),
        "the shipped autocomplete model": load(shelf.pretrained("autocomplete")),
        "GRU of the study, 2 × 600": random_study_model("gru"),
        "LSTM of the study, 2 × 600": random_study_model("lstm"),
        "Nested LSTM of the study": random_study_model("nlstm"),
    }
    print()
    print_head("network", "characters/s", "a key, ms", "connectivity of 200 characters, ms")
    for name, model in networks.items():
        best = browser.execute_script(ALONE, describe(model, name), rounds)
        rate = f"{best['rate']:,.0f}" if model.task == "next" else ""
        print_row(name, rate, f"{best['key']:.1f}", f"{best['connectivity']:.0f}")


def tell_task(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds else "under 50 ms"


def main():
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name, open_browser(f"{name}/browser") as browser:
        measure_page(browser, Path(name), rounds)
        measure_engine(browser, Path(name), rounds)


if __name__ == "__main__":
    main()
