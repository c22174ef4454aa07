const root = document.getElementById("$name"), data = JSON.parse(root.querySelector("script").textContent);
const bytes = (kind, text) => kind.from(atob(text), byte => byte.charCodeAt(0));
const visible = text => text.replace(/\n/g, "↵").replace(/^\s+$/, "␣");

function element(name, parent, text = "", style = "") {
  const made = parent.appendChild(document.createElement(name));
  made.textContent = text;
  if (style) made.className = style;
  return made;
}

/* Texts below each other, with one position chosen in all of them by pointer, finger or keys.
   texts: for each text an `element` to fill, its `characters`, and a `label`.
   colourOf: gives the colour of a character, by the number of the text, its index, and the index that is chosen: a share
     from -1 (the page's first colour) to 1 (its second); null greys it out.
   show: called with the position when it or the colours change.
   keys: the element whose arrow keys choose. */
function colouredTexts(texts, colourOf, show, keys) {
  const length = Math.max(...texts.map(text => text.characters.length));
  let position = -1;

  const lines = texts.map(({ element: text, characters, label }) => {
    const attributes = { tabindex: 0, role: "slider", "aria-label": label, "aria-valuemin": 1 };
    attributes["aria-valuemax"] = characters.length;
    for (const [name, value] of Object.entries(attributes)) text.setAttribute(name, value);
    for (const name of ["pointerover", "pointerdown", "pointermove"])
      text.addEventListener(name, event => {
        const under = document.elementFromPoint(event.clientX, event.clientY);
        if (under && under.parentNode === text) choose(Number(under.dataset.index));
      });
    return characters.map((character, index) => {
      const span = element("span", text, character === "\n" ? "↵\n" : character);
      span.dataset.index = index;
      return span;
    });
  });

  function refresh() {
    lines.forEach((spans, number) => {
      const chosen = Math.min(position, spans.length - 1), text = texts[number];
      spans.forEach((span, index) => {
        const share = colourOf(number, index, chosen), percent = Math.round(100 * Math.abs(share));
        const series = share < 0 ? 0 : 1;
        span.style.backgroundColor = `color-mix(in srgb, var(--series${series}) ${percent}%, transparent)`;
        span.classList.toggle("strong", percent > 40);
        span.classList.toggle("chosen", index === chosen);
        span.classList.toggle("later", share === null);
      });
      text.element.setAttribute("aria-valuenow", chosen + 1);
      text.element.setAttribute("aria-valuetext", `${chosen + 1}: ${visible(text.characters[chosen])}`);
    });
    show(position);
  }

  function choose(index) {
    index = Math.max(0, Math.min(length - 1, index));
    if (index === position) return;
    position = index;
    refresh();
  }

  keys.addEventListener("keydown", event => {
    const places = { ArrowLeft: position - 1, ArrowRight: position + 1, Home: 0, End: length - 1 };
    if (texts.some(text => text.element === event.target)) {
      places.ArrowUp = position - 1;
      places.ArrowDown = position + 1;
    }
    const elsewhere = event.target.tagName === "SELECT" || event.altKey || event.ctrlKey || event.metaKey;
    if (elsewhere || !(event.key in places)) return;
    event.preventDefault();
    choose(places[event.key]);
  });

  return { choose, refresh, move: steps => choose(position + steps), length };
}
