/* About: what the networks are. */
"use strict";

/* One sentence for somebody who has never seen such a page. */
function introduce(descriptions) {
  const [{ task, level, facts }] = descriptions, symbol = level === "word" ? "word" : "character";
  const learned = { next: `write, ${symbol} by ${symbol}`, autocomplete: "guess the word that you are typing" };
  const from = facts.corpus?.name ? `, from “${facts.corpus.name}”` : "";
  return `A small neural network that has learned to ${learned[task]}${from}. It runs inside this page: nothing is sent anywhere.`;
}

function startAbout(root, descriptions, facts) {
  for (const { name, task, level, units, layers, facts: own } of descriptions) {
    element("h2", root, name);
    const does = task === "next" ? `writes the next ${level === "word" ? "word" : "character"}` : "completes words";
    const rows = {
      "what it does": does,
      cell: own.cell,
      size: `${count(layers.length, "layer")} of ${count(units, "unit")}, ${count(own.parameters, "weight")}`,
      read: own.corpus?.name ? `${own.corpus.name}, ${count(own.corpus.length ?? 0, "character")}` : null,
      "bits per character": own.validation_bits_per_character?.toFixed(3),
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
    element("p", root, "The command that made it:");
    element("pre", root, facts.command).tabIndex = 0;
  }
  element("p", root, "It holds the networks and all that runs them. It fetches, keeps and sends nothing.");
  const maker = element("p", root, "Made with ");
  if (facts.link) element("a", maker, "shakegen").href = facts.link;
  else element("b", maker, "shakegen");
  maker.append(", which is free under the MIT licence.");
}
