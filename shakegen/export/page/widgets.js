/* Common to the views: a text that a network reads, work in slices of time, sliders, and fields. */
"use strict";
const SLICE = 12;  // milliseconds of work between two looks at keys and screen
const READ = 2000;  // characters of a text that is shown beside its units, or by several networks

/* A text that a network reads, symbol by symbol. The states on the way stay, so that only changes are read anew. */
class Reading {
  /* keep: states will be asked for gates and memories, or for connectivity. */
  constructor(network, keep = false) {
    this.network = network;
    this.keep = keep;
    this.ids = [];
    this.states = [network.start()];  // states[k] has read k symbols
  }

  get state() { return this.states.at(-1); }

  /* The text of each symbol. */
  get symbols() { return textsOf(this.network, this.ids); }

  /* The bits of surprise at a symbol, kept with the state after it. */
  surpriseAt(index) {
    return this.states[index + 1].surprise ??= surprise(this.states[index].logits, this.ids[index]);
  }

  push(id) {
    this.states.push(this.network.step(this.state, id, this.keep));
    this.ids.push(id);
  }

  cut(length) {
    this.ids.length = Math.min(length, this.ids.length);
    this.states.length = this.ids.length + 1;
  }

  copy(length = this.ids.length) {
    const made = new Reading(this.network, this.keep);
    made.ids = this.ids.slice(0, length);
    made.states = this.states.slice(0, length + 1);
    return made;
  }

  /* Reads these symbols instead of what it had; a generator, which stops after each symbol. */
  * change(ids) {
    let same = 0;
    while (same < ids.length && ids[same] === this.ids[same]) same++;
    this.cut(same);
    for (const id of ids.slice(same)) {
      this.push(id);
      yield;
    }
  }
}

/* Runs the steps of a generator in slices of time, the first at once, and then calls `done` with its result.
   Gives a function that ends it before. */
function inSlices(steps, done) {
  let ended = false;
  function slice() {
    const until = performance.now() + SLICE;
    while (!ended) {
      const step = steps.next();
      if (step.done) return done(step.value);
      if (performance.now() > until) return setTimeout(slice);
    }
  }
  slice();
  return () => { ended = true; };
}

/* The network of a description, made when it is first needed. */
const made = new Map();
function networkOf(description) {
  if (!made.has(description)) made.set(description, new Network(description));
  return made.get(description);
}

/* Fills the select of networks in a view, and hides it where there is one only. Gives what tells the chosen one; its
   `choose` chooses another. */
function chooseNetwork(root, descriptions, change) {
  const label = root.querySelector(".network"), select = label.querySelector("select");
  for (const { name } of descriptions) element("option", select, name);
  label.hidden = descriptions.length < 2;
  select.addEventListener("change", change);
  const chosen = () => networkOf(descriptions[select.selectedIndex]);
  chosen.choose = network => { select.selectedIndex = descriptions.findIndex(one => made.get(one) === network); };
  return chosen;
}

/* Characters or words that a network does not know, in words. */
function describeUnknown(network, unknown) {
  const names = [...new Set(unknown.map(one => one.text))];
  if (!names.length) return "";
  const shown = names.slice(0, 8).map(name => `“${visible(name)}”`).join(", ") + (names.length > 8 ? " …" : "");
  const them = names.length > 1 ? "them" : "it";
  const instead = network.task === "autocomplete" ? "reads a space instead"
    : network.unknown === null ? `leaves ${them} out` : `reads ${them} as unknown`;
  return `The network does not know ${shown} and ${instead}.`;
}

/* The first characters of a text, none of them cut in two. */
const startOf = (text, length) => Array.from(text).slice(0, length).join("");

/* The start of a text as a network reads it: ids, where they start, and words about characters that it does not read.
   whole: the text that it comes from. */
function encodeStart(network, text, whole = text) {
  const { ids, starts, unknown } = network.encode(startOf(text, READ));
  const cut = startOf(whole, READ).length < whole.length ? `Only the first ${count(READ, "character")} are read.` : "";
  const said = [describeUnknown(network, unknown), cut].filter(Boolean).join(" ");
  return { ids, starts, said };
}

const EXAMPLES = ["Shall I compare thee to a summer's day?", "shall i compare thee to a summers day"];

/* The first of some texts that this network can read. */
function beginning(network, ...texts) {
  return texts.find(text => text && !network.encode(text.trimEnd()).unknown.length) ?? "";
}

const symbolName = ({ level }) => level === "char" ? "character" : level;  // of a network
const sum = values => values.reduce((total, value) => total + value, 0);
const bits = value => `${value.toFixed(2)} bits`;
const count = (number, name) => `${number.toLocaleString("en")} ${name}${number === 1 ? "" : "s"}`;
