// A byte is logarithmic: 255 is the strongest, 0 is DECADES powers of ten below it, or less.
const shareOf = byte => byte ? 10 ** (DECADES * (byte / 255 - 1)) : 0;
const [back, slider, forward] = root.querySelectorAll(".position > *"), scale = root.querySelector("select");

const views = data.models.map(model => {
  const section = element("section", root);
  element("h2", section, model.name);
  const text = element("p", section, "", "text"), side = element("div", section, "", "side");
  const target = element("p", side), offered = element("ol", side, "", "bars"), strengths = bytes(Uint8Array, model.strengths);
  offered.setAttribute("aria-live", "polite");
  const label = `Position in the text of ${model.name}`;
  return { model, element: text, characters: model.characters, label, strengths, target, offered };
});

function colourOf(number, index, chosen) {
  const byte = views[number].strengths[chosen * (chosen + 1) / 2 + index];
  return index > chosen ? null : 0.85 * STRENGTHS[scale.value](shareOf(byte));
}

function show(position) {
  slider.value = position;
  slider.setAttribute("aria-valuetext", position + 1);
  for (const { model, target, offered } of views) {
    const chosen = Math.min(position, model.characters.length - 1), wanted = model.targets[chosen];
    target.textContent = `${model.titles[chosen]}: ${visible(wanted)}`;
    showBars(offered, model.suggestions[chosen], word => model.known[chosen] && word === wanted);
  }
}

const texts = colouredTexts(views, colourOf, show, document);
slider.max = texts.length - 1;
scale.addEventListener("change", texts.refresh);
slider.addEventListener("input", () => texts.choose(Number(slider.value)));
back.addEventListener("click", () => texts.move(-1));
forward.addEventListener("click", () => texts.move(1));
texts.choose(data.position);
