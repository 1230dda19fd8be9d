// The explorer page: it puts the panels together and holds what is chosen. The networks run in
// worker.js; how layers compute stands in layers.js.

import { digits, h, makeRoving, percent, setChecked, times } from "./dom.js";
import { Engine, fetchNetwork } from "./engine.js";
import { valueAt } from "./explain.js";
import { AnswerPanel, MapsPanel, NetworkPanel, storyOf, titleOf } from "./network-panel.js";
import { Complaint, readManifest } from "./network.js";
import { NumberPanel } from "./number-panel.js";
import { onThemeChange, readPalette } from "./paint.js";
import { PicturePanel } from "./picture-panel.js";

/** @typedef {import("./network.js").Manifest} Manifest */
/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./explain.js").Place} Place */

const SHIPPED = ["simple_CNN", "simpler_CNN"];

const CLASSES = [
  "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
];

class Explorer {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.engine = new Engine();
    /** @type {string} what is chosen, loaded or not */
    this.chosen = SHIPPED[0];
    /** @type {Manifest | null} */
    this.manifest = null;
    /** @type {Maps[]} */
    this.outputs = [];
    /** @type {Place} */
    this.place = { layer: 0, row: 0, column: 0, channel: 0 };
    this.source = 0;
    this.busy = false;
    this.again = false;

    this.pictures = new PicturePanel({
      onInput: () => this.answer(),
      onError: (error) => this.complain(error),
    });
    this.answers = new AnswerPanel((channel) => {
      this.choose({ layer: (this.manifest?.layers.length ?? 1) - 1, channel, row: 0, column: 0 });
      this.numberSection.scrollIntoView({ block: "nearest" });
    });
    this.network = new NetworkPanel((place) => this.choose(place));
    this.maps = new MapsPanel((place) => this.choose(place));
    this.number = new NumberPanel({
      onMove: (place) => this.choose(place),
      onSource: (source) => {
        this.source = source;
        this.explain();
      },
    });
    this.answers.setClasses(CLASSES);

    // What a screen reader hears: the answer, a complaint, the number under the cursor.
    this.status = h("p", { role: "status", class: "cnn-status" });
    this.problem = h("p", { role: "alert", class: "cnn-problem", hidden: true });
    this.spoken = h("p", { class: "cnn-hidden", "aria-live": "polite" });
    this.switch = this.makeSwitch();
    this.layerTitle = h("h3", { class: "cnn-heading" });
    this.story = h("p");
    this.trail = h("p", { class: "cnn-trail" });
    this.networkSection = this.section("2", "The network, layer by layer", [
      h(
        "p",
        { class: "cnn-muted" },
        "Each picture holds all maps of a layer and is drawn to scale: its area is the amount of numbers. " +
          "Orange is positive, blue is negative. Choose a layer.",
      ),
      this.network.element,
    ]);
    this.mapsSection = this.section("3", "The maps of one layer", [this.layerTitle, this.story, this.maps.element]);
    this.numberSection = this.section("4", "One number", [this.trail, this.number.element]);
    for (const section of this.deep()) section.hidden = true;
    root.append(
      this.switch,
      this.problem,
      h(
        "section",
        { class: "cnn-section cnn-start", "aria-label": "Image and answer" },
        h("div", {}, h("h2", { class: "cnn-heading" }, h("span", { class: "cnn-step" }, "1"), "An image"), this.pictures.element),
        h("div", {}, h("h2", { class: "cnn-heading" }, "The answer"), this.status, this.answers.element),
      ),
      ...this.deep(),
      this.spoken,
    );
    this.repaintOnTheme();
    this.listenForFiles();
    this.status.textContent = "Nothing is loaded yet. The first image fetches the network, about 1.3 MB.";
    this.openFromAddress();
  }

  deep() {
    return [this.networkSection, this.mapsSection, this.numberSection];
  }

  /**
   * @param {string} step
   * @param {string} title
   * @param {HTMLElement[]} children
   */
  section(step, title, children) {
    return h(
      "section",
      { class: "cnn-section", "aria-label": title },
      h("h2", { class: "cnn-heading" }, h("span", { class: "cnn-step" }, step), title),
      ...children,
    );
  }

  makeSwitch() {
    const group = h("div", { class: "cnn-tabs", role: "radiogroup", "aria-label": "Network" });
    for (const name of SHIPPED) {
      group.append(
        h("button", { type: "button", role: "radio", class: "cnn-tab", onclick: () => this.use(name) }, name),
      );
    }
    makeRoving(group);
    setChecked(group, /** @type {HTMLElement} */ (group.firstChild));
    this.group = group;

    const folder = h("input", { type: "file", id: "cnn-folder", webkitdirectory: true, onchange: () => this.openFiles(folder.files) });
    const files = h("input", { type: "file", id: "cnn-files", multiple: true, accept: ".json,.bin", onchange: () => this.openFiles(files.files) });
    const address = h("input", { type: "text", inputmode: "url", id: "cnn-address", placeholder: "https://…/my_network/" });
    const form = h(
      "form",
      {
        class: "cnn-row",
        onsubmit: (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          this.openAddress(address.value.trim(), true);
        },
      },
      h("label", { for: "cnn-address" }, "Address"),
      address,
      h("button", { class: "cnn-button" }, "Open"),
    );
    return h(
      "div",
      { class: "cnn-switch" },
      h("span", { class: "cnn-label", "aria-hidden": "true" }, "Network"),
      group,
      h(
        "details",
        { class: "cnn-own" },
        h("summary", {}, "Open your own"),
        h("p", {}, "Export a trained Sequential model on your machine:"),
        h("pre", {}, "cnncourse export my_model.keras --to explorer my_network"),
        h("p", {}, "Then open the folder here, or its two files, or an address where you put them. Files stay on your machine."),
        h("p", { class: "cnn-row" }, h("label", { for: "cnn-folder" }, "Folder"), folder),
        h("p", { class: "cnn-row" }, h("label", { for: "cnn-files" }, "Two files"), files),
        form,
      ),
    );
  }

  /** @param {string} name of a shipped network */
  async use(name) {
    this.chosen = name;
    this.markChosen();
    if (this.manifest || this.pictures.picture) await this.loadChosen();
    await this.answer();
  }

  markChosen() {
    const buttons = /** @type {HTMLElement[]} */ ([...(this.group?.children ?? [])]);
    if (this.group) setChecked(this.group, buttons.find((button) => button.textContent === this.chosen));
  }

  async loadChosen() {
    if (this.manifest && this.loadedAs === this.chosen) return;
    const wanted = this.chosen;
    this.status.textContent = `Fetching ${wanted}…`;
    try {
      const address = new URL(`./networks/${wanted}/`, import.meta.url);
      const { manifest, weights } = await fetchNetwork(address);
      if (wanted === this.chosen) await this.load(manifest, weights);
    } catch (error) {
      this.complain(error);
    }
  }

  /**
   * @param {string} manifest
   * @param {ArrayBuffer} weights
   */
  async load(manifest, weights) {
    const loaded = await this.engine.load(manifest, weights);
    this.clearProblem();
    this.manifest = loaded;
    this.loadedAs = this.chosen;
    this.outputs = [];
    this.answers.setClasses(loaded.classes);
    this.network.setNetwork(loaded);
    this.pictures.fitTo(loaded.input);
  }

  /** Runs the newest image; while one is under way, only the last request is kept. */
  async answer() {
    if (!this.pictures.picture) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    try {
      do {
        this.again = false;
        await this.loadChosen();
        if (!this.manifest) break;
        const manifest = this.manifest;
        const { outputs, milliseconds } = await this.engine.run(this.pictures.values.slice());
        if (manifest === this.manifest) this.showAnswer(outputs, milliseconds);
      } while (this.again);
    } catch (error) {
      this.complain(error);
    } finally {
      this.busy = false;
    }
  }

  /**
   * @param {Maps[]} outputs
   * @param {number} milliseconds
   */
  showAnswer(outputs, milliseconds) {
    const manifest = /** @type {Manifest} */ (this.manifest);
    const fresh = this.outputs.length === 0;
    this.outputs = outputs;
    const probabilities = /** @type {Maps} */ (outputs.at(-1)).data;
    const [first, second] = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
    this.status.textContent =
      `${manifest.name} says: ${manifest.classes[first]}, ${percent(probabilities[first])}` +
      (second === undefined ? "." : `; next ${manifest.classes[second]}, ${percent(probabilities[second])}.`);
    this.answers.update(probabilities, milliseconds);
    for (const section of this.deep()) section.hidden = false;
    this.network.update(outputs);
    if (fresh) this.place = strongest(outputs, 0);
    this.choose({});
  }

  /** @param {Partial<Place>} change */
  choose(change) {
    const { manifest, outputs } = this;
    if (!manifest || outputs.length === 0) return;
    const place = { ...this.place, ...change };
    const maps = outputs[place.layer + 1];
    if (place.layer !== this.place.layer && change.row === undefined) {
      // Another layer: stay at the same spot of the image, and on the same map if there is one.
      const before = outputs[this.place.layer + 1];
      place.row = Math.floor(((this.place.row + 0.5) / before.height) * maps.height);
      place.column = Math.floor(((this.place.column + 0.5) / before.width) * maps.width);
      if (before.channels !== maps.channels && change.channel === undefined) {
        place.channel = strongest(outputs, place.layer, place).channel;
      }
    }
    const moved = place.layer !== this.place.layer || place.channel !== this.place.channel;
    this.place = place;
    const layer = manifest.layers[place.layer];
    const mixes = layer.type === "conv2d" || layer.type === "dense";
    if (!mixes) this.source = place.channel;
    else if (moved || this.source >= outputs[place.layer].channels) this.source = -1;
    const named = maps.channels === manifest.classes.length && maps.height * maps.width === 1;
    this.layerTitle.textContent = `${titleOf(layer)} · ${layer.name} · ${times(layer.output_shape)}`;
    this.story.textContent = storyOf(layer, outputs[place.layer], maps);
    this.network.select(place.layer);
    this.maps.update(maps, named ? manifest.classes : [], `${this.loadedAs}/${manifest.name}/${place.layer}`);
    this.maps.select(place.channel);
    this.explain();
  }

  async explain() {
    const { manifest, outputs, place } = this;
    if (!manifest || outputs.length === 0) return;
    try {
      const explanation = await this.engine.explain(place);
      if (outputs !== this.outputs || place !== this.place) return;
      if (this.source < 0 && explanation.type === "conv2d") {
        const sizes = explanation.sums.map(Math.abs);
        this.source = sizes.indexOf(Math.max(...sizes));
      }
      const field = this.number.update(manifest, outputs, place, explanation, Math.max(0, this.source));
      this.pictures.showField(field);
      const layer = manifest.layers[place.layer];
      this.trail.textContent =
        `${manifest.name} › layer ${place.layer + 1}, ${titleOf(layer)} › map ${place.channel + 1} › ` +
        `row ${place.row + 1}, column ${place.column + 1}`;
      this.spoken.textContent =
        `Layer ${place.layer + 1}, map ${place.channel + 1}, row ${place.row + 1}, ` +
        `column ${place.column + 1}: ${digits(explanation.value, 4)}`;
    } catch (error) {
      this.complain(error);
    }
  }

  /**
   * The reader's own export, from a folder or two files.
   * @param {FileList | File[] | null} list
   */
  async openFiles(list) {
    const files = [...(list ?? [])];
    if (files.length === 0) return;
    try {
      const json = files.find(({ name }) => name === "manifest.json") ?? files.find(({ name }) => name.endsWith(".json"));
      if (!json) throw new Complaint("There is no manifest.json among these files.");
      const manifest = await json.text();
      const wanted = readManifest(manifest).weights.file;
      const weights = files.find(({ name }) => name === wanted);
      if (!weights) throw new Complaint(`The manifest asks for ${wanted}; choose that file together with it.`);
      await this.openOwn(manifest, await weights.arrayBuffer());
    } catch (error) {
      this.complain(error);
    }
  }

  /**
   * The reader's own export, by its address.
   * @param {string} text
   * @param {boolean} typed by the reader; only then may it lead to another host
   */
  async openAddress(text, typed) {
    try {
      if (!URL.canParse(text, location.href)) throw new Complaint("This is not an address.");
      const address = new URL(text, location.href);
      if (!/^https?:$/.test(address.protocol)) throw new Complaint("An address begins with https://.");
      if (address.origin !== location.origin && !typed) {
        throw new Complaint(
          `This link asks for a network on another host, ${address.host}. Nothing was fetched. ` +
            "If you trust it, type its address under “Open your own”.",
        );
      }
      const { manifest, weights } = await fetchNetwork(address, { anyHost: typed });
      await this.openOwn(manifest, weights);
    } catch (error) {
      this.complain(error);
    }
  }

  /**
   * @param {string} manifest
   * @param {ArrayBuffer} weights
   */
  async openOwn(manifest, weights) {
    const before = this.chosen;
    this.chosen = "your own";
    try {
      await this.load(manifest, weights);
    } catch (error) {
      this.chosen = before;
      throw error;
    }
    this.markChosen();
    if (this.pictures.picture) await this.answer();
    else this.status.textContent = `${this.manifest?.name} is loaded. Choose an image.`;
  }

  openFromAddress() {
    const query = new URLSearchParams(location.search);
    const model = query.get("model");
    const network = query.get("network");
    if (model) this.openAddress(model, false);
    else if (network && SHIPPED.includes(network)) this.use(network);
  }

  listenForFiles() {
    const { root } = this;
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.classList.add("cnn-dropping");
    });
    root.addEventListener("dragleave", () => root.classList.remove("cnn-dropping"));
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      root.classList.remove("cnn-dropping");
      this.take(event.dataTransfer?.files);
    });
    document.addEventListener("paste", (event) => this.take(event.clipboardData?.files));
  }

  /** @param {FileList | undefined} files dropped or pasted */
  take(files) {
    if (!files?.length) return;
    if ([...files].some(({ name }) => name.endsWith(".json"))) this.openFiles(files);
    else this.pictures.openFile(files[0]);
  }

  repaintOnTheme() {
    readPalette(this.root);
    onThemeChange(() => {
      readPalette(this.root);
      if (this.outputs.length > 0) {
        this.network.update(this.outputs);
        this.choose({});
      }
    });
  }

  /** @param {unknown} error */
  complain(error) {
    const message = error instanceof Error ? error.message : String(error);
    this.problem.textContent =
      error instanceof Complaint ? message : `Something went wrong in this page (${message}). Please reload it.`;
    this.problem.hidden = false;
    if (this.status.textContent?.startsWith("Fetching")) this.status.textContent = "";
  }

  clearProblem() {
    this.problem.hidden = true;
    this.problem.textContent = "";
  }
}

/**
 * The place with the largest number of a layer, or of one position in it.
 * @param {Maps[]} outputs
 * @param {number} layer
 * @param {{row: number, column: number}} [at]
 * @returns {Place}
 */
function strongest(outputs, layer, at) {
  const maps = outputs[layer + 1];
  if (at) {
    const values = Array.from({ length: maps.channels }, (_, k) => valueAt(maps, at.row, at.column, k));
    return { layer, row: at.row, column: at.column, channel: values.indexOf(Math.max(...values)) };
  }
  const index = maps.data.reduce((best, value, place) => (value > maps.data[best] ? place : best), 0);
  const pixel = Math.floor(index / maps.channels);
  return {
    layer,
    row: Math.floor(pixel / maps.width),
    column: pixel % maps.width,
    channel: index % maps.channels,
  };
}

const root = document.getElementById("cnn-explorer");
if (root) {
  new Explorer(root);
  root.dataset.ready = "";
}
