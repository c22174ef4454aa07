/* Write: a text that the network goes on with; at every character, the others that could have stood there. */
"use strict";
const PIECE = 1000;  // characters that it writes before it stops by itself
const LONGEST = 20000;  // characters of a text
const KEPT = 20;  // texts that undo brings back
const OFFERED = 10, SMALLEST = 0.0005;  // bars, and the probability of the last one
const SURPRISING = 8;  // bits of the strongest tint

/* A text that is being written: symbols that are given, then drawn ones. */
class Branch {
  /* pending: the ids that are given and not yet read.  given: how many are given.
     spaced: a space follows them, so that the first symbol that is drawn begins with one.
     said: a note on the text that it begins with.
     randomState, turn: they determine the text; the first one of a random state is of turn 0. */
  constructor(reading, { pending = [], given, spaced, said, randomState, turn = 0 }) {
    Object.assign(this, { reading, pending, given, spaced, said, randomState, random: random(randomState + turn) });
  }

  /* This text up to a place, and another symbol there. */
  fork(index, id, randomState, turn) {
    const reading = this.reading.copy(index);
    reading.push(id);
    const spaced = this.spaced && index >= this.given;
    return new Branch(reading, { given: Math.min(this.given, index), spaced, said: this.said, randomState, turn });
  }

  /* The probabilities of the symbol at a place. */
  shares(index, settings) {
    const { network, states } = this.reading, { outputs } = network, first = this.spaced && index === this.given;
    const possible = first ? outputs.map(text => text?.startsWith(" ") ? text : null) : outputs;
    return probabilities(states[index].logits, { ...settings, outputs: possible });
  }

  /* Adds a symbol; tells whether it was drawn. */
  writeOne(settings) {
    const { reading, pending } = this, drawn = !pending.length, { length } = reading.ids;
    reading.push(drawn ? draw(this.shares(length, settings), this.random) : pending.shift());
    reading.surpriseAt(length);  // while the logits are at hand
    return drawn;
  }
}

/* The texts so far: undo and redo lead from one to the other. */
class Branches {
  constructor() {
    this.all = [];
    this.at = -1;
    this.dropped = 0;
  }

  get now() { return this.all[this.at]; }

  keep(branch) {
    this.all.splice(this.at + 1);
    this.all.push(branch);
    this.dropped += this.all.splice(0, this.all.length - KEPT).length;
    this.at = this.all.length - 1;
  }

  /* How many texts there were before the next one. */
  get count() { return this.dropped + this.at + 1; }

  has(steps) { return this.at + steps in this.all; }

  move(steps) { this.at += steps; }
}

function startWrite(root, descriptions, written) {
  const find = name => root.querySelector(`.${name}`), network = chooseNetwork(root, descriptions, restart);
  const text = new ColouredText(find("text"), "The text", look, { press: hold, rest: 60 });
  const branches = new Branches(), heading = find("choices").querySelector("h2");
  let now = null, chosen = -1, held = false;
  let writing = false, frame = 0, left = 0, due = 0, last = 0, since = { time: 0, length: 0 };

  const number = name => Number(find(name).value);
  const settings = () => ({
    temperature: number("temperature"), topK: number("top-k"), topP: number("top-p"), minP: number("min-p"),
  });
  const surpriseAt = index => index ? now.reading.surpriseAt(index) : 0;
  const share = index => find("tint").checked ? 0.75 * Math.min(1, surpriseAt(index) / SURPRISING) : 0;

  function restart() {
    const one = network(), { value } = find("seed"), seed = startOf(value, READ), spaced = endsInSpace(one, seed);
    const { ids, said } = encodeStart(one, spaced ? seed.slice(0, -1) : value, value), randomState = number("random-state");
    branches.keep(new Branch(new Reading(one), { pending: ids, given: ids.length, spaced, said, randomState }));
    take();
    goOn();
  }

  function take() {
    now = branches.now;
    find("unknown").textContent = now.said;
    for (const name of ["spoken", "note"]) find(name).textContent = "";
    network.choose(now.reading.network);
    find("random-state").value = now.randomState;
    find("top-k").max = Math.min(50, now.reading.network.outputs.length);
    find("top-k").dispatchEvent(new Event("change"));
    release();
    text.set(now.reading.symbols);
    colour(0);
    show();
  }

  function goOn() {
    if (!held) release();
    left = PIECE;
    due = 0;
    since = { time: performance.now(), length: now.reading.ids.length };
    last = since.time;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(tick);
    writing = true;
    show();
  }

  function stop() {
    writing = false;
    find("spoken").textContent = now.reading.symbols.slice(since.length).join("");
    show();
  }

  function tick(time) {
    if (!writing) return;
    const pace = number("pace"), wanted = settings(), before = now.reading.ids.length;
    const until = performance.now() + SLICE;
    due = Math.min(due, 5) + pace * Math.max(1, time - last) / 1000;  // symbols that the pace asks for
    last = time;
    const follows = navigator.userActivation?.hasBeenActive && depth() < 40;
    while (left && (due >= 1 || now.pending.length) && performance.now() < until) {
      if (!now.writeOne(wanted)) continue;
      due--;
      left--;
    }
    text.append(now.reading.symbols.slice(before));
    colour(before);
    if (now.reading.ids.length >= LONGEST) left = 0;
    if (left) show();
    else stop();
    if (follows) follow();
    if (left) frame = requestAnimationFrame(tick);
  }

  /* Tints the text from a place on, and marks the symbols that were given. */
  function colour(first) {
    text.paint(share, first);
    for (let index = first; index < text.spans.length; index++)
      text.spans[index].classList.toggle("given", index < now.given);
  }

  /* How far the end of the text is below the part of the page that can be seen. */
  function depth() {
    const sheet = matchMedia("(max-width: 40rem)").matches ? find("choices").getBoundingClientRect().top : innerHeight;
    return find("text").getBoundingClientRect().bottom - sheet;
  }

  function follow() {
    if (depth() > 0) scrollBy(0, depth() + 8);
  }

  function show() {
    const { length } = now.reading.ids;
    find("go").textContent = writing ? "Stop" : "Go on";
    find("go").disabled = !writing && length >= LONGEST;
    find("undo").disabled = !branches.has(-1);
    find("redo").disabled = !branches.has(1);
    find("empty").hidden = length > 0;
    for (const name of ["copy", "save"]) find(name).disabled = !length;
    const seconds = (performance.now() - since.time) / 1000;
    if (writing && seconds > 0.3) {
      const rate = Math.round((length - since.length) / seconds).toLocaleString("en");
      find("speed").textContent = `${rate} ${symbolName(now.reading.network)}s/s`;
    }
    if (!held || !writing) showChoices();
  }

  function showChoices() {
    const { reading } = now, { network, symbols } = reading;
    let index = chosen < 0 ? reading.ids.length : chosen;
    while (chosen > 0 && symbols[index - 1] === "") index--;  // to the first digit of a character that is spelled
    const shares = now.shares(index, settings());
    const reads = chosen < 0 && now.pending.length;  // what comes next is not known yet
    const ids = reads ? [] : likeliest(shares, OFFERED, SMALLEST);
    const own = index < chosen ? undefined : reading.ids[index];  // the first digit alone is no character
    if (own !== undefined && !ids.includes(own)) ids.splice(OFFERED - 1, 1, own);
    const title = chosen < 0 ? "What comes next"
      : `“${visible(symbols[chosen])}”${chosen ? `, surprise ${bits(surpriseAt(chosen))}` : ""}`;
    if (heading.textContent !== title) heading.textContent = title;  // which is read aloud
    showBars(find("bars"), ids.map(id => [network.symbols[id], shares[id]]),
      (_, number) => ids[number] === own, number => branch(index, ids[number]));
  }

  /* Goes on from a place with another symbol. */
  function branch(index, id) {
    branches.keep(now.fork(index, id, number("random-state"), branches.count));
    take();
    goOn();
  }

  function look(index) {
    if (held) return;
    chosen = index;
    text.mark(index);
    showChoices();
  }

  /* Holds a character, so that no other one is chosen by pointing; lets the one go that is held already. */
  function hold(index) {
    if (held && chosen === index) return letGo();
    held = false;
    look(index);
    held = true;
  }

  function letGo() {
    release();
    showChoices();
  }

  function release() {
    held = false;
    chosen = -1;
    text.mark(-1);
  }

  function say(words) {
    find("note").textContent = words;
  }

  find("seed").value = beginning(network(), "Shall I ", "shall i ", "The ", "the ");
  find("random-state").value = Math.floor(Math.random() * 1e6);
  find("seed").addEventListener("keydown", event => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    restart();
  });
  find("row").addEventListener("submit", event => { event.preventDefault(); restart(); });
  find("another").addEventListener("click", () => { find("random-state").stepUp(); restart(); });
  find("go").addEventListener("click", () => writing ? stop() : goOn());
  for (const [name, steps] of [["undo", -1], ["redo", 1]])
    find(name).addEventListener("click", () => { branches.move(steps); writing = false; take(); });
  find("copy").addEventListener("click", () => copyText(written.text(), say));
  find("save").addEventListener("click", () => saveText(written.text(), "shakegen.txt"));
  find("text").addEventListener("keydown", event => {
    if (event.key !== "Enter") return;
    event.preventDefault();  // else it presses the button, too
    find("bars").querySelector("button")?.focus();
  });
  root.addEventListener("keydown", event => { if (event.key === "Escape") letGo(); });
  for (const slider of root.querySelectorAll(".settings input[type=range]")) {
    const value = slider.parentNode.querySelector(".value");
    const tell = () => { value.textContent = slider.value === slider.dataset.off ? "off" : slider.value; };
    slider.addEventListener("input", () => { tell(); showChoices(); });
    slider.addEventListener("change", tell);
    tell();
  }
  find("tint").addEventListener("change", () => text.paint(share));
  written.text = () => now.reading.symbols.join("");
  restart();
}

/* Whether a text ends in a space that belongs to the next word, as networks of words and subwords read it. */
function endsInSpace(network, text) {
  return network.level !== "char" && text.endsWith(" ") && network.symbols.some(symbol => symbol.startsWith(" "));
}

async function copyText(text, say) {
  say("");  // the same words are read aloud only if they are new
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    say("The browser does not let this page copy. Select the text, or save it.");
  }
}

function saveText(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
