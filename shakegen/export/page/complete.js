/* Complete: at every key the likeliest words, and the characters that the likeliest one depends on. */
"use strict";
const WORDS = 5;  // offers

function startComplete(root, descriptions) {
  const find = name => root.querySelector(`.${name}`), network = chooseNetwork(root, descriptions, restart);
  const area = root.querySelector("textarea"), offers = find("offers"), title = root.querySelector("h2");
  const text = new ColouredText(find("text"), "The text as the network reads it", look, { rest: 30 });
  let reading = null, home = 0, place = 0, words = [], norms = [], seen = null, leaves = false;
  let stopReading = () => {}, stopTracing = () => {};

  function restart() {
    reading = new Reading(network(), true);
    seen = null;
    read();
  }

  /* Reads the text, where it has changed; then the words for the place of the cursor. */
  function read() {
    const cursor = area.selectionStart, key = `${cursor} ${area.value}`;
    if (key === seen) return;
    seen = key;
    const { ids, unknown } = network().encode(area.value), before = network().encode(area.value.slice(0, cursor)).ids;
    const first = network().first(before), { length } = network();  // of a long text, the part before the cursor
    words = [];
    find("unknown").textContent = describeUnknown(network(), unknown);
    find("spoken").textContent = "";
    stopReading();
    stopTracing();
    stopReading = inSlices(reading.change(ids.slice(first, first + length)), () => {
      text.set(reading.symbols);
      home = Math.max(0, Math.min(before.length - first, reading.ids.length) - 1);
      words = likeliestWords(home);
      const pairs = words.map(({ word, share }) => [word, share]);
      showBars(offers, pairs, () => false, accept);
      look(home);
    });
  }

  function likeliestWords(index) {
    const shares = probabilities(reading.states[index + 1].logits, { outputs: network().outputs });
    return likeliest(shares, WORDS).map(id => ({ id, word: network().outputs[id], share: shares[id] }));
  }

  /* Puts one of the words, and a space, in the place of the one at the cursor; none while the text is being read. */
  function accept(number) {
    if (!(number in words)) return;
    const { word } = words[number];
    const before = /[a-z]*$/i.exec(area.value.slice(0, area.selectionStart))[0].length;
    const after = /^[a-z]* ?/i.exec(area.value.slice(area.selectionEnd))[0].length;
    area.focus();
    area.setSelectionRange(area.selectionStart - before, area.selectionEnd + after);
    if (!document.execCommand("insertText", false, `${word} `))  // which Ctrl+Z takes back
      area.setRangeText(`${word} `, area.selectionStart, area.selectionEnd, "end");
    read();
    find("spoken").textContent = word;  // no screen reader tells what a program inserts
  }

  /* Shows the connectivity of the likeliest word at a place. */
  function look(index) {
    if (index >= reading.ids.length) return;
    place = index;
    text.mark(index);
    stopTracing();
    const [best] = likeliestWords(index);
    if (!best) return;
    const { id, word } = best;
    stopTracing = inSlices(network().connecting(reading.states.slice(1, index + 2), id), found => {
      norms = found;
      title.textContent = `What “${word}” depends on`;
      paint();
    });
  }

  function paint() {
    const strongest = norms.reduce((most, norm) => Math.max(most, norm), 0) || 1;
    text.paint(index => index > place ? null : 0.85 * STRENGTHS[find("strength").value](norms[index] / strongest));
  }

  area.value = "shall i compare thee to a sum";
  offers.addEventListener("pointerdown", event => event.preventDefault());  // the keyboard of a phone stays
  area.addEventListener("input", read);
  document.addEventListener("selectionchange", () => { if (document.activeElement === area) read(); });
  area.addEventListener("keydown", event => {
    const composes = event.isComposing || event.keyCode === 229;  // an input method takes the key
    if (event.key === "Tab" && !event.shiftKey && !leaves && !composes) {
      event.preventDefault();
      accept(0);
    }
    leaves = event.key === "Escape";
  });
  find("text").addEventListener("pointerleave", event => { if (event.pointerType === "mouse") look(home); });
  find("strength").addEventListener("change", paint);
  area.setSelectionRange(area.value.length, area.value.length);
  restart();
  return byPointer => { if (byPointer && matchMedia("(hover: hover)").matches) area.focus(); };
}
