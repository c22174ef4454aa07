const [units, signals] = root.querySelectorAll("select"), readings = root.querySelector("dl");
const ends = root.querySelectorAll(".scale span");
const unit = () => data.units[units.selectedIndex];
let shades = [];

function show(position) {
  readings.replaceChildren();
  for (const [name, values] of Object.entries(unit().values)) {
    const pair = element("div", readings);
    element("dt", pair, name);
    element("dd", pair, values[position] === null ? "" : values[position].toFixed(2));
  }
}

function chooseSignal() {
  shades = bytes(Int8Array, unit().shades[signals.value]);
  unit().scales[signals.value].forEach((end, side) => { ends[side].textContent = end; });
  text.refresh();
}

function chooseUnit() {
  const before = signals.value;
  signals.replaceChildren();
  for (const name of Object.keys(unit().values)) element("option", signals, name);
  signals.value = before in unit().values ? before : unit().signal;
  chooseSignal();
}

data.units.forEach(one => element("option", units, one.title));
const paragraph = root.querySelector(".text");
const line = { element: paragraph, characters: data.characters, label: "Position in the text" };
const text = colouredTexts([line], (number, index) => 0.75 * shades[index] / 127, show);
units.addEventListener("change", chooseUnit);
signals.addEventListener("change", chooseSignal);
text.choose(0);
chooseUnit();
