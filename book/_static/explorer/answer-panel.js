// The answer of one network: a bar for each class, or for the likeliest of very many.

import { h, percent, short } from "./dom.js";

const ROWS_SHOWN = 12;

export class AnswerPanel {
  /** @param {(channel: number) => void} onChoose a class was clicked */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.title = h("h3", { class: "cnn-heading", hidden: true });
    this.list = h("ol", { class: "cnn-answer" });
    this.how = h("p", { class: "cnn-muted" });
    this.timing = h("p", { class: "cnn-muted" });
    this.element = h("div", { class: "cnn-answers" }, this.title, this.list, this.how, this.timing);
    this.names = "";
    /** @type {{row: HTMLButtonElement, name: HTMLElement, bar: HTMLElement, number: HTMLElement, channel: number}[]} */
    this.rows = [];
  }

  /**
   * Bars without an answer yet.
   * @param {string[]} classes
   */
  setClasses(classes) {
    const names = classes.slice(0, ROWS_SHOWN).join("\n");
    if (names === this.names) return;
    this.names = names;
    this.rows = classes.slice(0, ROWS_SHOWN).map((text) => {
      const name = h("span", { class: "cnn-class" }, short(text));
      const bar = h("span", { class: "cnn-bar" });
      const number = h("span", { class: "cnn-percent" }, "–");
      const entry = { row: h("button", { type: "button", disabled: true }), name, bar, number, channel: 0 };
      entry.row.append(name, h("span", { class: "cnn-track" }, bar), number);
      entry.row.addEventListener("click", () => this.onChoose(entry.channel));
      return entry;
    });
    this.list.replaceChildren(...this.rows.map(({ row }) => h("li", {}, row)));
    this.how.textContent = this.timing.textContent = "";
  }

  /**
   * @param {import("./describe.js").Reading} reading
   * @param {number} milliseconds
   */
  update({ rows, how }, milliseconds) {
    const best = rows.reduce((most, { share }) => Math.max(most, share), -Infinity);
    const shown = rows.length > ROWS_SHOWN ? [...rows].sort((a, b) => b.share - a.share) : rows;
    this.rows.forEach((entry, index) => {
      const { name, share, channel } = shown[index];
      entry.channel = channel;
      entry.row.disabled = false;
      entry.row.classList.toggle("cnn-best", share === best);
      entry.name.textContent = short(name);
      entry.bar.style.width = `${100 * share || 0}%`;
      entry.number.textContent = percent(share);
    });
    const left = rows.length - this.rows.length;
    this.how.textContent = [how, left > 0 ? `The likeliest ${ROWS_SHOWN} of ${rows.length} classes.` : ""].join(" ").trim();
    this.timing.textContent = `Computed here in ${Math.max(1, Math.round(milliseconds))} ms. Nothing left your machine.`;
  }
}
