// Play, pause and speed for a window that slides from place to place. Where the reader's system
// asks for no motion, nothing moves by itself: one step at a press.

import { h } from "./dom.js";

const SPEEDS = [1, 4, 16, 64]; // places a second

let count = 0;

export class Player {
  /**
   * @param {object} hooks
   * @param {(byHand: boolean) => boolean} hooks.onStep goes to the next place; false when there is none
   * @param {number} [hooks.speed] places a second, to begin with
   */
  constructor({ onStep, speed = 16 }) {
    this.onStep = onStep;
    this.timer = 0;
    const id = `cnn-speed-${++count}`;
    this.play = h("button", { type: "button", class: "cnn-button cnn-play", onclick: () => this.switch() }, "▶ Play");
    this.next = h("button", { type: "button", class: "cnn-button", onclick: () => this.step(true) }, "One step");
    this.speed = h("select", { id, onchange: () => this.playing && this.start() });
    for (const places of SPEEDS) {
      this.speed.append(h("option", { value: places, selected: places === speed }, `${places} a second`));
    }
    this.pace = h("span", { class: "cnn-row" }, h("label", { for: id }, "Speed"), this.speed);
    this.element = h("p", { class: "cnn-row cnn-player" }, this.play, this.next, this.pace);
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    const settle = () => {
      this.play.hidden = this.pace.hidden = this.calm.matches;
      if (this.calm.matches) this.stop();
    };
    this.calm.addEventListener("change", settle);
    settle();
  }

  get playing() {
    return this.timer !== 0;
  }

  /**
   * A single place needs no player.
   * @param {number} places
   */
  fit(places) {
    this.element.hidden = places < 2;
    if (places < 2) this.stop();
  }

  switch() {
    if (this.playing) this.stop();
    else this.start();
  }

  start() {
    clearInterval(this.timer);
    this.timer = setInterval(() => this.step(), 1000 / Number(this.speed.value));
    this.play.textContent = "❚❚ Pause";
    this.step();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = "▶ Play";
  }

  /** @param {boolean} [byHand] not by the clock */
  step(byHand = false) {
    if (!this.onStep(byHand)) this.stop();
  }
}
