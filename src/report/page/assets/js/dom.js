// Elements from data. Text is only ever set as text, so no name in a run can become markup.

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(made, name, value);
  made.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return made;
}

function setProperty(target, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) target.addEventListener(name.slice(2), value);
  else if (name === "style") Object.assign(target.style, value);
  else target.setAttribute(name, value === true ? "" : value);
}

function svg(tag, properties = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) setProperty(made, name, value);
  made.append(...children.flat(Infinity).filter(Boolean));
  return made;
}

function section(id, title, lead, ...children) {
  return element(
    "section",
    { id, "aria-labelledby": `${id}-title` },
    element("h2", { id: `${id}-title` }, title),
    lead && element("p", { class: "lead" }, lead),
    ...children,
  );
}

// What stands where there is nothing to show.
const nothing = (sentence) => element("p", { class: "nothing" }, sentence);

function choice(label, options, onchange) {
  const select = element(
    "select",
    { onchange: () => onchange(select.value) },
    options.map(([value, text]) => element("option", { value }, text)),
  );
  return element("label", { class: "choice" }, element("span", {}, label), select);
}

function searchField(label, oninput) {
  const field = element("input", {
    type: "search",
    placeholder: label,
    "aria-label": label,
    oninput: () => oninput(field.value),
  });
  return field;
}

function linkButton(text, onclick, properties = {}) {
  return element("button", { type: "button", class: "link", onclick, ...properties }, text);
}

function reveal(target) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  target.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "center" });
}
