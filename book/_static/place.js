// A reader's place: lessons done, quizzes answered, the page read last. It is kept in this
// browser's own storage; nothing of it leaves the device.

const KEY = "cnncourse.place";
/** @typedef {{last?: {page: string, title: string}, done: Record<string, string>,
 *   quizzes: Record<string, Record<string, {asked: number, opened: number[], right: boolean}>>}} Place */

/** @returns {Place} */
const read = () => {
  try {
    const place = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    /** @param {any} part */
    const dictionary = (part) => (part && typeof part === "object" ? part : {});
    const last = typeof place.last?.page === "string" ? place.last : undefined;
    return { last, done: dictionary(place.done), quizzes: dictionary(place.quizzes) };
  } catch {
    return { done: {}, quizzes: {} }; // storage is closed, or holds something else
  }
};

/** @param {(place: Place) => void} change */
const write = (change) => {
  const place = read();
  change(place);
  try {
    localStorage.setItem(KEY, JSON.stringify(place));
  } catch {
    // A browser that keeps nothing is no reason to stop a reader.
  }
};

const root = new URL(document.documentElement.dataset.content_root ?? "./", location.href);
const page = location.pathname.slice(root.pathname.length);
const lesson = page.match(/^notebooks\/(\d\d)-[^/]+\.html$/)?.[1];
const title = document.querySelector("article h1")?.firstChild?.textContent ?? document.title;

if (lesson) {
  write((place) => {
    place.last = { page, title };
  });
  rememberQuiz(lesson);
  offerDone(lesson);
}
const table = document.querySelector("#the-lessons table");
if (table) showPlace(table);

/**
 * Opens the options that were chosen before, and notes those that are chosen now.
 * @param {string} lesson
 */
function rememberQuiz(lesson) {
  const fields = [...document.querySelectorAll(".cnn-quiz fieldset")];
  const known = read().quizzes[lesson] ?? {};
  for (const field of fields) {
    const name = /** @type {HTMLElement} */ (field).dataset.question ?? "";
    const options = [...field.querySelectorAll("details")];
    for (const index of known[name]?.opened ?? []) if (options[index]) options[index].open = true;
    /** @param {{opened: number[], right: boolean}} answer */
    const note = (answer) =>
      write((place) => {
        place.quizzes[lesson] = { ...place.quizzes[lesson], [name]: { ...answer, asked: fields.length } };
      });
    field.addEventListener(
      "toggle",
      () => {
        const opened = options.flatMap(({ open }, index) => (open ? [index] : []));
        const right = options.some(({ open, className }) => open && className === "right");
        if (opened.length > 0) note({ opened, right });
      },
      true,
    );
    field.addEventListener("submit", () => {
      const reaction = field.querySelector(".reaction.right, .reaction.wrong");
      if (reaction) note({ opened: [], right: reaction.classList.contains("right") });
    });
  }
}

/**
 * A button at the end of a lesson.
 * @param {string} lesson
 */
function offerDone(lesson) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "place";
  const show = () => {
    const done = lesson in read().done;
    button.setAttribute("aria-pressed", `${done}`);
    button.textContent = done ? "✓ This lesson is done" : "Mark this lesson as done";
  };
  button.addEventListener("click", () => {
    write((place) => {
      if (lesson in place.done) delete place.done[lesson];
      else place.done[lesson] = new Date().toISOString().slice(0, 10);
    });
    show();
  });
  show();
  document.querySelector("article")?.append(button);
}

/**
 * What is done, in the table of lessons; the way back; export and deletion.
 * @param {Element} table
 */
function showPlace(table) {
  const { last, done, quizzes } = read();
  if (!last) return;
  const head = table.querySelector("thead tr");
  head?.insertAdjacentHTML("beforeend", '<th class="place">yours</th>');
  for (const row of table.querySelectorAll("tbody tr")) {
    const lesson = row.querySelector("a")?.textContent?.slice(0, 2) ?? "";
    const answers = Object.values(quizzes[lesson] ?? {});
    const right = answers.filter((answer) => answer.right).length;
    const cell = row.appendChild(document.createElement("td"));
    cell.className = "place";
    cell.textContent = [
      lesson in done ? "✓ done" : "",
      answers.length > 0 ? `quiz ${right}/${answers[0].asked}` : "",
    ].filter(Boolean).join(", ");
  }
  const line = document.createElement("p");
  line.className = "place";
  const back = document.createElement("a");
  back.href = new URL(last.page, root).href;
  back.textContent = `Go on with ${last.title}`;
  const save = document.createElement("button");
  save.textContent = "Save this as a file";
  save.addEventListener("click", () => {
    const file = new Blob([JSON.stringify(read(), null, 2)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = "cnncourse-place.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
  const forget = document.createElement("button");
  forget.textContent = "Delete it";
  forget.addEventListener("click", () => {
    try {
      localStorage.removeItem(KEY);
    } finally {
      for (const part of document.querySelectorAll(".place")) part.remove();
    }
  });
  line.append(back, ". Your place is kept in this browser alone. ", save, " ", forget);
  table.closest(".pst-scrollable-table-container, .table-wrapper, table")?.before(line);
}
