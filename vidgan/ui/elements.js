// What every part of the page is made of.

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

// Drawn by hand, 16 units square, so that no font has to have them
const ICONS = {
  play: '<path d="M4 2.5v11l9.5-5.5z" fill="currentColor" stroke="none"/>',
  pause: '<path d="M5 3v10M11 3v10" stroke-width="2.6"/>',
  undo: '<path d="M3 6h6.5a3.5 3.5 0 0 1 0 7H6M3 6l3-3M3 6l3 3"/>',
  redo: '<path d="M13 6H6.5a3.5 3.5 0 0 0 0 7H10M13 6l-3-3M13 6l-3 3"/>',
  dice: '<rect x="2" y="2" width="12" height="12" rx="3"/><path d="M5.5 5.5h.01M10.5 5.5h.01M8 8h.01M5.5 10.5h.01M10.5 10.5h.01" stroke-width="2.2"/>',
  open: '<rect x="3" y="7" width="10" height="7" rx="1.5"/><path d="M5.5 7V4.6a2.6 2.6 0 0 1 5-1"/>',
  locked: '<rect x="3" y="7" width="10" height="7" rx="1.5" fill="currentColor"/><path d="M5.5 7V4.8a2.5 2.5 0 0 1 5 0V7"/>',
};

function icon(button, name) {
  button.innerHTML = `<svg viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${ICONS[name]}</svg>`;
  return button;
}

function percent(share) {
  const value = Math.round(100 * share);
  return share > 0 && value < 1 ? "<1%" : `${value}%`;
}

function randomSeed() {
  return String(crypto.getRandomValues(new Uint32Array(1))[0] % 100000);
}

// A label's name for people: data sets write walk_front
const inWords = (name) => name.replaceAll("_", " ");

// A slider that tells the store while it moves, or whom it is told to. `options`: key, name, note, low, high, step,
// what(value) -> change, or input(value); reset, what a double click changes
function slider(store, options) {
  const { key, name, note = "", low, high, step } = options;
  const output = make("output", { class: "vg-number" });
  const input = make("input", { type: "range", min: low, max: high, step, "aria-label": options.label || name });
  const row = make("label", { class: "vg-slider" }, make("span", { class: "vg-name" }, name, make("small", {}, note)), input, output);
  const error = make("p", { class: "vg-error", role: "alert", hidden: true });
  const show = (value) => {
    output.textContent = options.format ? options.format(value) : Number(value).toFixed(2);
    input.setAttribute("aria-valuetext", output.textContent);
    input.style.setProperty("--fill", `${(100 * (value - low)) / (high - low)}%`);
  };
  input.addEventListener("pointerdown", () => {
    store.held = input;
    const up = () => {
      store.held = false;
      store.settle();
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", up);
    };
    addEventListener("pointerup", up);
    addEventListener("pointercancel", up);
  });
  input.addEventListener("input", () => {
    show(Number(input.value));
    if (options.input) options.input(Number(input.value));
    else store.change(key, options.what(Number(input.value)), row);
  });
  if (options.reset)
    row.addEventListener("dblclick", (event) => {
      event.preventDefault();
      if (options.input) options.input(null);
      else store.change(key, typeof options.reset === "function" ? options.reset() : options.reset, row);
    });
  row.title = options.title || "";
  return {
    row, input, error,
    set(value) {
      if (store.held === input || store.waiting.has(key)) return;
      const held = Math.max(low, Math.min(high, value));
      if (Number(input.value) !== held) input.value = held;
      show(value);
    },
  };
}

// One request at a time, and while it is under way only the newest wish is kept. `work` sees to its own mistakes.
function newest(work) {
  let wish = null, busy = false;
  return async (value) => {
    wish = { value };
    if (busy) return;
    busy = true;
    while (wish) {
      const { value: now } = wish;
      wish = null;
      await work(now);
    }
    busy = false;
  };
}
