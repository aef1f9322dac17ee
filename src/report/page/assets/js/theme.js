// Light and dark. Colours live in the style sheet as custom properties; canvases ask for them here.

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const onPaper = matchMedia("print");

const theme = {
  chosen: null, // by the reader, over what the system prefers
  printing: false,
  listeners: [],
  cache: new Map(),

  get name() {
    if (this.printing) return "light";
    return this.chosen ?? (prefersDark.matches ? "dark" : "light");
  },

  apply() {
    document.documentElement.dataset.theme = this.name;
    this.cache.clear();
    for (const listener of this.listeners) listener();
  },

  // Paper has another width and is always light: both change before the picture is taken.
  print(printing) {
    if (printing === this.printing) return;
    this.printing = printing;
    document.documentElement.classList.toggle("paper", printing);
    this.apply();
    for (const resize of this.resizers) resize();
  },

  resizers: [],
};

prefersDark.addEventListener("change", () => theme.apply());
onPaper.addEventListener("change", () => theme.print(onPaper.matches));
addEventListener("beforeprint", () => theme.print(true));
addEventListener("afterprint", () => theme.print(false));
theme.apply();

function color(name) {
  if (!theme.cache.has(name)) {
    theme.cache.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }
  return theme.cache.get(name);
}

function themeButton() {
  const button = element("button", {
    type: "button",
    id: "theme",
    "aria-label": "Switch between light and dark",
  });
  const show = () => {
    button.textContent = theme.name === "dark" ? "Light" : "Dark";
  };
  button.addEventListener("click", () => {
    theme.chosen = theme.name === "dark" ? "light" : "dark";
    theme.apply();
  });
  theme.listeners.push(show);
  show();
  return button;
}

// Draws anew whenever the place of a picture has another width.
function followWidth(place, resize) {
  new ResizeObserver(resize).observe(place);
  theme.resizers.push(resize);
}
