// The first step of the page: bring an image in. A test image, a drawing, a file, the camera.

import { h, makeRoving, setChecked, short } from "./dom.js";
import { Complaint } from "./network.js";
import { paintInput } from "./paint.js";
import { hasLightBorder, loadGallery, openCamera, readPicture, takePhoto, toInput } from "./pictures.js";
import { Wish } from "./wish.js";

/** @typedef {import("./pictures.js").Picture} Picture */
/** @typedef {import("./network.js").Manifest} Manifest */

const SHAPE = /** @type {[number, number, number]} */ ([28, 28, 1]);

export class PicturePanel {
  /**
   * @param {object} hooks
   * @param {() => void} hooks.onInput a new image wants an answer
   * @param {(error: unknown) => void} hooks.onError
   * @param {() => void} hooks.onWish the reader asked for something: old complaints are past
   */
  constructor({ onInput, onError, onWish }) {
    this.onInput = onInput;
    this.onError = onError;
    this.onWish = onWish;
    this.pictureWish = new Wish(onError);
    this.cameraWish = new Wish(onError);
    /** @type {Picture[]} the test images */
    this.gallery = [];
    /** @type {Picture | null} */
    this.picture = null;
    /** @type {Pick<Manifest["input"], "shape" | "range">} */
    this.input = { shape: SHAPE, range: [0, 1] };
    /** @type {Float32Array} */
    this.values = new Float32Array(SHAPE[0] * SHAPE[1]);
    this.pen = { row: 14, column: 14, down: false };
    /** @type {MediaStream | null} */
    this.stream = null;

    this.canvas = h("canvas", { class: "cnn-pixels", role: "img", "aria-label": "No image yet" });
    this.field = h("div", { class: "cnn-box", hidden: true });
    this.penMark = h("div", { class: "cnn-cell", hidden: true });
    this.frame = h("div", { class: "cnn-frame cnn-frame-large" }, this.canvas, this.field, this.penMark);
    this.caption = h("figcaption", {}, "Choose an image, and the network answers.");
    this.invert = h("input", { type: "checkbox", id: "cnn-invert", onchange: () => this.refresh() });
    this.tabs = h("div", { class: "cnn-tabs", role: "radiogroup", "aria-label": "Where the image comes from" });
    this.bodies = [this.makeGallery(), this.makeDrawing(), this.makeFile(), this.makeCamera()];
    ["Test images", "Draw", "File", "Camera"].forEach((name, index) => {
      this.tabs.append(
        h("button", { type: "button", role: "radio", class: "cnn-tab", onclick: () => this.openTab(index) }, name),
      );
    });
    makeRoving(this.tabs);
    this.element = h(
      "div",
      { class: "cnn-picture" },
      h("figure", {}, this.frame, this.caption),
      h(
        "div",
        { class: "cnn-sources" },
        this.tabs,
        ...this.bodies,
        h("p", { class: "cnn-row" }, this.invert, h("label", { for: "cnn-invert" }, "Swap light and dark")),
      ),
    );
    this.openTab(0);
    this.listenToPen();
    this.paint();
  }

  /** @param {number} chosen */
  openTab(chosen) {
    this.bodies.forEach((body, index) => (body.hidden = index !== chosen));
    setChecked(this.tabs, /** @type {HTMLElement} */ (this.tabs.children[chosen]));
    const drawing = chosen === 1;
    this.penMark.hidden = !drawing;
    this.frame.classList.toggle("cnn-drawing", drawing);
    if (drawing) {
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute("role", "application");
      this.movePen(0, 0);
    } else {
      this.canvas.removeAttribute("tabindex");
      this.canvas.setAttribute("role", "img");
    }
    this.describe();
    if (chosen !== 3) this.closeCamera();
  }

  /**
   * A network with another input: the same picture is fitted anew.
   * @param {Manifest["input"]} input
   */
  fitTo(input) {
    this.input = input;
    this.pen.row = Math.min(this.pen.row, input.shape[0] - 1);
    this.pen.column = Math.min(this.pen.column, input.shape[1] - 1);
    this.convert();
  }

  /**
   * @param {Picture} picture
   * @param {boolean} invert
   */
  show(picture, invert) {
    this.pictureWish.drop();
    this.picture = picture;
    this.invert.checked = invert;
    this.refresh();
  }

  refresh() {
    if (!this.picture) return;
    this.convert();
    this.onInput();
  }

  convert() {
    this.values = this.valuesFor(this.input);
    this.paint();
    this.describe();
  }

  /**
   * The picture as one network reads it.
   * @param {Pick<Manifest["input"], "shape" | "range">} input
   */
  valuesFor({ shape, range }) {
    if (this.picture) return toInput(this.picture, shape, range, this.invert.checked);
    return new Float32Array(shape[0] * shape[1] * shape[2]).fill(range[0]);
  }

  paint() {
    const [height, width, channels] = this.input.shape;
    const maps = { height, width, channels, data: this.values };
    paintInput(this.canvas, maps, this.input.range);
    this.frame.style.aspectRatio = `${width} / ${height}`;
  }

  describe() {
    const { picture } = this;
    if (picture) this.caption.textContent = [`${short(picture.name)}.`, ...picture.notes].join(" ");
    const drawing = !this.bodies[1].hidden;
    this.canvas.setAttribute(
      "aria-label",
      drawing
        ? "Drawing area. Arrow keys move the pen, the space bar lowers and lifts it, Delete starts empty."
        : (picture?.name ?? "No image yet"),
    );
  }

  makeGallery() {
    const tiles = h("div", { class: "cnn-gallery", role: "radiogroup", "aria-label": "Test images" });
    makeRoving(tiles);
    this.tiles = tiles;
    this.galleryReady = loadGallery(new URL("./images.json", import.meta.url))
      .then(({ pictures }) => {
        this.gallery = pictures;
        pictures.forEach((picture, index) => {
          const canvas = h("canvas", { width: picture.pixels.width, height: picture.pixels.height });
          canvas.getContext("2d")?.putImageData(picture.pixels, 0, 0);
          tiles.append(
            h(
              "button",
              { type: "button", role: "radio", "aria-label": picture.name, title: picture.name, onclick: () => this.choose(index) },
              canvas,
            ),
          );
        });
        setChecked(tiles, null);
      })
      .catch(() => this.onError(new Complaint("The test images could not be fetched. Draw one instead.")));
    return h(
      "div",
      { class: "cnn-source" },
      h("p", {}, "Thirty images that no network was trained on, three of each class."),
      tiles,
    );
  }

  /** @param {number} index of a test image that the reader chose */
  choose(index) {
    this.onWish();
    this.pick(index);
  }

  /**
   * Shows one of the test images.
   * @param {number} index
   */
  pick(index) {
    if (this.tiles) setChecked(this.tiles, /** @type {HTMLElement} */ (this.tiles.children[index]));
    this.show(this.gallery[index], false);
  }

  makeDrawing() {
    this.erase = h("input", { type: "checkbox", id: "cnn-erase" });
    this.brush = h("input", { type: "range", id: "cnn-brush", min: 0.5, max: 3, step: 0.25, value: 1.25 });
    return h(
      "div",
      { class: "cnn-source" },
      h(
        "p",
        {},
        "Draw on the image itself: light on black. Start empty, or change the picture that is there ",
        "and watch the answer change. With the keyboard: arrow keys move the pen, the space bar ",
        "lowers and lifts it.",
      ),
      h(
        "p",
        { class: "cnn-row" },
        h("button", { type: "button", class: "cnn-button", onclick: () => this.startEmpty() }, "Start empty"),
        this.erase,
        h("label", { for: "cnn-erase" }, "Erase"),
        h("label", { for: "cnn-brush" }, "Pen"),
        this.brush,
      ),
    );
  }

  makeFile() {
    const input = h("input", {
      type: "file",
      id: "cnn-file",
      accept: "image/*",
      onchange: () => {
        const file = input.files?.[0];
        if (file) this.openFile(file);
        input.value = "";
      },
    });
    return h(
      "div",
      { class: "cnn-source" },
      h("p", {}, "Pick a picture, drop one anywhere on this page, or paste one. It stays on your machine."),
      h("p", { class: "cnn-row" }, h("label", { for: "cnn-file" }, "Picture file"), input),
      h(
        "p",
        {},
        "The networks know ten kinds of clothes, light on black and filling the frame. ",
        "A picture with a light border is therefore inverted; the box below turns that off.",
      ),
    );
  }

  /** @param {File} file */
  async openFile(file) {
    this.onWish();
    await this.pictureWish.make(async (still) => this.bring(await still(readPicture(file))));
  }

  /**
   * A picture of the reader's own.
   * @param {Picture} picture
   */
  bring(picture) {
    const invert = this.input.shape[2] === 1 && hasLightBorder(picture.pixels);
    if (invert) picture.notes.push("Its border is light, so light and dark were swapped.");
    this.showOwn(picture, invert);
  }

  /**
   * Shows a picture that is none of the test images.
   * @param {Picture} picture
   * @param {boolean} invert
   */
  showOwn(picture, invert) {
    this.onWish();
    if (this.tiles) setChecked(this.tiles, null);
    this.show(picture, invert);
  }

  makeCamera() {
    this.video = h("video", { muted: true, playsinline: true, hidden: true, "aria-label": "What the camera sees" });
    this.cameraButton = h("button", { type: "button", class: "cnn-button", onclick: () => this.switchCamera() }, "Switch the camera on");
    this.shutter = h(
      "button",
      { type: "button", class: "cnn-button", hidden: true, onclick: () => this.takePhoto() },
      "Take the picture",
    );
    return h(
      "div",
      { class: "cnn-source" },
      h("p", {}, "Hold a piece of clothing before a plain background. The photo stays on your machine."),
      this.video,
      h("p", { class: "cnn-row" }, this.cameraButton, this.shutter),
    );
  }

  async switchCamera() {
    if (this.stream) {
      this.closeCamera();
      return;
    }
    this.onWish();
    await this.cameraWish.make(async (still, signal) => {
      const asked = openCamera();
      // Who leaves while the browser still asks for permission wants no camera any more.
      asked.then((stream) => signal.aborted && stream.getTracks().forEach((track) => track.stop()), () => {});
      this.stream = await still(asked);
      const { video, shutter, cameraButton } = this;
      if (!video || !shutter || !cameraButton) return;
      video.srcObject = this.stream;
      video.hidden = shutter.hidden = false;
      cameraButton.textContent = "Switch the camera off";
      await still(video.play());
    });
  }

  closeCamera() {
    this.cameraWish.drop();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    const { video, shutter, cameraButton } = this;
    if (!video || !shutter || !cameraButton) return;
    video.srcObject = null;
    video.hidden = shutter.hidden = true;
    cameraButton.textContent = "Switch the camera on";
  }

  takePhoto() {
    if (!this.video?.videoWidth) return;
    this.bring(takePhoto(this.video));
  }

  startEmpty() {
    const [height, width] = this.input.shape;
    const pixels = new ImageData(width, height);
    pixels.data.forEach((_, place) => (pixels.data[place] = place % 4 === 3 ? 255 : 0));
    this.showOwn({ pixels, name: "Your drawing", notes: [] }, false);
  }

  listenToPen() {
    const { canvas } = this;
    /** @param {PointerEvent} event */
    const draw = (event) => {
      if (this.bodies[1].hidden || !canvas.hasPointerCapture(event.pointerId)) return;
      const box = canvas.getBoundingClientRect();
      const [height, width] = this.input.shape;
      this.stroke(
        ((event.clientY - box.top) / box.height) * height - 0.5,
        ((event.clientX - box.left) / box.width) * width - 0.5,
      );
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (this.bodies[1].hidden) return;
      canvas.setPointerCapture(event.pointerId);
      draw(event);
    });
    canvas.addEventListener("pointermove", draw);
    canvas.addEventListener("keydown", (event) => {
      if (this.bodies[1].hidden) return;
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (step) this.movePen(step[0], step[1]);
      else if (event.key === " ") this.pen.down = !this.pen.down;
      else if (event.key === "Delete") this.startEmpty();
      else return;
      event.preventDefault();
      this.penMark.classList.toggle("cnn-pen-down", this.pen.down);
      if (this.pen.down) this.stroke(this.pen.row, this.pen.column);
    });
  }

  /**
   * @param {number} down
   * @param {number} right
   */
  movePen(down, right) {
    const [height, width] = this.input.shape;
    this.pen.row = Math.min(Math.max(this.pen.row + down, 0), height - 1);
    this.pen.column = Math.min(Math.max(this.pen.column + right, 0), width - 1);
    placeBox(this.penMark, { top: this.pen.row, left: this.pen.column, height: 1, width: 1 }, height, width);
  }

  /**
   * Lays one soft dot of light on the image, or takes one away.
   * @param {number} row
   * @param {number} column
   */
  stroke(row, column) {
    const [height, width] = this.input.shape;
    const pixels = this.drawnPixels();
    const radius = Number(this.brush?.value) * (width / 28);
    for (let y = Math.max(0, Math.floor(row - radius)); y < Math.min(height, row + radius + 1); y++) {
      for (let x = Math.max(0, Math.floor(column - radius)); x < Math.min(width, column + radius + 1); x++) {
        const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(y - row, x - column)));
        const place = 4 * (y * width + x);
        for (let k = 0; k < 3; k++) {
          const before = pixels.data[place + k];
          pixels.data[place + k] = this.erase?.checked
            ? Math.min(before, 255 * (1 - cover))
            : Math.max(before, 255 * cover);
        }
      }
    }
    this.showOwn({ pixels, name: "Your drawing", notes: [] }, false);
  }

  /** The image as it stands, in the network's own size. */
  drawnPixels() {
    const [height, width, channels] = this.input.shape;
    const [low, high] = this.input.range;
    const pixels = new ImageData(width, height);
    for (let place = 0; place < height * width; place++) {
      for (let k = 0; k < 3; k++) {
        const value = this.values[place * channels + (channels === 3 ? k : 0)];
        pixels.data[4 * place + k] = (255 * (value - low)) / (high - low);
      }
      pixels.data[4 * place + 3] = 255;
    }
    return pixels;
  }

  /**
   * Shows which part of the image the chosen number depends on.
   * @param {import("./explain.js").Box | null} box
   */
  showField(box) {
    this.field.hidden = !box;
    if (box) placeBox(this.field, box, this.input.shape[0], this.input.shape[1]);
  }
}

/**
 * Lays a frame over a picture; what reaches beyond the picture is cut off.
 * @param {HTMLElement} mark
 * @param {import("./explain.js").Box} box
 * @param {number} height
 * @param {number} width
 */
export function placeBox(mark, box, height, width) {
  const top = Math.max(0, box.top);
  const left = Math.max(0, box.left);
  const bottom = Math.min(height, box.top + box.height);
  const right = Math.min(width, box.left + box.width);
  mark.style.top = `${(100 * top) / height}%`;
  mark.style.left = `${(100 * left) / width}%`;
  mark.style.height = `${(100 * Math.max(0, bottom - top)) / height}%`;
  mark.style.width = `${(100 * Math.max(0, right - left)) / width}%`;
}
