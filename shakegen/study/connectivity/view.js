{
  const DECADES = 6;
  const root = document.getElementById("connectivity");
  const views = JSON.parse(root.querySelector("script").textContent).map(build);
  const length = Math.max(...views.map(view => view.spans.length));
  const [back, slider, forward] = root.querySelectorAll(".position > *"), scale = root.querySelector("select");
  const shares = { linear: byte => strongest(byte), root: byte => Math.sqrt(strongest(byte)), log: byte => byte / 255 };
  let position = -1;

  function element(name, parent, text = "", style = "") {
    const made = parent.appendChild(document.createElement(name));
    made.textContent = text;
    if (style) made.className = style;
    return made;
  }

  // A byte is logarithmic: 255 stands for the strongest, 0 for what is DECADES powers of ten below it, or less.
  const strongest = byte => byte ? 10 ** (DECADES * (byte / 255 - 1)) : 0;
  const visible = text => text.replace(/\n/g, "↵").replace(/^\s+$/, "␣");
  const percent = share => share >= 0.0995 ? `${Math.round(100 * share)} %` : `${(100 * share).toFixed(1)} %`;

  function build(model) {
    const section = element("section", root);
    element("h2", section, model.name);
    const text = element("p", section, "", "text"), side = element("div", section, "", "side");
    const spans = model.characters.map((character, index) => {
      const span = element("span", text, character === "\n" ? "↵\n" : character);
      span.dataset.index = index;
      return span;
    });
    const strengths = Uint8Array.from(atob(model.strengths), byte => byte.charCodeAt(0));
    const wanted = element("p", side), offered = element("ol", side);
    text.tabIndex = 0;
    text.setAttribute("role", "slider");
    text.setAttribute("aria-label", `Position in the text of ${model.name}`);
    text.setAttribute("aria-valuemin", 1);
    text.setAttribute("aria-valuemax", spans.length);
    offered.setAttribute("aria-live", "polite");
    for (const name of ["pointerover", "pointerdown", "pointermove"])
      text.addEventListener(name, event => {
        const under = document.elementFromPoint(event.clientX, event.clientY);
        if (under && under.parentNode === text) choose(Number(under.dataset.index));
      });
    return { model, text, spans, strengths, wanted, offered };
  }

  function show(view, chosen) {
    const row = chosen * (chosen + 1) / 2, shareOf = shares[scale.value];
    view.spans.forEach((span, index) => {
      const share = index > chosen ? 0 : shareOf(view.strengths[row + index]);
      span.style.backgroundColor = `color-mix(in srgb, var(--series1) ${Math.round(85 * share)}%, transparent)`;
      span.classList.toggle("strong", share > 0.5);
      span.classList.toggle("chosen", index === chosen);
      span.classList.toggle("later", index > chosen);
    });
    const target = view.model.targets[chosen], offers = view.model.suggestions[chosen];
    view.wanted.textContent = `${view.model.titles[chosen]}: ${visible(target)}`;
    view.offered.replaceChildren();
    for (const [word, share] of offers) {
      const item = element("li", view.offered, "", view.model.known[chosen] && word === target ? "right" : "");
      item.style.setProperty("--share", `${100 * share}%`);
      element("span", item, visible(word));
      element("span", item, percent(share));
    }
    view.text.setAttribute("aria-valuenow", chosen + 1);
    view.text.setAttribute("aria-valuetext", `${chosen + 1}: ${visible(view.model.characters[chosen])}`);
  }

  function choose(index) {
    index = Math.max(0, Math.min(length - 1, index));
    if (index === position) return;
    position = index;
    slider.value = index;
    showAll();
  }

  function showAll() {
    for (const view of views) show(view, Math.min(position, view.spans.length - 1));
  }

  slider.max = length - 1;
  scale.addEventListener("change", showAll);
  slider.addEventListener("input", () => choose(Number(slider.value)));
  back.addEventListener("click", () => choose(position - 1));
  forward.addEventListener("click", () => choose(position + 1));
  document.addEventListener("keydown", event => {
    const places = { ArrowLeft: position - 1, ArrowRight: position + 1, Home: 0, End: length - 1 };
    if (event.target === scale || !(event.key in places) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose(places[event.key]);
  });
  choose(Number(root.dataset.position));
}
