/* Starts the page: its networks, and the tabs of the views that they allow. */
"use strict";

/* Tabs, which the arrow keys choose, too. views: by id, a function that starts the view when it is first shown; it gives
   a function that is called whenever the view is shown, with whether a pointer asked for it, or nothing. */
function startTabs(views) {
  const tabs = [...document.querySelectorAll("[role=tab]")].filter(tab => {
    if (!(tab.getAttribute("aria-controls") in views)) tab.remove();
    return tab.isConnected;
  });
  const started = {};

  function open(tab, focus = true, byPointer = false) {
    for (const one of tabs) {
      one.setAttribute("aria-selected", one === tab);
      one.tabIndex = one === tab ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
    if (focus) tab.focus();
    const name = tab.getAttribute("aria-controls");
    started[name] ??= views[name](document.getElementById(name)) ?? (() => {});
    started[name](byPointer);
  }

  tabs.forEach((tab, number) => {
    tab.addEventListener("click", event => open(tab, true, event.detail > 0));
    tab.addEventListener("keydown", event => {
      const places = { ArrowRight: number + 1, ArrowLeft: number - 1, Home: 0, End: -1 };
      if (!(event.key in places) || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      open(tabs.at(places[event.key] % tabs.length));
    });
  });
  open(tabs[0], false);
}

function startPage() {
  const networks = readDescriptions();
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const writers = networks.filter(network => network.task === "next");
  const completers = networks.filter(network => network.task === "autocomplete");
  const groups = [writers, completers].filter(group => group.length > 1);
  const written = { text: () => "" };  // that other views begin with
  document.getElementById("lead").textContent = introduce(networks);
  startTabs({
    ...(writers.length && { write: root => startWrite(root, writers, written) }),
    ...(completers.length && { complete: root => startComplete(root, completers) }),
    memory: root => startMemory(root, networks, written),
    ...(groups.length && { beside: root => startBeside(root, groups[0], written) }),
    about: root => startAbout(root, networks, facts),
  });
}

try {
  startPage();
} catch (error) {
  const failure = document.getElementById("failure");
  failure.textContent = `This page could not start: ${error.message}. It needs a browser of 2023 or newer.`;
  failure.hidden = false;
  throw error;
}
