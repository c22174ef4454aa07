/* Side by side: one text as each network reads it, and where they differ. */
"use strict";
const FAR = 2;  // bits between networks that differ
const OFFERS = 4;  // bars

/* The bits of surprise at each symbol, null where there is none to tell, for example at unknown symbols. A network of the
   next symbol has read what is before it; one that completes words has read it too, and its surprise is that of the word. */
function* surprisesOf(reading) {
  const { network, ids, states } = reading, found = [];
  const words = network.task === "next" ? null : wordsOf(ids.map(id => network.symbols[id]));
  for (let index = 0; index < ids.length; index++) {
    if (!words) found.push(index && ids[index] !== network.unknown ? reading.surpriseAt(index) : null);
    else {
      const output = network.outputs.indexOf(words[index]);
      found.push(output < 0 ? null : surprise(states[index + 1].logits, output));
    }
    yield;
  }
  return found;
}

/* For each character, the word that it is part of, or that follows the space. */
function wordsOf(characters) {
  return characters.join("").split(/(?= )/).flatMap(part => Array(part.length).fill(part.trim()));
}

function startBeside(root, descriptions, written) {
  const area = root.querySelector("textarea"), networks = descriptions.map(networkOf);
  const unit = networks[0].task === "next" ? "bits/char" : "bits to guess the word";
  const views = networks.map(network => {
    const part = element("section", root.querySelector(".models"), "", "model"), head = element("div", part, "", "row");
    element("h2", head, network.name);
    const figure = element("b", head), unknown = element("p", part, "", "unknown");
    unknown.setAttribute("role", "status");
    const where = element("div", part, "", "text"), side = element("div", part, "", "choices"), title = element("p", side);
    const bars = element("ol", side, "", "bars");
    const view = { network, figure, unknown, title, bars, reading: new Reading(network), starts: [], surprises: [] };
    const label = `The text of ${network.name}`;
    view.text = new ColouredText(where, label, index => look(view.starts[index], index), { rest: 30 });
    return view;
  });
  let stop = () => {}, chosen = null;  // where a symbol starts, and its number

  function read() {
    stop();
    stop = inSlices(readAll(), show);
  }

  function* readAll() {
    for (const view of views) {
      const { ids, starts, said } = encodeStart(view.network, area.value);
      view.unknown.textContent = said;
      view.starts = starts;
      yield* view.reading.change(ids);
      view.surprises = yield* surprisesOf(view.reading);
    }
  }

  function show() {
    const means = views.map(view => {
      const { symbols } = view.reading;
      const known = [...symbols.keys()].filter(index => view.surprises[index] !== null);
      const lengths = known.map(index => view.network.task === "next" ? Array.from(symbols[index]).length : 1);
      return known.length ? sum(known.map(index => view.surprises[index])) / sum(lengths) : null;
    });
    const best = Math.min(...means.filter(mean => mean !== null));
    views.forEach((view, number) => {
      const { ids, network } = view.reading;
      const without = ids.includes(network.unknown) ? `, without unknown ${symbolName(network)}s` : "";
      view.figure.textContent = means[number] === null ? "" : `${means[number].toFixed(2)} ${unit}${without}`;
      view.figure.classList.toggle("best", means[number] === best);
      view.text.set(view.reading.symbols);
      view.text.paint(index => 0.75 * Math.min(1, (view.surprises[index] ?? 0) / SURPRISING));
      view.text.spans.forEach((span, index) => span.classList.toggle("differs", differs(view, index)));
    });
    chosen ??= firstFar();
    look(...chosen);
  }

  function firstFar() {
    const { starts } = views[0], at = Math.max(0, starts.findIndex((_, index) => differs(views[0], index)));
    return [starts[at] ?? 0, at];
  }

  /* Whether the surprise of one network at a place is far from that of another, which reads the same symbol there. */
  function differs(view, index) {
    const own = view.surprises[index], start = view.starts[index];
    return own !== null && views.some(other => {
      const same = other.starts[index] === start ? index : other.starts.indexOf(start);
      const theirs = other.surprises[same] ?? null;
      const reads = ({ reading }, place) => reading.network.symbols[reading.ids[place]];
      return theirs !== null && reads(other, same) === reads(view, index) && Math.abs(theirs - own) >= FAR;
    });
  }

  /* Looks with all networks at a symbol: at that of this number, if it starts at this place of the text, else at the
     one that stands there. */
  function look(start, at) {
    chosen = [start, at];
    for (const { network, reading, starts, surprises, text, title, bars } of views) {
      const index = starts[at] === start ? at : starts.findLastIndex(one => one <= start);
      const next = network.task === "next", own = surprises[index] ?? null;
      text.mark(index);
      bars.replaceChildren();
      title.textContent = "";
      if (index < 0 || index >= reading.ids.length) continue;
      const shares = probabilities(reading.states[next ? index : index + 1].logits, { outputs: network.outputs });
      const right = next ? reading.ids[index] : network.outputs.indexOf(wordsOf(reading.symbols)[index]);
      const ids = likeliest(shares, OFFERS), surprised = own === null ? "" : `: ${bits(own)}`;
      if (network.outputs[right] && !ids.includes(right)) ids.splice(OFFERS - 1, 1, right);
      title.textContent = `“${visible(reading.symbols[index])}”${surprised}`;
      showBars(bars, ids.map(id => [network.outputs[id], shares[id]]), (_, number) => ids[number] === right);
    }
  }

  area.value = startOf(written.text(), 300) || beginning(networks[0], ...EXAMPLES);
  area.addEventListener("input", read);
  read();
}
