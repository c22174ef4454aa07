const bytes = (kind, text) => kind.from(atob(text), byte => byte.charCodeAt(0));
const visible = text => text.replace(/\n/g, "↵").replace(/^\s+$/, "␣");
const percent = share => share >= 0.0995 ? `${Math.round(100 * share)} %` : `${(100 * share).toFixed(1)} %`;

const DECADES = 6;  // from the strongest to nothing, on the logarithmic scale
/* Shares of the strongest, from 0 to 1, as strengths of a colour, by the scales that a reader may choose. */
const STRENGTHS = {
  linear: share => share,
  root: Math.sqrt,
  log: share => Math.max(0, 1 + Math.log10(share || Number.MIN_VALUE) / DECADES),
};

function element(name, parent, text = "", style = "") {
  const made = parent.appendChild(document.createElement(name));
  made.textContent = text;
  if (style) made.className = style;
  return made;
}

/* Outputs with their probabilities, as bars. Bars that are there already change, so that the focus stays.
   offers: pairs of text and probability, best first.
   right: tells by text and number whether it is the true one.
   act: called with the number when one is pressed; without it they are no buttons. */
function showBars(list, offers, right, act = null) {
  const { activeElement } = document, within = list.contains(activeElement);
  while (list.children.length > offers.length) list.lastChild.remove();
  if (within && !activeElement.isConnected) list.lastChild?.firstChild.focus({ preventScroll: true });
  offers.forEach(([text, share], number) => {
    const bar = list.children[number]?.firstChild ?? makeBar(list, number, act !== null);
    bar.classList.toggle("right", right(text, number));
    bar.style.setProperty("--share", `${100 * share}%`);
    bar.firstChild.textContent = visible(text);
    bar.lastChild.textContent = percent(share);
  });
  list.act = act;
}

function makeBar(list, number, presses) {
  const bar = element(presses ? "button" : "span", element("li", list), "", "bar");
  element("span", bar);
  element("span", bar);
  bar.addEventListener("click", () => list.act?.(number));
  return bar;
}

/* A text whose characters have colours, and in which pointer, finger or keys choose one.
   text: the element to fill.  label: its name.
   choose: called with the index that the reader chooses.
   press: called instead with an index that is clicked, tapped, or chosen by keys.
   rest: milliseconds that the pointer rests on a character before this one is chosen. */
class ColouredText {
  constructor(text, label, choose, { press = null, rest = 0 } = {}) {
    Object.assign(this, { text, choose, spans: [], chosen: -1, line: null });
    const attributes = { tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": 0 };
    for (const [name, value] of Object.entries(attributes)) text.setAttribute(name, value);
    let timer = 0;
    text.addEventListener("pointermove", event => {  // but no pointerover: a text that scrolls chooses nothing
      const index = this.indexAt(event);
      clearTimeout(timer);
      if (index < 0) return;
      if (!rest || event.pointerType !== "mouse") choose(index);
      else timer = setTimeout(() => { if (index < this.spans.length) choose(index); }, rest);
    });
    text.addEventListener("pointerleave", () => clearTimeout(timer));
    text.addEventListener("click", event => {  // a tap, too; a finger that only scrolls clicks nothing
      const index = this.indexAt(event);
      clearTimeout(timer);
      if (index >= 0) (press ?? choose)(index);
    });
    text.addEventListener("keydown", event => {
      const { length } = this.spans, from = this.chosen < 0 ? length : this.chosen;
      let index = followKey(event, from, length, true);
      if (index === undefined) return;
      const step = index < from ? -1 : 1;  // over symbols that show nothing, such as the digits of a character
      while (this.spans[index].symbol === "" && this.spans[index + step]) index += step;
      while (this.spans[index].symbol === "" && this.spans[index - step]) index -= step;  // none at this end
      if (index !== this.chosen) (press ?? choose)(index);
      this.spans[index].scrollIntoView({ block: "nearest" });
    });
    this.describe();
  }

  indexAt({ clientX, clientY }) {
    const under = document.elementFromPoint(clientX, clientY);
    return under && this.text.contains(under) && "index" in under.dataset ? Number(under.dataset.index) : -1;
  }

  /* Shows these characters; those in front that were there already stay as they are. */
  set(characters) {
    let same = 0;
    while (same < characters.length && same < this.spans.length && this.spans[same].symbol === characters[same]) same++;
    for (const span of this.spans.splice(same)) (span.parentNode.children.length > 1 ? span : span.parentNode).remove();
    this.line = same && !this.spans[same - 1].symbol.endsWith("\n") ? this.spans[same - 1].parentNode : null;
    this.append(characters.slice(same));
  }

  append(characters) {
    for (const character of characters) {
      this.line ??= element("div", this.text);
      const span = element("span", this.line, character.replace(/\n/g, "↵"), character.endsWith("\n") ? "end" : "");
      span.symbol = character;
      span.dataset.index = this.spans.push(span) - 1;
      if (character.endsWith("\n")) this.line = null;
    }
    this.describe();
  }

  /* colourOf: gives the colour of a character by its index: a share from -1 (the page's first colour) to 1 (its
     second); null greys it out. */
  paint(colourOf, first = 0) {
    for (let index = first; index < this.spans.length; index++) {
      const span = this.spans[index], share = colourOf(index), tint = Math.round(100 * Math.abs(share));
      const series = `var(--series${share < 0 ? 0 : 1})`;
      const colour = `color-mix(in srgb, ${series} calc(${tint}% * var(--tint)), transparent)`;
      if (span.style.backgroundColor !== colour) span.style.backgroundColor = colour;
      span.classList.toggle("strong", tint > 40);
      span.classList.toggle("later", share === null);
    }
  }

  /* Marks a character; -1 marks none. */
  mark(index) {
    this.spans[this.chosen]?.classList.remove("chosen");
    this.spans[index]?.classList.add("chosen");
    this.chosen = index;
    this.describe();
  }

  describe() {
    const { chosen, spans } = this, symbol = spans[chosen]?.symbol;
    this.text.setAttribute("aria-valuemax", spans.length);
    this.text.setAttribute("aria-valuenow", symbol === undefined ? 0 : chosen + 1);
    const shown = symbol === undefined ? "none chosen" : `${chosen + 1}: ${visible(symbol)}`;
    this.text.setAttribute("aria-valuetext", shown);
  }
}

/* Where a key of the arrows leads from a place in a text, or undefined. Up and down count in the text itself only. */
function followKey(event, place, length, inText = false) {
  const places = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: length - 1 };
  if (inText) Object.assign(places, { ArrowUp: place - 1, ArrowDown: place + 1 });
  const elsewhere = /^(SELECT|INPUT|TEXTAREA)$/.test(event.target.tagName);
  if (elsewhere || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return undefined;
  if (!length || !(event.key in places)) return undefined;
  event.preventDefault();
  return Math.max(0, Math.min(length - 1, places[event.key]));
}

/* Texts below each other, with one position chosen in all of them.
   texts: for each text an `element` to fill, its `characters`, and a `label`.
   colourOf: gives the colour of a character, by the number of the text, its index, and the index that is chosen.
   show: called with the position when it or the colours change.
   keys: an element around the texts whose arrow keys choose, too. */
function colouredTexts(texts, colourOf, show, keys = null) {
  const length = Math.max(...texts.map(text => text.characters.length));
  let position = -1;
  const parts = texts.map(({ element: text, characters, label }) => {
    const part = new ColouredText(text, label, choose);
    part.set(characters);
    return part;
  });

  function refresh() {
    parts.forEach((part, number) => {
      const chosen = Math.min(position, part.spans.length - 1);
      part.paint(index => colourOf(number, index, chosen));
      part.mark(chosen);
    });
    show(position);
  }

  function choose(index) {
    index = Math.max(0, Math.min(length - 1, index));
    if (index === position) return;
    position = index;
    refresh();
  }

  keys?.addEventListener("keydown", event => {
    const place = followKey(event, position, length);
    if (place !== undefined) choose(place);
  });

  return { choose, refresh, move: steps => choose(position + steps), length };
}
