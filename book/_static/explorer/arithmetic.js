// One number, worked out in digits: a small table of the arithmetic for each kind of layer.

import { digits, h, times } from "./dom.js";
import { colourOf, inkOn } from "./paint.js";

/** @typedef {import("./explain.js").Explanation} Explanation */

/**
 * A grid of coloured numbers. NaN is drawn as padding.
 * @param {string} caption
 * @param {ArrayLike<number>} values row after row
 * @param {readonly [number, number]} size
 * @param {number} limit
 */
export function numberGrid(caption, values, [height, width], limit) {
  const body = h("tbody");
  for (let row = 0; row < height; row++) {
    const line = h("tr");
    for (let column = 0; column < width; column++) {
      const value = values[row * width + column];
      if (Number.isNaN(value)) {
        line.append(h("td", { class: "cnn-padding", title: "padding: outside the input" }, "0"));
        continue;
      }
      const colour = colourOf(value, limit);
      const cell = h("td", { title: digits(value, 5) }, digits(value));
      cell.style.background = `rgb(${colour.join(" ")})`;
      cell.style.color = inkOn(colour);
      line.append(cell);
    }
    body.append(line);
  }
  return h(
    "div",
    // A group, not a region: several pieces of one page show an input and an output.
    { class: "cnn-scroll", tabindex: 0, role: "group", "aria-label": caption },
    h("table", { class: "cnn-grid" }, h("caption", {}, caption), body),
  );
}

/** @param {string} sign */
const operator = (sign) => h("span", { class: "cnn-operator" }, sign);

/**
 * A calculation on one line; every second part is a number with the name of what it is.
 * @param {...(string | [number | string, string])} parts
 */
function line(...parts) {
  return h(
    "p",
    { class: "cnn-line" },
    ...parts.map((part) =>
      typeof part === "string"
        ? operator(part)
        : h(
            "span",
            { class: "cnn-term" },
            h("span", { class: "cnn-number" }, typeof part[0] === "number" ? digits(part[0], 4) : part[0]),
            h("span", { class: "cnn-muted" }, part[1]),
          ),
    ),
  );
}

/**
 * The arithmetic of one number.
 * @param {Explanation} explanation
 * @param {object} context
 * @param {number} context.source which input map of a convolution is laid open
 * @param {(source: number) => void} context.onSource another one is wanted
 * @param {string[]} context.classes
 * @returns {HTMLElement[]}
 */
export function arithmeticOf(explanation, { source, onSource, classes }) {
  switch (explanation.type) {
    case "conv2d":
      return convolution(explanation, source, onSource);
    case "pool":
      return pooling(explanation);
    case "batch_normalization": {
      const { input, mean, variance, epsilon, gamma, beta, value } = explanation;
      return [
        h("p", {}, "Subtract the mean, divide by the root of the variance, stretch by γ, shift by β:"),
        line(
          "(", [input, "input"], "−", [mean, "moving mean"], ") ÷ √(", [variance, "moving variance"],
          "+", [String(epsilon), "epsilon"], ") ×", [gamma, "γ, scale"], "+", [beta, "β, offset"],
          "=", [value, "output"],
        ),
      ];
    }
    case "relu":
      return [
        h("p", {}, explanation.input > 0 ? "A positive number passes." : "A negative number is set to zero."),
        line("max(", ["0", "zero"], ",", [explanation.input, "input"], ") =", [explanation.value, "output"]),
      ];
    case "flatten": {
      const { row, column, channel } = explanation.from;
      return [
        h(
          "p",
          {},
          `The number is the same; only its address changes. It stood at row ${row + 1}, ` +
            `column ${column + 1} of map ${channel + 1}.`,
        ),
        line([explanation.input, "input"], "=", [explanation.value, "output"]),
      ];
    }
    case "softmax":
      return softmaxTable(explanation, classes);
    default: {
      const kept = 1 - explanation.rate;
      return [
        h(
          "p",
          {},
          "In an answer the number passes as it is. In training it would be zero with probability " +
            `${digits(explanation.rate)}, and otherwise divided by ${digits(kept)}.`,
        ),
        line([explanation.input, "input"], "=", [explanation.value, "output"]),
      ];
    }
  }
}

/**
 * @param {Extract<Explanation, {type: "conv2d"}>} explanation
 * @param {number} source
 * @param {(source: number) => void} onSource
 */
function convolution({ size, channels, patch, kernel, sums, bias, value }, source, onSource) {
  const area = size[0] * size[1];
  const part = patch.subarray(source * area, (source + 1) * area);
  const weights = kernel.subarray(source * area, (source + 1) * area);
  const products = part.map((number, place) => number * weights[place]);
  /** @param {Float32Array} values */
  const limit = (values) => values.reduce((most, v) => Math.max(most, Math.abs(v) || 0), 0);
  const name = channels > 1 ? ` of input map ${source + 1}` : "";
  const parts = [
    h(
      "div",
      { class: "cnn-equation" },
      numberGrid(`Patch${name}`, part, size, limit(patch)),
      operator("×"),
      numberGrid("Kernel, its weights", weights, size, limit(kernel)),
      operator("="),
      numberGrid("Products", products, size, limit(products)),
    ),
    line(
      [sums[source], area > 1 ? `sum of the ${area} products` : "the product"],
      ...(channels > 1 ? [] : [/** @type {string} */ ("+"), numberTerm(bias, "bias"), "=", numberTerm(value, "output")]),
    ),
  ];
  if (channels > 1) {
    const select = h("select", { id: "cnn-source", onchange: () => onSource(Number(select.value)) });
    const largest = Math.max(...sums.map(Math.abs));
    const order = sums.map((_, index) => index).sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a]));
    for (const index of order) {
      select.append(
        h("option", { value: index, selected: index === source }, `map ${index + 1}: ${digits(sums[index], 4)}`),
      );
    }
    const strip = h("div", { class: "cnn-sums", "aria-hidden": "true" });
    sums.forEach((sum, index) => {
      const colour = colourOf(sum, largest);
      const cell = h("span", { title: `map ${index + 1}: ${digits(sum, 4)}`, onclick: () => onSource(index) });
      if (index === source) cell.classList.add("cnn-chosen");
      cell.style.background = `rgb(${colour.join(" ")})`;
      strip.append(cell);
    });
    parts.push(
      h(
        "p",
        { class: "cnn-row" },
        h("label", { for: "cnn-source" }, `The filter reads ${channels} maps. Lay open, strongest first:`),
        select,
      ),
      strip,
      line(
        [sums.reduce((total, sum) => total + sum, 0), `all ${channels} sums together`],
        "+", [bias, "bias"], "=", [value, "output"],
      ),
    );
  }
  return parts;
}

/**
 * @param {number} value
 * @param {string} name
 * @returns {[number, string]}
 */
const numberTerm = (value, name) => [value, name];

/** @param {Extract<Explanation, {type: "pool"}>} explanation */
function pooling({ summary, size, patch, count, value }) {
  const numbers = patch.filter((number) => !Number.isNaN(number));
  const limit = numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
  const skipped = patch.length - count;
  const total = numbers.reduce((sum, number) => sum + number, 0);
  return [
    h("div", { class: "cnn-equation" }, numberGrid(`Patch of ${times(size)}`, patch, size, limit)),
    skipped > 0 && h("p", {}, `${skipped} of ${patch.length} places lie in the padding and are not counted.`),
    summary === "max"
      ? line("largest of", [String(count), "numbers"], "=", [value, "output"])
      : line([total, `sum of ${count}`], "÷", [String(count), "how many"], "=", [value, "output"]),
  ].filter((part) => part instanceof HTMLElement);
}

/**
 * @param {Extract<Explanation, {type: "softmax"}>} explanation
 * @param {string[]} classes
 */
function softmaxTable({ inputs, powers, total, channel, value }, classes) {
  const largest = Math.max(...inputs);
  const rows = Array.from(inputs, (score, index) =>
    h(
      "tr",
      index === channel ? { class: "cnn-chosen" } : {},
      h("th", { scope: "row" }, classes[index] ?? String(index)),
      h("td", {}, digits(score, 3)),
      h("td", {}, digits(score - largest, 3)),
      h("td", {}, digits(powers[index], 4)),
      h("td", {}, digits(powers[index] / total, 4)),
    ),
  );
  return [
    h(
      "p",
      {},
      "Subtract the largest score (that changes no ratio), raise e to each, divide by the sum of all.",
    ),
    h(
      "div",
      { class: "cnn-scroll", tabindex: 0, role: "region", "aria-label": "Softmax, class by class" },
      h(
        "table",
        { class: "cnn-table" },
        h("caption", {}, "Softmax, class by class"),
        h(
          "thead",
          {},
          h("tr", {}, ...["class", "score z", "z − largest", "e to that", "probability"].map((name) => h("th", { scope: "col" }, name))),
        ),
        h("tbody", {}, ...rows),
      ),
    ),
    line([powers[channel], "e to that"], "÷", [total, "sum of all"], "=", [value, "output"]),
  ];
}
