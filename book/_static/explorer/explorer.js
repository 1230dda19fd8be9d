// The explorer page: it puts the panels together and holds what is chosen. The networks run in
// worker.js; what layers compute stands in kinds.js and layers.js.

import { AnswerPanel } from "./answer-panel.js";
import { answerSentence, divergenceSentence, readAnswer, storyOf, titleOf } from "./describe.js";
import { digits, h, makeRoving, setChecked, short, times } from "./dom.js";
import { Engine, fetchNetwork } from "./engine.js";
import { mixes, receptiveField, valueAt } from "./explain.js";
import { warningAbout } from "./familiarity.js";
import { readLink, writeLink } from "./link.js";
import { MapsPanel, NetworkPanel } from "./network-panel.js";
import { Complaint, inputsOf, readManifest } from "./network.js";
import { NumberPanel } from "./number-panel.js";
import { onThemeChange, readPalette } from "./paint.js";
import { PicturePanel } from "./picture-panel.js";
import { Wish } from "./wish.js";

/** @typedef {import("./network.js").Manifest} Manifest */
/** @typedef {import("./layers.js").Maps} Maps */
/** @typedef {import("./explain.js").Place} Place */
/** @typedef {import("./engine.js").Answer} Answer */

const SHIPPED = ["simple_CNN", "simpler_CNN"];
const OWN = "your own";

const CLASSES = [
  "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
];

/** One network with what it made of the image. Two of them stand side by side. */
class Side {
  /**
   * @param {object} hooks
   * @param {(place: Partial<Place>) => void} hooks.onChoose
   * @param {(place: {layer: number, channel: number} | null) => void} hooks.onPoint
   * @param {(channel: number) => void} hooks.onClass
   */
  constructor({ onChoose, onPoint, onClass }) {
    this.key = "";
    /** @type {Manifest | null} */
    this.manifest = null;
    /** @type {Maps[]} */
    this.outputs = [];
    this.run = 0;
    this.answers = new AnswerPanel(onClass);
    this.network = new NetworkPanel({ onChoose, onPoint });
  }

  /**
   * @param {string} key
   * @param {Manifest} manifest
   */
  setNetwork(key, manifest) {
    this.key = key;
    this.manifest = manifest;
    this.outputs = [];
    this.answers.setClasses(manifest.classes);
    this.answers.title.textContent = short(manifest.name);
    this.network.setNetwork(manifest);
  }

  /**
   * @param {Answer} answer
   * @returns {string} what it says
   */
  show({ outputs, run, milliseconds, divergence }) {
    const manifest = /** @type {Manifest} */ (this.manifest);
    this.outputs = outputs;
    this.run = run;
    const reading = readAnswer(manifest, outputs[outputs.length - 1]);
    this.answers.update(reading, milliseconds);
    this.network.update(outputs);
    return divergence ? divergenceSentence(manifest, divergence) : answerSentence(manifest, reading);
  }
}

class Explorer {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.engine = new Engine();
    /** @type {Map<string, Manifest>} what the background thread holds, by name */
    this.held = new Map();
    /** @type {string} what is chosen, loaded or not */
    this.chosen = SHIPPED[0];
    this.beside = "";
    this.loading = "";
    /** @type {string} the key of the network that the reader opened; each one gets a new one */
    this.own = "";
    this.opened = 0;
    /** @type {Place} */
    this.place = { layer: 0, row: 0, column: 0, channel: 0 };
    this.source = 0;
    /** @type {import("./link.js").Link | null} */
    this.link = null;
    this.busy = false;
    this.again = false;

    const fail = (/** @type {unknown} */ error) => this.complain(error);
    this.linkWish = new Wish(fail);
    this.networkWish = new Wish(fail);
    this.besideWish = new Wish(fail);
    this.answerWish = new Wish(fail);
    this.detailWish = new Wish(fail);
    this.pointWish = new Wish(fail);
    this.warningWish = new Wish(fail);

    this.pictures = new PicturePanel({
      onInput: () => this.answer(),
      onError: fail,
      onWish: () => this.clearProblem(),
    });
    this.sides = [this.makeSide(0), this.makeSide(1)];
    this.active = 0;
    this.maps = new MapsPanel((place) => this.choose(place));
    this.number = new NumberPanel({
      onMove: (place) => this.choose(place),
      onSource: (source) => {
        this.source = source;
        this.explain();
      },
    });
    this.sides[0].answers.setClasses(CLASSES);

    // What a screen reader hears: the answer, a complaint, the number under the cursor.
    this.status = h("p", { role: "status", class: "cnn-status" });
    this.warning = h("p", { role: "status", class: "cnn-warning" });
    this.problem = h("p", { role: "alert", class: "cnn-problem", hidden: true });
    this.spoken = h("p", { class: "cnn-hidden", "aria-live": "polite" });
    this.switch = this.makeSwitch();
    this.layerTitle = h("h3", { class: "cnn-heading" });
    this.story = h("p");
    this.networkSection = this.section("2", "The network, layer by layer", [
      h(
        "p",
        { class: "cnn-muted" },
        "Each picture holds all maps of a layer; orange is positive, purple is negative. Point at a map: " +
          "what feeds it lights up, and what it feeds. Choose it, and its arithmetic stands beside it.",
      ),
      h("div", { class: "cnn-networks" }, ...this.sides.map(({ network }) => network.element)),
      this.layerTitle,
      this.story,
      this.maps.element,
    ]);
    this.deep = h("div", { class: "cnn-deep", hidden: true }, this.networkSection, this.number.element);
    root.append(
      this.switch,
      this.problem,
      h(
        "section",
        { class: "cnn-section cnn-start", "aria-label": "Image and answer" },
        h("div", {}, h("h2", { class: "cnn-heading" }, h("span", { class: "cnn-step" }, "1"), "An image"), this.pictures.element),
        h(
          "div",
          {},
          h("h2", { class: "cnn-heading" }, "The answer"),
          this.status,
          this.warning,
          h("div", { class: "cnn-both" }, ...this.sides.map(({ answers }) => answers.element)),
        ),
      ),
      this.deep,
      this.spoken,
    );
    this.showSides();
    this.repaintOnTheme();
    this.listenForFiles();
    window.addEventListener("hashchange", () => this.followLink());
    this.begin();
  }

  /** @param {number} index */
  makeSide(index) {
    return new Side({
      onChoose: (place) => {
        this.activate(index);
        this.choose(place);
        this.number.open(true);
      },
      onPoint: (map) => this.pointAt(index, map),
      onClass: (channel) => {
        this.activate(index);
        const { manifest } = this.side;
        this.choose({ layer: (manifest?.layers.length ?? 1) - 1, channel, row: 0, column: 0 });
        this.number.open(true);
        this.number.element.scrollIntoView({ block: "nearest" });
      },
    });
  }

  /** The network that the maps and the number belong to. */
  get side() {
    return this.sides[this.active];
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
    const other = h("select", { id: "cnn-beside", onchange: () => this.setBeside(other.value) });
    this.other = other;
    this.copied = h("span", { class: "cnn-muted", role: "status" });
    this.listOthers();

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
      h("span", { class: "cnn-row" }, h("label", { for: "cnn-beside" }, "Beside it"), other),
      h(
        "span",
        { class: "cnn-row" },
        h("button", { type: "button", class: "cnn-button", onclick: () => this.copyLink() }, "Copy link"),
        this.copied,
      ),
      h(
        "details",
        { class: "cnn-own" },
        h("summary", {}, "Open your own"),
        h("p", {}, "Export a trained model on your machine:"),
        h("pre", { tabindex: 0 }, "cnncourse export my_model.keras --to explorer my_network"),
        h("p", {}, "Then open the folder here, or its two files, or an address where you put them. Files stay on your machine."),
        h("p", { class: "cnn-row" }, h("label", { for: "cnn-folder" }, "Folder"), folder),
        h("p", { class: "cnn-row" }, h("label", { for: "cnn-files" }, "Two files"), files),
        form,
      ),
    );
  }

  // ---- beginning, and links ------------------------------------------------------------------

  /** A first image is answered as soon as the browser has nothing better to do. */
  async begin() {
    const model = new URLSearchParams(location.search).get("model");
    if (model) await this.openAddress(model, false);
    else if (this.followLink()) return;
    const { connection } = /** @type {{connection?: {saveData?: boolean, effectiveType?: string}}} */ (navigator);
    if (!model && (connection?.saveData || /2g/.test(connection?.effectiveType ?? ""))) {
      this.status.textContent = "Choose an image: then the network is fetched, about 1.3 MB.";
      return;
    }
    if (!model) this.status.textContent = "A first image is on its way.";
    const idle = window.requestIdleCallback ?? ((/** @type {() => void} */ then) => setTimeout(then, 200));
    idle(async () => {
      await this.pictures.galleryReady;
      if (!this.pictures.picture && this.pictures.gallery.length > 0) this.pictures.pick(0);
    });
  }

  /**
   * Shows what the address asks for.
   * @returns {boolean} whether it asks for anything
   */
  followLink() {
    const link = readLink(location.hash);
    if (!link || location.hash === this.written) return false;
    const unknown = [link.network, link.with].find((name) => name && !SHIPPED.includes(name) && !this.held.has(name));
    if (unknown) {
      this.complain(new Complaint(`This link asks for the network ${short(unknown)}, which this page does not have.`));
      return false;
    }
    this.clearProblem();
    if (link.network && this.opensOwn) {
      this.networkWish.drop();
      this.loading = "";
    }
    this.link = link;
    this.chosen = link.network ?? this.chosen;
    this.markChosen();
    this.linkWish.make(async (still) => {
      await still(this.pictures.galleryReady);
      const { gallery, picture } = this.pictures;
      const index = link.image === undefined ? -1 : gallery.findIndex((image) => image.index === link.image);
      if (link.image !== undefined && index < 0) {
        this.complain(new Complaint(`This link asks for test image ${link.image}, which is not among those of this page.`));
      }
      if (index >= 0 || !picture) this.pictures.pick(Math.max(0, index));
      else this.answer();
      this.setBeside(link.with ?? "");
    });
    return true;
  }

  /** Goes to the place that a link asked for, once its numbers are there. */
  applyLink() {
    const { link, side } = this;
    const { manifest, outputs } = side;
    if (!link || !manifest || side.key !== this.chosen) return;
    this.link = null;
    if (link.layer === undefined) return;
    const wanted = link.layer;
    const named = manifest.layers.findIndex(({ name }) => name === wanted);
    const layer = named >= 0 ? named : Number(wanted) - 1;
    const maps = outputs[layer + 1];
    if (!maps || !Number.isInteger(layer) || layer < 0) {
      this.complain(new Complaint(`This link asks for layer ${short(wanted)}; ${short(manifest.name)} has ${manifest.layers.length}.`));
      return;
    }
    const best = strongest(outputs, layer);
    const channel = Math.min(link.map ?? best.channel + 1, maps.channels) - 1;
    const row = Math.min(link.row ?? best.row + 1, maps.height) - 1;
    const column = Math.min(link.column ?? best.column + 1, maps.width) - 1;
    this.choose({ layer, channel, row, column });
  }

  /** Keeps the address of the page at what is shown, so that it can be passed on. */
  writeAddress() {
    const { picture } = this.pictures;
    const { layer, row, column, channel } = this.place;
    const network = SHIPPED.includes(this.chosen) ? this.chosen : undefined;
    this.written = writeLink({
      network,
      with: SHIPPED.includes(this.beside) ? this.beside : undefined,
      image: picture?.index,
      layer: String(layer + 1), map: channel + 1, row: row + 1, column: column + 1,
    });
    clearTimeout(this.writing);
    // Browsers refuse many changes in a short time.
    this.writing = setTimeout(() => history.replaceState(history.state, "", this.written), 300);
    if (this.copied) this.copied.textContent = "";
  }

  async copyLink() {
    if (!this.copied) return;
    const address = new URL(location.href);
    if (this.written) address.hash = this.written;
    const lacks = [
      this.pictures.picture?.index === undefined && "your picture",
      !SHIPPED.includes(this.chosen) && "your network",
    ].filter(Boolean);
    const note = lacks.length > 0 ? ` It leaves out ${lacks.join(" and ")}, which stays on your machine.` : "";
    try {
      await navigator.clipboard.writeText(String(address));
      this.copied.textContent = `Copied.${note}`;
    } catch {
      history.replaceState(history.state, "", address);
      this.copied.textContent = `Copy it from the address bar.${note}`;
    }
  }

  // ---- which networks ------------------------------------------------------------------------

  /** @param {string} name of a network that ships, or that was opened */
  use(name) {
    this.clearProblem();
    this.chosen = name;
    this.markChosen();
    return this.loadChosen();
  }

  markChosen() {
    const buttons = /** @type {HTMLElement[]} */ ([...(this.group?.children ?? [])]);
    if (this.group) setChecked(this.group, buttons.find((button) => button.textContent === this.chosen));
    this.listOthers();
  }

  /** The networks that can stand beside the chosen one. */
  listOthers() {
    const { other } = this;
    if (!other) return;
    const keys = [...SHIPPED, ...(this.own ? [this.own] : [])].filter((key) => key !== this.chosen);
    if (this.beside && !keys.includes(this.beside)) this.setBeside("");
    const nameOf = (/** @type {string} */ key) => (key === this.own ? short(this.held.get(key)?.name ?? key) : key);
    other.replaceChildren(
      h("option", { value: "" }, "none"),
      ...keys.map((key) => h("option", { value: key, selected: key === this.beside }, nameOf(key))),
    );
  }

  async loadChosen() {
    const wanted = this.chosen;
    if (this.loading === wanted) return;
    this.loading = wanted;
    await this.networkWish.make(async (still, signal) => {
      const manifest = await still(this.hold(wanted, signal));
      this.show(wanted, manifest);
    });
    if (this.loading !== wanted) return;
    this.loading = "";
    // What could not be fetched is not chosen either.
    if (this.sides[0].key !== wanted && this.sides[0].key) {
      this.chosen = this.sides[0].key;
      this.markChosen();
    }
    await this.answer();
  }

  /**
   * Brings a shipped network into the background thread, once.
   * @param {string} name
   * @param {AbortSignal} signal
   * @returns {Promise<Manifest>}
   */
  async hold(name, signal) {
    const known = this.held.get(name);
    if (known) return known;
    this.status.textContent = `Fetching ${name}…`;
    const { manifest, weights } = await fetchNetwork(new URL(`./networks/${name}/`, import.meta.url), {
      signal,
      onProgress: (share) => this.sayProgress(name, share),
    });
    const loaded = await this.engine.load(name, manifest, weights);
    this.held.set(name, loaded);
    return loaded;
  }

  /**
   * @param {string} name
   * @param {number} share
   */
  sayProgress(name, share) {
    const tenths = Math.min(10, Math.floor(10 * share));
    if (this.status.textContent?.startsWith("Fetching")) this.status.textContent = `Fetching ${name}… ${10 * tenths} %`;
  }

  /**
   * @param {string} key
   * @param {Manifest} manifest
   */
  show(key, manifest) {
    const [side] = this.sides;
    if (side.key === key && side.manifest === manifest) return;
    this.answerWish.drop();
    side.setNetwork(key, manifest);
    this.pictures.fitTo(manifest.input);
    if (!this.pictures.picture) this.status.textContent = `${short(manifest.name)} is loaded. Choose an image.`;
  }

  /** @param {string} name of the network that stands beside the chosen one, or empty */
  setBeside(name) {
    this.beside = name;
    if (this.other) this.other.value = name;
    this.besideWish.drop();
    const side = this.sides[1];
    if (name === "") {
      this.answerWish.drop();
      side.key = "";
      side.outputs = [];
      this.showSides();
      return;
    }
    if (side.key === name) return;
    this.besideWish.make(async (still, signal) => {
      const manifest = await still(this.hold(name, signal));
      this.answerWish.drop();
      side.setNetwork(name, manifest);
      this.showSides();
      await this.answer();
    });
  }

  showSides() {
    const [first, second] = this.sides;
    const two = second.key !== "";
    second.answers.element.hidden = second.network.element.hidden = !two;
    first.answers.title.hidden = second.answers.title.hidden = !two;
    this.root.classList.toggle("cnn-two", two);
    if (!two) this.activate(0);
  }

  /** @param {number} index of the side that was touched last */
  activate(index) {
    if (index === this.active) return;
    this.side.network.select(-1);
    this.side.network.light(null);
    this.active = index;
    this.place = { layer: 0, row: 0, column: 0, channel: 0 };
    if (this.side.outputs.length > 0) this.place = strongest(this.side.outputs, 0);
    this.choose({});
  }

  // ---- the answer ----------------------------------------------------------------------------

  /** Runs the newest image; while one is under way, only the last request is kept. */
  async answer() {
    if (!this.pictures.picture) return;
    if (this.sides[0].key !== this.chosen) {
      // A network that the reader opens is not given up for an image: it answers when it is there.
      if (!this.opensOwn) await this.loadChosen();
      return;
    }
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    do {
      this.again = false;
      // Given up when one of the networks is exchanged, who then asks for an answer of its own.
      await this.answerWish.make(async (still) => {
        const sides = this.sides.filter(({ key }) => key !== "");
        const runs = sides.map(({ key, manifest }) =>
          this.engine.run(key, this.pictures.valuesFor(/** @type {Manifest} */ (manifest).input)),
        );
        this.showAnswers(sides, await still(Promise.all(runs)));
      });
    } while (this.again);
    this.busy = false;
  }

  /**
   * @param {Side[]} sides
   * @param {Answer[]} answers
   */
  showAnswers(sides, answers) {
    const fresh = this.side.outputs.length === 0;
    const sentences = sides.map((side, index) => side.show(answers[index]));
    this.status.textContent = sentences.join(" ");
    this.warn(sides);
    if (this.deep.hidden) {
      this.deep.hidden = false;
      for (const side of sides) side.network.arrange();
    }
    if (fresh) this.place = strongest(this.side.outputs, 0);
    this.applyLink();
    this.choose({});
  }

  /**
   * Says when an image resembles nothing that the course's networks were trained on; of other
   * networks' training nothing is known.
   * @param {Side[]} sides
   */
  warn(sides) {
    this.warningWish.make(async (still) => {
      const taught = sides.find(({ key }) => SHIPPED.includes(key));
      this.warning.textContent = taught ? await still(warningAbout(taught.outputs[0].data)) : "";
    });
  }

  // ---- one layer, one map, one number --------------------------------------------------------

  /** @param {Partial<Place>} change */
  choose(change) {
    const { manifest, outputs } = this.side;
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
    if (!mixes(layer)) this.source = place.channel;
    else if (moved || this.source >= outputs[inputsOf(manifest.layers, place.layer)[0]].channels) this.source = -1;
    const last = place.layer === manifest.layers.length - 1;
    const named = last && maps.channels === manifest.classes.length;
    this.layerTitle.textContent = `${titleOf(layer)} · ${short(layer.name)} · ${times(layer.output_shape)}`;
    this.story.textContent = storyOf(manifest.layers, place.layer, outputs);
    this.side.network.select(place.layer);
    this.maps.update(maps, named ? manifest.classes : [], `${this.side.key}/${manifest.name}/${place.layer}`);
    this.maps.select(place.channel);
    this.writeAddress();
    this.explain();
  }

  explain() {
    const { place, side } = this;
    const { manifest, outputs } = side;
    if (!manifest || outputs.length === 0) return;
    this.detailWish.make(async (still) => {
      const [explanation, relation] = await still(
        Promise.all([this.engine.explain(side.key, side.run, place), this.engine.relate(side.key, place)]),
      );
      if (!explanation || side.outputs !== outputs) return;
      if (explanation.type === "conv2d" && this.source < explanation.first) {
        const sizes = explanation.sums.map(Math.abs);
        const largest = sizes.reduce((most, size) => Math.max(most, size || 0), 0);
        this.source = explanation.first + Math.max(0, sizes.indexOf(largest));
      }
      this.number.update(manifest, outputs, place, explanation, Math.max(0, this.source));
      const field = receptiveField(manifest.layers, outputs, place);
      if (this.active === 0) this.pictures.showField(field);
      side.network.showField(field);
      side.network.light(relation);
      this.relation = relation;
      if (this.number.player.playing) return;
      this.spoken.textContent =
        `Layer ${place.layer + 1}, map ${place.channel + 1}, row ${place.row + 1}, ` +
        `column ${place.column + 1}: ${digits(explanation.value, 4)}`;
    });
  }

  /**
   * A map under the pointer lights its way; without one, the chosen map does.
   * @param {number} index of the side
   * @param {{layer: number, channel: number} | null} map
   */
  pointAt(index, map) {
    const side = this.sides[index];
    if (!map || side.outputs.length === 0) {
      this.pointWish.drop();
      side.network.light(index === this.active ? (this.relation ?? null) : null);
      return;
    }
    this.pointWish.make(async (still) => {
      side.network.light(await still(this.engine.relate(side.key, map)));
    });
  }

  // ---- the reader's own networks -------------------------------------------------------------

  /** Whether a network of the reader's own is on its way. */
  get opensOwn() {
    return this.loading.startsWith(OWN);
  }

  /**
   * The reader's own export, from a folder or two files.
   * @param {FileList | File[] | null} list
   */
  async openFiles(list) {
    const files = [...(list ?? [])];
    if (files.length === 0) return;
    await this.openOwn("", async (still) => {
      const json = files.find(({ name }) => name === "manifest.json") ?? files.find(({ name }) => name.endsWith(".json"));
      if (!json) throw new Complaint("There is no manifest.json among these files.");
      const manifest = await still(json.text());
      const wanted = readManifest(manifest).weights.file;
      const weights = files.find(({ name }) => name === wanted);
      if (!weights) throw new Complaint(`The manifest asks for ${wanted}; choose that file together with it.`);
      return { manifest, weights: await still(weights.arrayBuffer()) };
    });
  }

  /**
   * The reader's own export, by its address.
   * @param {string} text
   * @param {boolean} typed by the reader; only then may it lead to another host
   */
  async openAddress(text, typed) {
    await this.openOwn(text, async (still, signal) => {
      if (!URL.canParse(text, location.href)) throw new Complaint("This is not an address.");
      const address = new URL(text, location.href);
      if (!/^https?:$/.test(address.protocol)) throw new Complaint("An address begins with https://.");
      if (address.origin !== location.origin && !typed) {
        throw new Complaint(
          `This link asks for a network on another host, ${address.host}. Nothing was fetched. ` +
            "If you trust it, type its address under “Open your own”.",
        );
      }
      const onProgress = (/** @type {number} */ share) => this.sayProgress(short(text), share);
      return still(fetchNetwork(address, { anyHost: typed, signal, onProgress }));
    });
  }

  /**
   * @param {string} from what is being fetched, for the reader who waits
   * @param {(still: <T>(promise: Promise<T> | T) => Promise<T>, signal: AbortSignal) =>
   *   Promise<{manifest: string, weights: ArrayBuffer}>} bring
   */
  async openOwn(from, bring) {
    this.clearProblem();
    const before = this.status.textContent;
    if (from) this.status.textContent = `Fetching ${short(from)}…`;
    // Of several that are opened in a row none may take another's place in the background.
    const key = `${OWN} ${++this.opened}`;
    this.loading = key;
    const opened = await this.networkWish.make(async (still, signal) => {
      const { manifest, weights } = await bring(still, signal);
      const loaded = await still(this.engine.load(key, manifest, weights));
      this.held.delete(this.own);
      this.engine.forget(this.own);
      this.held.set(key, loaded);
      this.own = this.chosen = key;
      this.markChosen();
      this.show(key, loaded);
    });
    if (!opened) this.engine.forget(key);
    if (this.loading !== key) return;
    this.loading = "";
    if (!opened && from) this.status.textContent = before;
    await this.answer();
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
      for (const side of this.sides) if (side.outputs.length > 0) side.network.update(side.outputs);
      this.maps.paint();
      this.choose({});
    });
  }

  // ---- what is said --------------------------------------------------------------------------

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
    let channel = 0;
    for (let k = 1; k < maps.channels; k++) {
      if (valueAt(maps, at.row, at.column, k) > valueAt(maps, at.row, at.column, channel)) channel = k;
    }
    return { layer, row: at.row, column: at.column, channel };
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
