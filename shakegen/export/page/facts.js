/* About: facts of the networks. */
"use strict";

/* One sentence for somebody who sees the page for the first time. */
function introduce(descriptions) {
  const jobs = [...new Set(descriptions.map(jobOf))].join(", and to ");
  const corpora = new Set(descriptions.map(one => one.facts.corpus?.name)), [name] = corpora;
  const from = corpora.size === 1 && name ? `, from “${name}”` : "";
  const [who, it] = descriptions.length > 1 ? ["Small neural networks that have", "They run"]
    : ["A small neural network that has", "It runs"];
  return `${who} learned to ${jobs}${from}. ${it} inside this page: nothing is sent anywhere.`;
}

function jobOf({ task, level }) {
  const symbol = symbolName({ level });
  return task === "next" ? `write, ${symbol} by ${symbol}` : "guess the word that you are typing";
}

function startAbout(root, descriptions, facts) {
  for (const { name, task, level, units, layers, facts: own } of descriptions) {
    element("h2", root, name);
    const does = task === "next" ? `writes the next ${symbolName({ level })}` : "completes words";
    const rows = {
      "what it does": does,
      cell: [own.cell, own.layer_norm && "layer norm", own.zoneout && `zoneout ${own.zoneout}`].filter(Boolean).join(", "),
      size: `${count(layers.length, "layer")} of ${count(units, "unit")}, ${count(own.parameters, "weight")}`,
      corpus: [own.corpus?.name, own.corpus?.length && count(own.corpus.length, "character")].filter(Boolean).join(", "),
      "bits per character, validation text": own.validation_bits_per_character?.toFixed(3),
      "words that it knows": own.words?.toLocaleString("en"),
      "cross entropy": own.validation_cross_entropy && `${own.validation_cross_entropy.toFixed(3)} nats`,
      "weights of this page": own.precision,
    };
    const list = element("dl", root);
    for (const [term, value] of Object.entries(rows)) {
      if (value === null || value === undefined || value === "") continue;
      element("dt", list, term);
      element("dd", list, value);
    }
  }
  element("h2", root, "This page");
  if (facts.command) {
    element("p", root, "A command like this made it:");
    element("pre", root, facts.command).tabIndex = 0;
  }
  element("p", root, "It holds the networks and all that runs them. It fetches, keeps and sends nothing.");
  const maker = element("p", root, "Made with ");
  element("b", maker, "shakegen");
  maker.append(", which is free under the MIT licence.");
}
