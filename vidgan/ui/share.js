// Taking it home: the link, the lines that make the same frames. And what the tabs of one page share.
//
// A picture or a walk in a link stands behind the #: browsers never send that part, so that it appears in no server's
// log and no proxy finds the link too long.

const OURS = /^(release|label|frames|z|fusion|stage|view|then|image|tab|redraw|draws|original|walk|pace|compare|seed(\..*)?|truncation\..*)$/;
const LONG = /^#?(image|walk)=/;
// tabs that a link asks for by name, as far as they are there; the others know their releases
const NAMED = ["resample", "interpolate", ...document.querySelector(".vg-mast").dataset.tabs.split(" ")];

// asked: the link that the visitor came with; walk: what stands behind its #; wanted: the tab that it is for, until that
// one is in sight; stores: the current points; tabs by name; active: the one in sight; turn(name) goes to another
const SHARED = (window.vidgan ??= {
  asked: location.search + (location.hash.startsWith("#image=") ? `&${location.hash.slice(1)}` : ""),
  walk: new URLSearchParams(location.hash.slice(1)).get("walk"),
  wanted: NAMED.find((name) => name === new URLSearchParams(location.search).get("tab")) ?? "explore",
  stores: {},
  tabs: {},
  active: null,
});

// The link to a point; extras: what its tab adds, by name
function linkTo(query, extras = {}) {
  const parts = query.split("&");
  for (const [key, value] of Object.entries(extras)) parts.push(`${key}=${encodeURIComponent(value)}`);
  const long = parts.find((part) => LONG.test(part));
  const kept = [...new URLSearchParams(location.search)].filter(([key]) => !OURS.test(key));
  const rest = new URLSearchParams(kept).toString();
  const mine = parts.filter((part) => part !== long).join("&");
  const hash = long ? `#${long}` : LONG.test(location.hash) ? "" : location.hash;
  return `${location.origin}${location.pathname}?${mine}${rest ? `&${rest}` : ""}${hash}`;
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { class: "vg-sr" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

// The header above all tabs: it speaks of the one in sight.
class Masthead {
  constructor() {
    this.select = document.getElementById("vg-release");
    this.menu = document.getElementById("vg-copy");
    this.shown = document.getElementById("vg-copy-text");
    this.select.addEventListener("change", () => SHARED.active?.choose(this.select.value));
    document.getElementById("vg-link").addEventListener("click", (event) => this.copy("link", event.currentTarget));
    for (const button of this.menu.querySelectorAll("[data-copy]"))
      button.addEventListener("click", () => this.copy(button.dataset.copy, button));
    document.addEventListener("pointerdown", (event) => {
      if (!this.menu.contains(event.target)) this.menu.open = false;
    });
    this.menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.menu.open = false;
    });
    this.menu.addEventListener("toggle", () => this.menu.open || (this.shown.hidden = true));
    // a link that differs behind the # alone is the same page to a browser
    addEventListener("hashchange", () => LONG.test(location.hash) && location.reload());
  }
  async copy(what, button) {
    const tab = SHARED.active;
    await tab?.store.idle();
    if (!tab?.store.point) return;
    const text = what === "link" ? tab.link() : tab.lines(what);
    const done = await toClipboard(text);
    this.shown.textContent = text;
    this.shown.hidden = button.id === "vg-link";
    const before = button.dataset.text || (button.dataset.text = button.textContent);
    button.textContent = done ? "Copied" : "Select and copy it below";
    tab.say(done ? "Copied" : text);
    clearTimeout(button.timer);
    button.timer = setTimeout(() => (button.textContent = before), 1500);
  }
  // Releases and facts of a tab, if it is the one in sight and has any.
  show(tab) {
    const { about, known } = tab.store, one = known?.get(about?.release);
    if (tab !== SHARED.active || !(known?.size || tab.facts)) return;
    this.select.parentElement.hidden = Boolean(tab.facts); // a tab with facts of its own speaks of several releases
    if (tab.facts) return void (document.getElementById("vg-facts").textContent = tab.facts);
    this.select.replaceChildren(...[...known.keys()].map((name) => make("option", { value: name }, name)));
    this.select.value = about?.release ?? "";
    if (!one) return;
    const parts = [`${one.size}×${one.size}`, `${about.native} frames`];
    if (one.data) parts.push(`trained on ${one.data}`);
    document.getElementById("vg-facts").textContent = parts.join(" · ");
  }
}
