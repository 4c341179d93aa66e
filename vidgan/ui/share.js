// Taking it home: the link, the lines that make the same frames. And what the tabs of one page share.
//
// A picture in a link stands behind the #: browsers never send that part, so that it appears in no server's log and no
// proxy finds the link too long.

const OURS = /^(release|label|frames|z|fusion|then|image|seed\..*|truncation\..*)$/;
const PICTURE = "#image=";

// asked: the link that the visitor came with; elsewhere: whether it is for another tab than Explore; tabs by name;
// active: the one in sight
const SHARED = (window.vidgan ??= {
  asked: location.search + (location.hash.startsWith(PICTURE) ? `&${location.hash.slice(1)}` : ""),
  elsewhere: false,
  tabs: {},
  active: null,
});

function linkTo(query) {
  const parts = query.split("&"), image = parts.find((part) => part.startsWith("image="));
  const kept = [...new URLSearchParams(location.search)].filter(([key]) => !OURS.test(key));
  const rest = new URLSearchParams(kept).toString();
  const mine = parts.filter((part) => part !== image).join("&");
  const hash = image ? `#${image}` : location.hash.startsWith(PICTURE) ? "" : location.hash;
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
    // a link that differs in its picture alone is the same page to a browser
    addEventListener("hashchange", () => location.hash.startsWith(PICTURE) && location.reload());
  }
  async copy(what, button) {
    const tab = SHARED.active;
    await tab?.store.idle();
    if (!tab?.store.point) return;
    const { point } = tab.store;
    const text = what === "link" ? linkTo(point.query) : point[what];
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
    if (tab !== SHARED.active || !tab.known?.size) return;
    this.select.replaceChildren(...[...tab.known.keys()].map((name) => make("option", { value: name }, name)));
    const { about } = tab.store, one = tab.known.get(about?.release);
    this.select.value = about?.release ?? "";
    if (!one) return;
    const parts = [`${one.size}×${one.size}`, `${about.native} frames`];
    if (one.data) parts.push(`trained on ${one.data}`);
    document.getElementById("vg-facts").textContent = parts.join(" · ");
  }
}
