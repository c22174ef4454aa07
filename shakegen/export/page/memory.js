/* Memory: the text in the colours of single units, and the units that follow something in it. */
"use strict";
const RANKED = 8;
const ENDS = { gate: ["closed", "open"], memory: ["low", "high"], value: ["low", "high"] };
const QUOTES = { "“": "”", "„": "“", "«": "»", '"': '"' };

/* Features that a unit may follow: their values after each character. */
const FEATURES = {
  line(characters) {
    let position = 0;
    return characters.map(character => character === "\n" ? position = 0 : ++position);
  },
  quote(characters) {
    let closing = null, last = "";
    return characters.map(character => {
      if (closing === character || (character === "\n" && last === "\n")) closing = null;
      else closing ??= QUOTES[character] ?? null;
      last = character;
      return Number(closing !== null);
    });
  },
  capital: characters => characters.map(character => Number(character !== character.toLowerCase())),
};

/* A feature after each symbol, which may be a word, or a digit without a text. */
function featureOf(name, symbols) {
  const values = FEATURES[name](Array.from(symbols.join("")));
  let end = -1;
  return symbols.map(symbol => values[end += Array.from(symbol).length] ?? 0);
}

/* Values from -1 to 1, for colours: gates from closed to open, memories as their cell lets them out. */
function shadesOf(values, kind) {
  if (kind === "gate") return values.map(value => 2 * value - 1);
  if (kind === "memory") return values.map(Math.tanh);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return values.map(value => value / largest);
}

/* Values with a mean of 0, and their deviation. */
function centre(values) {
  const mean = sum(values) / values.length, centred = values.map(value => value - mean);
  return [centred, Math.sqrt(sum(centred.map(value => value * value)) / values.length)];
}

function correlate([first, firstDeviation], [second, secondDeviation]) {
  if (firstDeviation < 1e-9 || secondDeviation < 1e-9) return 0;
  const covariance = sum(first.map((value, index) => value * second[index])) / first.length;
  return covariance / firstDeviation / secondDeviation;
}

function startMemory(root, descriptions, written) {
  const find = name => root.querySelector(`.${name}`), network = chooseNetwork(root, descriptions, restart);
  const area = root.querySelector("textarea"), layer = root.querySelector(".layer select"), signal = find("signal");
  const panels = [0, 1].map(number => makePanel(find("units"), number, look, showUnit));
  const seen = new WeakMap();  // the values that states show
  let reading = null, records = [], chosen = 0, anew = true, stop = () => {};  // anew: units are to be chosen

  const kind = () => network().layers[layer.selectedIndex].kinds[signal.value];
  const valuesOf = unit => Float32Array.from(records, record => record[layer.selectedIndex][signal.value][unit]);

  function restart() {
    reading = new Reading(network(), true);
    records = [];
    layer.replaceChildren();
    network().layers.forEach((_, number) => element("option", layer, `${number + 1}`));
    find("layer").hidden = network().layers.length < 2;
    layer.selectedIndex = network().layers.length - 1;
    chooseLayer();
    readAnew();
  }

  function chooseLayer() {
    const { names, kinds } = network().layers[layer.selectedIndex], before = signal.value;
    signal.replaceChildren();
    for (const name of names) element("option", signal, name);
    signal.value = names.includes(before) ? before : names.find(name => kinds[name] === "memory") ?? names[0];
  }

  /* Chooses the best units, too. */
  function readAnew() {
    anew = true;
    read();
  }

  /* Reads the text as far as it has changed, ranks the units, and shows those that are chosen. */
  function read() {
    const { ids, said } = encodeStart(network(), area.value);
    find("unknown").textContent = said;
    stop();
    stop = inSlices(work(ids), best => {
      for (const panel of panels) panel.text.set(reading.symbols);
      chosen = Math.min(chosen, Math.max(0, records.length - 1));
      find("reading").textContent = "";
      showRanking(best);
      showUnits();
    });
  }

  function* work(ids) {
    yield* reading.change(ids);
    const all = [];
    for (const state of reading.states.slice(1)) {
      if (!seen.has(state)) seen.set(state, network().shown(state));
      all.push(seen.get(state));
      yield;
    }
    records = all;
    return yield* rankUnits(find("rank").value);
  }

  /* The best units of the layer, best first; null where the feature is the same all along the text. */
  function* rankUnits(name) {
    if (!records.length) return [];
    const feature = name === "vary" ? null : centre(featureOf(name, reading.symbols)), scores = [];
    if (feature && feature[1] < 1e-9) return null;
    for (let unit = 0; unit < network().units; unit++) {
      const own = centre(shadesOf(valuesOf(unit), kind()));
      scores.push({ unit, score: feature ? correlate(own, feature) : own[1] });
      yield;
    }
    return scores.sort((one, other) => Math.abs(other.score) - Math.abs(one.score)).slice(0, RANKED);
  }

  function showRanking(best) {
    find("note").textContent = best ? "" : "It is the same all along this text: no unit can follow it. Try another text.";
    find("ranking").replaceChildren();
    for (const { unit, score } of best ?? []) {
      const button = element("button", element("li", find("ranking")), `${unit + 1}`);
      element("small", button, score.toFixed(2));
      button.title = find("rank").value === "vary" ? "spread of its values" : "correlation of its values with this feature";
      button.addEventListener("click", () => { panels[0].setUnit(unit); showUnit(0); });
    }
    panels.forEach((panel, number) => {
      panel.slider.max = network().units;
      if (anew && best?.length) panel.setUnit(best[Math.min(number, best.length - 1)].unit);
    });
    if (best?.length) anew = false;
  }

  function showUnits() {
    panels[1].root.hidden = !find("pair").checked;
    find("units").classList.toggle("two", find("pair").checked);
    panels.forEach((_, number) => showUnit(number));
  }

  function showUnit(number) {
    if (!records.length) return;
    const panel = panels[number], unit = panel.unit(), shades = shadesOf(valuesOf(unit), kind());
    panel.title.textContent = `unit ${unit + 1}`;
    panel.ends.forEach((end, side) => { end.textContent = ENDS[kind()][side]; });
    panel.text.paint(index => 0.75 * shades[index]);
    [...find("ranking").children].forEach(item => {
      item.firstChild.setAttribute("aria-pressed", Number(item.firstChild.firstChild.data) === panels[0].unit() + 1);
    });
    look(chosen);
  }

  function look(index) {
    if (index >= records.length || index >= reading.ids.length) return;
    chosen = index;
    for (const { text } of panels) text.mark(index);
    const lines = panels.slice(0, find("pair").checked ? 2 : 1).map(panel => {
      const values = Object.entries(records[index][layer.selectedIndex]);
      const shown = values.map(([name, all]) => `${name} ${all[panel.unit()].toFixed(2)}`);
      return `unit ${panel.unit() + 1}: ${shown.join(", ")}`;
    });
    find("reading").textContent = `After “${visible(reading.symbols[index])}”: ${lines.join("; ")}`;
  }

  area.value = startOf(written.text(), 400) || beginning(network(), ...EXAMPLES);
  if (area.value.includes("\n")) find("rank").value = "line";  // many networks count, and it shows
  area.addEventListener("input", read);
  layer.addEventListener("change", () => { chooseLayer(); readAnew(); });
  signal.addEventListener("change", read);
  find("rank").addEventListener("change", readAnew);
  find("pair").addEventListener("change", showUnits);
  restart();
}

/* One unit along the text, with its slider. */
function makePanel(parent, number, look, show) {
  const root = element("section", parent, "", "unit"), head = element("div", root, "", "row");
  const title = element("h2", head), slider = element("input", head);
  const scale = element("span", head, "", "scale"), low = element("span", scale);
  element("i", scale, "", "both");
  const ends = [low, element("span", scale)];
  Object.assign(slider, { type: "range", min: 1, max: 1, value: 1 });
  slider.setAttribute("aria-label", number ? "the second unit" : "unit");
  slider.addEventListener("input", () => show(number));
  const label = number ? "The text, by the second unit" : "The text, by the unit";
  const text = new ColouredText(element("div", root, "", "text"), label, look);
  const setUnit = unit => { slider.value = unit + 1; };
  return { root, title, slider, ends, text, unit: () => slider.value - 1, setUnit };
}
