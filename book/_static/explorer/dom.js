// Small helpers to build accessible elements and to print numbers. No state of the explorer here.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Makes an element: h("button", { class: "cnn-button", onclick: draw }, "Draw").
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes] functions become listeners, `false` leaves one out
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * Makes an element of a drawing.
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...Element} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * One choice among many: only the chosen button is in the tab order, arrow keys move the choice.
 * Up and down go by what stands above and below on the screen.
 * @param {HTMLElement} group an element with role="radiogroup" around buttons with role="radio"
 */
export function makeRoving(group) {
  group.addEventListener("keydown", (event) => {
    const buttons = radios(group);
    const index = buttons.indexOf(/** @type {HTMLElement} */ (event.target));
    if (index < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = {
      ArrowRight: buttons[index + 1],
      ArrowLeft: buttons[index - 1],
      ArrowDown: neighbour(buttons, index, 1),
      ArrowUp: neighbour(buttons, index, -1),
      Home: buttons[0],
      End: buttons.at(-1),
    }[event.key];
    if (event.key.startsWith("Arrow") || next) event.preventDefault();
    if (!next) return;
    next.focus();
    next.click();
  });
}

/** @param {HTMLElement} group @returns {HTMLElement[]} */
const radios = (group) => [.../** @type {NodeListOf<HTMLElement>} */ (group.querySelectorAll('[role="radio"]'))];

/**
 * Marks one button of a roving group as chosen.
 * @param {HTMLElement} group
 * @param {HTMLElement | null | undefined} chosen
 */
export function setChecked(group, chosen) {
  const buttons = radios(group);
  for (const button of buttons) {
    button.setAttribute("aria-checked", String(button === chosen));
    button.tabIndex = button === chosen ? 0 : -1;
  }
  // With nothing chosen the group must still be reached with the tab key.
  if (!chosen && buttons[0]) buttons[0].tabIndex = 0;
}

/**
 * The nearest button in the next row above or below.
 * @param {HTMLElement[]} buttons
 * @param {number} index
 * @param {1 | -1} direction
 */
function neighbour(buttons, index, direction) {
  const here = buttons[index].getBoundingClientRect();
  const middle = (here.left + here.right) / 2;
  let best;
  let smallest = Infinity;
  for (const button of buttons) {
    const there = button.getBoundingClientRect();
    const rows = direction > 0 ? there.top - here.bottom : here.top - there.bottom;
    if (rows < -1) continue;
    // Rows weigh more than columns, so the next row wins over a better aligned one beyond it.
    const distance = rows * 1000 + Math.abs((there.left + there.right) / 2 - middle);
    if (distance < smallest) [best, smallest] = [button, distance];
  }
  return best;
}

/**
 * A number in fixed digits with a true minus sign.
 * @param {number} value
 * @param {number} [places]
 */
export function digits(value, places = 2) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const text = Math.abs(value).toFixed(places);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/**
 * A share, its sign of per cent on the same line.
 * @param {number} fraction
 */
export const percent = (fraction) => (Number.isFinite(fraction) ? `${(100 * fraction).toFixed(1)}\u00a0%` : "–");

/**
 * A name of any length, short enough for a line.
 * @param {string} text
 */
export const short = (text) => (text.length > 40 ? `${text.slice(0, 39)}…` : text);

/** @param {readonly number[]} shape */
export const times = (shape) => shape.join("×");
