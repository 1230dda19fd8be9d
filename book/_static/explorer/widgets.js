// Single layers to play with, on numbers small enough to check by hand. They stand on the
// explorer page, and in a lesson wherever a paragraph links to one of them: the link is what
// readers of the plain notebook see. The arithmetic is the explorer's own, from layers.js.

import { numberGrid } from "./arithmetic.js";
import { digits, h, times } from "./dom.js";
import * as layers from "./layers.js";
import { onThemeChange, readPalette } from "./paint.js";

/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./layers.js").Padding} Padding */

let count = 0;

/**
 * A labelled choice.
 * @param {string} label
 * @param {string[]} options
 * @param {() => void} onchange
 * @param {number} [chosen]
 */
function choice(label, options, onchange, chosen = 0) {
  const id = `cnn-choice-${++count}`;
  const select = h("select", { id, onchange });
  options.forEach((name, index) => select.append(h("option", { value: index, selected: index === chosen }, name)));
  return { select, element: h("span", { class: "cnn-row" }, h("label", { for: id }, label), select) };
}

/**
 * A labelled slider.
 * @param {string} label
 * @param {() => void} oninput
 * @param {Record<string, number>} settings
 */
function slider(label, oninput, settings) {
  const id = `cnn-slider-${++count}`;
  const input = h("input", { type: "range", id, oninput, ...settings });
  return { input, element: h("span", { class: "cnn-row" }, h("label", { for: id }, label), input) };
}

/** A small picture: a bright corner on a dark ground, with one brighter pixel in it. */
const PICTURE = [
  [0, 0, 0, 0, 0, 0, 0],
  [0, 4, 4, 4, 4, 4, 0],
  [0, 4, 4, 4, 4, 4, 0],
  [0, 4, 4, 9, 0, 0, 0],
  [0, 4, 4, 0, 0, 0, 0],
  [0, 4, 4, 0, 0, 0, 0],
  [0, 0, 0, 0, 0, 0, 1],
];

/**
 * The upper left part of the picture, with the given side.
 * @param {number} side
 * @returns {Maps}
 */
function picture(side) {
  const data = Float32Array.from(PICTURE.slice(0, side).flatMap((row) => row.slice(0, side)));
  return { height: side, width: side, channels: 1, data };
}

/**
 * What a sliding window sees: the input with its padding, and where the window lies.
 * @param {Maps} inputs
 * @param {number} window
 * @param {number} stride
 * @param {Padding} padding
 * @param {Maps} outputs
 * @param {number} step
 */
function windowAt(inputs, window, stride, padding, outputs, step) {
  const [before, after] = layers.paddingAlong(inputs.height, window, stride, padding, 0);
  const side = inputs.height + before + after;
  const padded = new Float32Array(side * side).fill(NaN);
  for (let row = 0; row < inputs.height; row++) {
    for (let column = 0; column < inputs.width; column++) {
      padded[(row + before) * side + column + before] = inputs.data[row * inputs.width + column];
    }
  }
  const top = Math.floor(step / outputs.width) * stride;
  const left = (step % outputs.width) * stride;
  const inside = (/** @type {number} */ row, /** @type {number} */ column) =>
    row >= top && row < top + window && column >= left && column < left + window;
  const patch = padded.filter((_, place) => inside(Math.floor(place / side), place % side));
  return { padded, side, inside, patch, before, after };
}

/**
 * Marks cells of a grid.
 * @param {HTMLElement} grid
 * @param {(row: number, column: number) => boolean} inside
 * @param {(place: number) => void} [onClick]
 */
function mark(grid, inside, onClick) {
  [...grid.querySelectorAll("tr")].forEach((line, row) => {
    [...line.children].forEach((cell, column) => {
      cell.classList.toggle("cnn-under", inside(row, column));
      if (onClick) {
        cell.classList.add("cnn-clickable");
        cell.addEventListener("click", () => onClick(row * line.children.length + column));
      }
    });
  });
  return grid;
}

const KERNELS = [
  { name: "left minus right, 3×3", values: [1, 0, -1, 1, 0, -1, 1, 0, -1] },
  { name: "sharpen, 3×3", values: [0, -1, 0, -1, 5, -1, 0, -1, 0] },
  { name: "mean, 3×3", values: Array(9).fill(1 / 9) },
  { name: "mean, 2×2", values: Array(4).fill(1 / 4) },
];

/** Buttons and a slider that lead from one output place to the next. */
class Steps {
  /** @param {() => void} onchange */
  constructor(onchange) {
    this.slider = slider("Place", onchange, { min: 0, max: 0, value: 0 });
    const move = (/** @type {number} */ by) => {
      this.slider.input.value = String(this.step + by);
      onchange();
    };
    this.element = h(
      "p",
      { class: "cnn-row" },
      h("button", { type: "button", class: "cnn-button", onclick: () => move(-1) }, "Step back"),
      h("button", { type: "button", class: "cnn-button", onclick: () => move(1) }, "Step on"),
      this.slider.element,
    );
  }

  get step() {
    return Number(this.slider.input.value);
  }

  set step(value) {
    this.slider.input.value = String(value);
  }

  /** @param {Maps} outputs */
  fit(outputs) {
    this.slider.input.max = String(outputs.height * outputs.width - 1);
    const row = Math.floor(this.step / outputs.width);
    this.slider.input.setAttribute("aria-valuetext", `row ${row + 1}, column ${(this.step % outputs.width) + 1}`);
  }
}

/** @param {HTMLElement} root */
function convolution(root) {
  const kernel = choice("Kernel", KERNELS.map(({ name }) => name), draw);
  const side = choice("Input", ["5×5", "6×6", "7×7"], draw, 1);
  const stride = choice("Stride", ["1", "2", "3"], draw);
  const padding = choice("Padding", ["valid: none", "same: TensorFlow's rule", "symmetric: as much on each side"], draw);
  const steps = new Steps(draw);
  const result = h("div", { class: "cnn-equation" });
  const words = h("p", { "aria-live": "polite" });
  root.replaceChildren(
    h("p", { class: "cnn-row" }, kernel.element, side.element, stride.element, padding.element),
    steps.element,
    result,
    words,
  );
  draw();

  function draw() {
    const { values } = KERNELS[Number(kernel.select.value)];
    const window = Math.sqrt(values.length);
    const inputs = picture(5 + Number(side.select.value));
    const by = Number(stride.select.value) + 1;
    const half = Math.floor(window / 2);
    const rule = /** @type {Padding[]} */ (["valid", "same", [[half, half], [half, half]]])[
      Number(padding.select.value)
    ];
    const weights = Float32Array.from(values);
    const outputs = layers.conv2d(inputs, weights, [window, window], null, { strides: [by, by], padding: rule });
    steps.fit(outputs);
    const { step } = steps;
    const view = windowAt(inputs, window, by, rule, outputs, step);
    const products = view.patch.map((value, place) => value * weights[place]);
    const choose = (/** @type {number} */ place) => {
      steps.step = place;
      draw();
    };
    result.replaceChildren(
      mark(numberGrid("Input, with its padding", view.padded, [view.side, view.side], 9), view.inside),
      sign("×"),
      numberGrid("Kernel", weights, [window, window], Math.max(...values.map(Math.abs))),
      sign("="),
      numberGrid("Products", products, [window, window], 20),
      sign("→"),
      mark(
        numberGrid("Output", outputs.data, [outputs.height, outputs.width], Math.max(...outputs.data.map(Math.abs))),
        (row, column) => row * outputs.width + column === step,
        choose,
      ),
    );
    const zeros =
      view.before === view.after ? `${view.before} on each side` : `${view.before} before and ${view.after} behind`;
    words.textContent =
      `Row ${Math.floor(step / outputs.width) + 1}, column ${(step % outputs.width) + 1}: the products add up to ` +
      `${digits(outputs.data[step])}. Zeros added along each axis: ${zeros}. ` +
      `Output: ${times([outputs.height, outputs.width])}.`;
  }
}

/** @param {HTMLElement} root */
function pooling(root) {
  const kind = choice("Pooling", ["average", "max"], draw);
  const side = choice("Input", ["5×5", "6×6", "7×7"], draw);
  const size = choice("Pool", ["2×2", "3×3"], draw);
  const padding = choice("Padding", ["valid", "same"], draw, 1);
  const steps = new Steps(draw);
  const result = h("div", { class: "cnn-equation" });
  const words = h("p", { "aria-live": "polite" });
  root.replaceChildren(
    h("p", { class: "cnn-row" }, kind.element, side.element, size.element, padding.element),
    steps.element,
    result,
    words,
  );
  draw();

  function draw() {
    const inputs = picture(5 + Number(side.select.value));
    const window = 2 + Number(size.select.value);
    const rule = /** @type {Padding[]} */ (["valid", "same"])[Number(padding.select.value)];
    const pool = kind.select.value === "0" ? layers.averagePool2d : layers.maxPool2d;
    const outputs = pool(inputs, [window, window], { padding: rule });
    steps.fit(outputs);
    const { step } = steps;
    const view = windowAt(inputs, window, window, rule, outputs, step);
    const choose = (/** @type {number} */ place) => {
      steps.step = place;
      draw();
    };
    result.replaceChildren(
      mark(numberGrid("Input, with its padding", view.padded, [view.side, view.side], 9), view.inside),
      sign("→"),
      mark(
        numberGrid("Output", outputs.data, [outputs.height, outputs.width], 9),
        (row, column) => row * outputs.width + column === step,
        choose,
      ),
    );
    const numbers = [...view.patch].filter((value) => !Number.isNaN(value));
    const sum = numbers.reduce((total, value) => total + value, 0);
    words.textContent =
      kind.select.value === "0"
        ? `(${numbers.join(" + ")}) ÷ ${numbers.length} = ${digits(sum)} ÷ ${numbers.length} = ${digits(outputs.data[step])}`
        : `The largest of ${numbers.join(", ")} is ${digits(outputs.data[step])}`;
    words.textContent += numbers.length < window * window ? ". The padding takes no part." : ".";
  }
}

/** One channel of a batch: what a convolution might give for eight images at one place. */
const BATCH = [3.1, 4.6, 5.2, 5.9, 6.3, 7.0, 7.4, 8.5];
const MOMENTA = [0.9, 0.99, 0.999];

/** @param {HTMLElement} root */
function batchNormalization(root) {
  const steps = slider("Training steps so far", draw, { min: 0, max: 600, step: 5, value: 20 });
  const momentum = choice("Momentum", MOMENTA.map(String), draw, 1);
  const lines = h("div");
  const words = h("p", { "aria-live": "polite" });
  root.replaceChildren(
    h(
      "p",
      {},
      "In training a batch is normalized by its own mean and variance. In an answer the moving statistics ",
      "stand in for them. They begin at 0 and 1 and take over a small part of each batch.",
    ),
    h("p", { class: "cnn-row" }, steps.element, momentum.element),
    lines,
    words,
  );
  draw();

  function draw() {
    const inputs = { height: 1, width: BATCH.length, channels: 1, data: Float32Array.from(BATCH) };
    const mean = BATCH.reduce((sum, value) => sum + value, 0) / BATCH.length;
    const variance = BATCH.reduce((sum, value) => sum + (value - mean) ** 2, 0) / BATCH.length;
    const kept = MOMENTA[Number(momentum.select.value)] ** Number(steps.input.value);
    const moving = { mean: (1 - kept) * mean, variance: kept + (1 - kept) * variance };
    const normalize = (/** @type {number} */ center, /** @type {number} */ spread) =>
      layers.batchNormalization(
        inputs,
        { moving_mean: Float32Array.of(center), moving_variance: Float32Array.of(spread) },
        1e-3,
      ).data;
    const now = normalize(moving.mean, moving.variance);
    lines.replaceChildren(
      dots("What comes in", BATCH),
      dots(`In training: batch mean ${digits(mean)}, variance ${digits(variance)}`, normalize(mean, variance)),
      dots(`In an answer: moving mean ${digits(moving.mean)}, moving variance ${digits(moving.variance)}`, now),
    );
    const center = now.reduce((sum, value) => sum + value, 0) / now.length;
    words.textContent =
      `After ${steps.input.value} steps the next layer was trained on numbers around 0, and in an answer it gets ` +
      `numbers around ${digits(center)}.` +
      (Math.abs(center) > 0.5 ? " That is why an early test can fail where training looks well." : "");
  }
}

/**
 * Numbers as dots on a line from −3 to 9.
 * @param {string} caption
 * @param {ArrayLike<number>} values
 */
function dots(caption, values) {
  const namespace = "http://www.w3.org/2000/svg";
  const make = (/** @type {string} */ tag, /** @type {Record<string, string | number>} */ attributes) => {
    const element = document.createElementNS(namespace, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
    return element;
  };
  const x = (/** @type {number} */ value) => 50 * (value + 3) + 20;
  const numbers = Array.from(values);
  const svg = make("svg", { viewBox: "0 0 640 54", role: "img", class: "cnn-dots" });
  svg.setAttribute("aria-label", `${caption}: ${numbers.map((value) => digits(value)).join(", ")}`);
  svg.append(make("line", { x1: x(-3), x2: x(9), y1: 24, y2: 24 }));
  for (let tick = -3; tick <= 9; tick++) {
    svg.append(make("line", { x1: x(tick), x2: x(tick), y1: 20, y2: tick === 0 ? 34 : 28 }));
    const label = make("text", { x: x(tick), y: 48 });
    label.textContent = digits(tick, 0);
    svg.append(label);
  }
  for (const value of numbers) svg.append(make("circle", { cx: x(value), cy: 24, r: 8 }));
  const figure = h("figure", {}, h("figcaption", {}, caption));
  figure.append(svg);
  return figure;
}

/** @param {string} text */
const sign = (text) => h("span", { class: "cnn-operator", "aria-hidden": "true" }, text);

/** @type {Record<string, (root: HTMLElement) => void>} */
const WIDGETS = { convolution, pooling, "batch-normalization": batchNormalization };

/** Puts a widget behind each paragraph that links to one, except on the explorer page itself. */
function plantBesideLinks() {
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll('p a[href*="explorer.html#widget-"]');
  for (const link of links) {
    const name = link.hash.replace("#widget-", "");
    if (!(name in WIDGETS)) continue;
    link.closest("p")?.after(h("div", { class: "cnn-widget", "data-widget": name }));
  }
}

function start() {
  plantBesideLinks();
  /** @type {NodeListOf<HTMLElement>} */
  const roots = document.querySelectorAll(".cnn-widget[data-widget]");
  if (roots.length === 0) return;
  if (!document.querySelector('link[href$="explorer.css"]')) {
    const sheet = h("link", { rel: "stylesheet", href: String(new URL("./explorer.css", import.meta.url)) });
    sheet.addEventListener("load", () => draw());
    document.head.append(sheet);
  } else {
    draw();
  }
  function draw() {
    for (const root of roots) {
      readPalette(root);
      WIDGETS[root.dataset.widget ?? ""]?.(root);
    }
  }
  onThemeChange(draw);
}

start();
