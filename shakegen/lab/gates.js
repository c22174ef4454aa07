{
  const root = document.getElementById("gates"), data = JSON.parse(root.querySelector("script").textContent);
  const [units, signals] = root.querySelectorAll("select"), text = root.querySelector(".text");
  const readings = root.querySelector("dl");
  let position = 0, shades = null;

  function element(name, parent, content) {
    const made = parent.appendChild(document.createElement(name));
    made.textContent = content;
    return made;
  }

  const spans = data.characters.map((character, index) => {
    const span = element("span", text, character === "\n" ? "↵\n" : character);
    span.dataset.index = index;
    return span;
  });
  const unit = () => data.units[units.selectedIndex];

  function colour() {
    const bytes = atob(unit().shades[signals.value]);
    shades = Int8Array.from(bytes, byte => byte.charCodeAt(0));
    spans.forEach((span, index) => {
      const share = Math.round(75 * Math.abs(shades[index]) / 127);
      span.style.backgroundColor = `color-mix(in srgb, var(--series${shades[index] < 0 ? 0 : 1}) ${share}%, transparent)`;
      span.classList.toggle("strong", share > 40);
    });
    read();
  }

  function read() {
    spans.forEach((span, index) => span.classList.toggle("chosen", index === position));
    readings.replaceChildren();
    for (const [name, values] of Object.entries(unit().values)) {
      const pair = element("div", readings, "");
      element("dt", pair, name);
      element("dd", pair, values[position] === null ? "" : values[position].toFixed(2));
    }
    text.setAttribute("aria-valuenow", position + 1);
    text.setAttribute("aria-valuetext", data.characters[position]);
  }

  function choose(index) {
    position = Math.max(0, Math.min(spans.length - 1, index));
    read();
  }

  function chooseUnit() {
    const before = signals.value;
    signals.replaceChildren();
    for (const name of Object.keys(unit().values)) element("option", signals, name);
    signals.value = before in unit().values ? before : unit().signal;
    colour();
  }

  data.units.forEach(one => element("option", units, one.title));
  text.setAttribute("aria-valuemax", spans.length);
  units.addEventListener("change", chooseUnit);
  signals.addEventListener("change", colour);
  for (const name of ["pointerover", "pointerdown", "pointermove"])
    text.addEventListener(name, event => {
      const under = document.elementFromPoint(event.clientX, event.clientY);
      if (under && under.parentNode === text) choose(Number(under.dataset.index));
    });
  text.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const end = { Home: 0, End: spans.length - 1 }[event.key];
    if (step === undefined && end === undefined) return;
    event.preventDefault();
    choose(step === undefined ? end : position + step);
  });
  chooseUnit();
}
