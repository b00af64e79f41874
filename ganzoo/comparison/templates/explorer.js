"use strict";

// The latent explorer. Each .explorer holds its controls, a canvas and, as JSON, the sprites of every combination
// of the controls' positions, numbered with the last axis fastest. Controls of the same key move together in all
// explorers of a page, and the page's address tells their positions: #category=3&style.0=6&noise-draw=2

const explorers = [...document.querySelectorAll(".explorer")].map((root) => {
  const data = JSON.parse(root.querySelector("script").textContent);
  return { root, data, positions: data.axes.map((axis) => axis.start), sheets: new Map(), drawn: -1 };
});

function index(explorer) {
  return explorer.data.axes.reduce((sum, axis, i) => sum * axis.labels.length + explorer.positions[i], 0);
}

function sheet(explorer, number) {
  if (!explorer.sheets.has(number)) {
    const image = new Image();
    image.src = explorer.data.sheets[number];
    explorer.sheets.set(number, image.decode().then(() => image));
  }
  return explorer.sheets.get(number);
}

async function draw(explorer) {
  const { width, height, columns, perSheet } = explorer.data;
  const canvas = explorer.root.querySelector("canvas");
  const wanted = index(explorer);
  const image = await sheet(explorer, Math.floor(wanted / perSheet));
  if (wanted !== index(explorer) || wanted === explorer.drawn) return; // moved on while the sheet was decoded
  const place = wanted % perSheet;
  const left = (place % columns) * width;
  const top = Math.floor(place / columns) * height;
  canvas.getContext("2d").drawImage(image, left, top, width, height, 0, 0, width, height);
  explorer.drawn = wanted;
  canvas.dataset.sprite = wanted;
}

function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : "'" + word.replaceAll("'", "'\"'\"'") + "'";
}

function command(explorer) {
  const { axes, command, run, seed } = explorer.data;
  const die = axes.findIndex((axis) => axis.die);
  const words = ["ganzoo", "sample", run, "-n", "1"];
  if (seed) words.push("--seed", String(seed));
  if (die >= 0) words.push("--first", String(explorer.positions[die]));
  for (const { name, parts } of command) {
    const texts = parts.map((part) => (typeof part === "number" ? axes[part].given[explorer.positions[part]] : part));
    words.push("--given", `${name}=${texts.join(",")}`);
  }
  return words.map(quoted).join(" ");
}

function show(explorer) {
  const { root, data, positions } = explorer;
  const said = data.axes.map((axis, i) => `${axis.name} ${axis.labels[positions[i]]}`).join(" · ");
  data.axes.forEach((axis, i) => {
    for (const input of root.querySelectorAll("input")) {
      if (input.dataset.axis !== axis.key) continue;
      if (input.type === "radio") input.checked = Number(input.value) === positions[i];
      else {
        input.value = positions[i];
        input.setAttribute("aria-valuetext", axis.labels[positions[i]]);
      }
    }
    for (const output of root.querySelectorAll("output")) {
      if (output.dataset.axis === axis.key) output.textContent = axis.labels[positions[i]];
    }
  });
  root.querySelector("canvas").setAttribute("aria-label", `A sample: ${said}`);
  root.querySelector(".state").textContent = said;
  root.querySelector(".command").textContent = command(explorer);
  draw(explorer);
}

function move(key, position) {
  for (const explorer of explorers) {
    const i = explorer.data.axes.findIndex((axis) => axis.key === key);
    if (i < 0 || !(position >= 0 && position < explorer.data.axes[i].labels.length)) continue;
    explorer.positions[i] = position;
    show(explorer);
  }
}

function readAddress() {
  for (const [key, text] of new URLSearchParams(location.hash.slice(1))) {
    if (/^\d+$/.test(text)) move(key, Number(text));
  }
}

function writeAddress() {
  const state = new URLSearchParams();
  for (const { data, positions } of explorers) data.axes.forEach((axis, i) => state.set(axis.key, positions[i]));
  history.replaceState(null, "", `#${state}`);
}

for (const explorer of explorers) {
  explorer.root.addEventListener("input", ({ target }) => {
    move(target.dataset.axis, Number(target.value));
    writeAddress();
  });
  for (const button of explorer.root.querySelectorAll("button")) {
    button.addEventListener("click", () => {
      const i = explorer.data.axes.findIndex((axis) => axis.key === button.dataset.axis);
      const count = explorer.data.axes[i].labels.length;
      const ahead = 1 + Math.floor(Math.random() * (count - 1)); // any draw but the one that is shown
      move(button.dataset.axis, (explorer.positions[i] + ahead) % count);
      writeAddress();
    });
  }
  explorer.root.classList.add("live"); // without a script the controls stay hidden
  show(explorer);
}
addEventListener("hashchange", readAddress);
readAddress();
