// One number, worked out in digits: a small table of the arithmetic for each kind of layer.

import { digits, h, percent, short, times } from "./dom.js";
import { colourOf, inkOn } from "./paint.js";

/** @typedef {import("./explain.js").Explanation} Explanation */

const ROWS_SHOWN = 20;
const SOURCES_LISTED = 100;
const SOURCES_DRAWN = 512;

/**
 * A number for a cell: as many digits as fit.
 * @param {number} value
 */
function inCell(value) {
  const size = Math.abs(value);
  if (size >= 99999.5 && size < Infinity) return value.toExponential(0).replace("-", "−").replace("+", "");
  return digits(value, size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

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
      const cell = h("td", { title: digits(value, 5) }, inCell(value));
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
    case "rescaling": {
      const { input, scale, offset, value } = explanation;
      return [
        h("p", {}, "Multiplied by a fixed scale, moved by a fixed offset:"),
        line([input, "input"], "×", [scale, "scale"], "+", [offset, "offset"], "=", [value, "output"]),
      ];
    }
    case "function":
      return pointwise(explanation);
    case "padding":
      return [
        h("p", {}, explanation.inside ? "The number passes as it is." : "This place lies outside the input: a zero was laid there."),
        line([explanation.value, "output"]),
      ];
    case "add": {
      const terms = explanation.numbers.flatMap((number, index) => {
        const from = explanation.inputs[index];
        /** @type {[number, string]} */
        const term = [number, from === 0 ? "the image" : `layer ${from}`];
        return index === 0 ? [term] : ["+", term];
      });
      return [
        h("p", {}, "The numbers that stand at this place of each input are added:"),
        line(...terms, "=", [explanation.value, "output"]),
      ];
    }
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
    case "same": {
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
 * A function of one number.
 * @param {Extract<Explanation, {type: "function"}>} explanation
 */
function pointwise({ input, value, entry }) {
  /** @type {[number, string]} */
  const output = [value, "output"];
  const negative = "A negative number: only a part of it passes.";
  switch (entry.type) {
    case "sigmoid":
      return [
        h("p", {}, "Divide 1 by 1 plus e to the negative input:"),
        line("1 ÷ (1 + e to", [-input, "−input"], ") = 1 ÷", [1 + Math.exp(-input), "1 + e to that"], "=", output),
      ];
    case "tanh":
      return [
        h("p", {}, "The hyperbolic tangent: an S between −1 and 1."),
        line("tanh(", [input, "input"], ") =", output),
      ];
    case "leaky_relu":
      return input >= 0
        ? [h("p", {}, "A positive number passes."), line([input, "input"], "=", output)]
        : [h("p", {}, negative), line([input, "input"], "×", [String(entry.negative_slope), "slope"], "=", output)];
    case "elu":
      return input > 0
        ? [h("p", {}, "A positive number passes."), line([input, "input"], "=", output)]
        : [
            h("p", {}, "A negative number is bent: e to it, less 1, times α."),
            line([String(entry.alpha), "α"], "× (e to", [input, "input"], "− 1) =", output),
          ];
    case "gelu": {
      const share = input === 0 ? 0.5 : value / input;
      return [
        h("p", {}, `The number times the share of a normal distribution below it${entry.approximate ? ", found by tanh" : ""}:`),
        line([input, "input"], "×", [share, "share below"], "=", output),
      ];
    }
    default: {
      const { max_value: most = null, negative_slope: slope = 0, threshold = 0 } = entry;
      if (most !== null && input >= most) {
        return [h("p", {}, `No output exceeds ${most}.`), line("min(", [input, "input"], ",", [String(most), "most"], ") =", output)];
      }
      if (slope !== 0 && input < threshold) {
        return [
          h("p", {}, negative),
          line("(", [input, "input"], "−", [String(threshold), "threshold"], ") ×", [String(slope), "slope"], "=", output),
        ];
      }
      if (threshold !== 0) {
        const passes = input >= threshold ? "is not below it and passes" : "is below it and becomes zero";
        return [h("p", {}, `The threshold is ${threshold}; the number ${passes}.`), line([input, "input"], "→", output)];
      }
      return [
        h("p", {}, input > 0 ? "A positive number passes." : "A negative number is set to zero."),
        line("max(", ["0", "zero"], ",", [input, "input"], ") =", output),
      ];
    }
  }
}

/**
 * @param {Extract<Explanation, {type: "conv2d"}>} explanation
 * @param {number} source counted from the first map that the filter reads
 * @param {(source: number) => void} onSource
 */
function convolution({ size, channels, first, patch, kernel, sums, bias, value }, source, onSource) {
  const area = size[0] * size[1];
  const part = patch.subarray(source * area, (source + 1) * area);
  const weights = kernel.subarray(source * area, (source + 1) * area);
  const products = part.map((number, place) => number * weights[place]);
  /** @param {Float32Array} values */
  const limit = (values) => values.reduce((most, v) => (Math.abs(v) > most && Math.abs(v) < Infinity ? Math.abs(v) : most), 0);
  const name = channels > 1 || first > 0 ? ` of input map ${first + source + 1}` : "";
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
    const largest = sums.reduce((most, sum) => Math.max(most, Math.abs(sum)), 0);
    const order = sums.map((_, index) => index).sort((a, b) => Math.abs(sums[b]) - Math.abs(sums[a]));
    // Behind a Flatten there may be thousands: the strongest, and the one that lies open.
    for (const index of order.filter((index, rank) => rank < SOURCES_LISTED || index === source)) {
      select.append(
        h("option", { value: index, selected: index === source }, `map ${first + index + 1}: ${digits(sums[index], 4)}`),
      );
    }
    const strip = h("div", { class: "cnn-sums", "aria-hidden": "true" });
    sums.slice(0, SOURCES_DRAWN).forEach((sum, index) => {
      const colour = colourOf(sum, largest);
      const cell = h("span", { title: `map ${first + index + 1}: ${digits(sum, 4)}`, onclick: () => onSource(index) });
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
  const largest = inputs.reduce((most, score) => Math.max(most, score), -Infinity);
  // Of thousands of classes the strongest are enough, and the chosen one.
  const shown = [...inputs.keys()];
  if (shown.length > ROWS_SHOWN) {
    shown.sort((a, b) => inputs[b] - inputs[a]);
    const cut = shown.indexOf(channel) < ROWS_SHOWN ? ROWS_SHOWN : ROWS_SHOWN - 1;
    shown.splice(cut, Infinity, ...(cut < ROWS_SHOWN ? [channel] : []));
  }
  const rows = shown.map((index) => {
    const bar = h("span", { class: "cnn-bar" });
    bar.style.width = `${100 * powers[index] || 0}%`;
    return h(
      "tr",
      index === channel ? { class: "cnn-chosen" } : {},
      h("th", { scope: "row" }, short(classes[index] ?? `number ${index + 1}`)),
      h("td", {}, digits(inputs[index], 2)),
      h("td", {}, digits(inputs[index] - largest, 2)),
      h("td", {}, digits(powers[index], 4), h("span", { class: "cnn-track", "aria-hidden": "true" }, bar)),
      h("td", {}, percent(powers[index] / total)),
    );
  });
  return [
    h(
      "p",
      {},
      "Subtract the largest score (that changes no ratio), raise e to each, divide by the sum of all. " +
        "Each step of 1 between two scores makes one class e = 2.718 times as probable as the other.",
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
          h("tr", {}, ...["class", "score", "less the largest", "e to that", "share"].map((name) => h("th", { scope: "col" }, name))),
        ),
        h("tbody", {}, ...rows),
      ),
    ),
    shown.length < inputs.length && h("p", { class: "cnn-muted" }, `${shown.length} of ${inputs.length} classes are shown.`),
    line([powers[channel], "e to that"], "÷", [total, "sum of all"], "=", [value, "output"]),
  ].filter((part) => part instanceof HTMLElement);
}
