for (const form of document.querySelectorAll("#QUIZ form")) {
  form.onsubmit = (event) => {
    event.preventDefault();
    // As people type them: a typographic minus, a comma between thousands, a fraction.
    const text = form.querySelector("input").value.replace(/−/g, "-").replace(/[\s,]/g, "");
    const [above, below = "1", ...more] = text.split("/");
    const given = more.length || !above || !below ? NaN : above / below;
    const field = form.parentElement, reaction = field.querySelector(".reaction");
    const fits = ({ dataset: { from, to } }) =>
      from === "" || (given > from - 1e-9 && given < +to + 1e-9);
    const answer = Number.isFinite(given) && [...field.querySelectorAll("template")].find(fits);
    reaction.className = `reaction ${answer ? answer.className : ""}`;
    if (answer) reaction.replaceChildren(answer.content.cloneNode(true));
    else reaction.innerHTML = "<p>Type a number, such as 12, 0.5 or 3/4.</p>";
  };
}
