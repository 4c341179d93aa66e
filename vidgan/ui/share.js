// Taking it home: the link, the lines that make the same frames, the files. And the tour.

const OURS = /^(release|label|frames|z|seed\..*|truncation\..*)$/;

function linkTo(query) {
  const kept = [...new URLSearchParams(location.search)].filter(([key]) => !OURS.test(key));
  const rest = new URLSearchParams(kept).toString();
  return `${location.origin}${location.pathname}?${query}${rest ? `&${rest}` : ""}${location.hash}`;
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

function sharing(page) {
  const { store } = page;
  const menu = document.getElementById("vg-copy"), shown = document.getElementById("vg-copy-text");
  const texts = {
    python: () => store.point.python,
    cli: () => store.point.cli,
    link: () => linkTo(store.point.query),
  };
  const copy = async (what, button) => {
    await store.idle();
    if (!store.point) return;
    const text = texts[what]();
    const done = await toClipboard(text);
    shown.textContent = text;
    shown.hidden = what === "link" && button.id === "vg-link";
    const before = button.dataset.text || (button.dataset.text = button.textContent);
    button.textContent = done ? "Copied" : "Select and copy it below";
    page.say(done ? "Copied" : text);
    clearTimeout(button.timer);
    button.timer = setTimeout(() => (button.textContent = before), 1500);
  };
  document.getElementById("vg-link").addEventListener("click", (event) => copy("link", event.currentTarget));
  for (const button of menu.querySelectorAll("[data-copy]"))
    button.addEventListener("click", () => copy(button.dataset.copy, button));
  document.addEventListener("pointerdown", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
  menu.addEventListener("toggle", () => menu.open || (shown.hidden = true));

  for (const button of page.root.querySelectorAll("[data-save]"))
    button.addEventListener("click", async () => {
      await store.idle();
      if (!store.point) return;
      button.setAttribute("aria-busy", "true");
      try {
        const file = await store.ask("take", { query: store.point.query, format: button.dataset.save });
        const bytes = Uint8Array.from(atob(file.data), (letter) => letter.charCodeAt(0));
        const url = URL.createObjectURL(new Blob([bytes], { type: file.mime }));
        make("a", { href: url, download: file.name }).click();
        setTimeout(() => URL.revokeObjectURL(url), 10000);
        page.say(`Saved ${file.name}`);
      } catch (error) {
        page.complain(error.message);
      }
      button.removeAttribute("aria-busy");
    });
}

const STEPS = [
  ["vg-player", "This clip was made by a small network. Nobody in it exists."],
  ["vg-panels", "It is steered by two handles: who it is, and how it moves. Pull any slider; the clip follows."],
  ["vg-redraw", "Redraw throws the dice for both. Close a lock to keep that half."],
  ["vg-grid", "Every row is a person, every column a motion. Click a clip to become it."],
  ["vg-link", "The address bar always holds exactly this clip. Copy the link, the file, or the lines of Python."],
];

function tour(page) {
  const box = page.find("vg-tour"), text = page.find("vg-tour-text"), count = page.find("vg-tour-count");
  const next = page.find("vg-tour-next");
  let step = -1, lit = null;
  const light = (element) => {
    lit?.classList.remove("vg-lit");
    lit = element;
    lit?.classList.add("vg-lit");
  };
  const end = () => {
    box.hidden = true;
    light(null);
    try {
      localStorage.setItem("vidgan.tour", "seen");
    } catch {} // a browser that keeps nothing gets the tour again
  };
  const go = (to) => {
    if (to >= STEPS.length) return end();
    step = to;
    const [id, words] = STEPS[step];
    const target = document.getElementById(id);
    text.textContent = words;
    count.textContent = `${step + 1} of ${STEPS.length}`;
    next.textContent = step === STEPS.length - 1 ? "Done" : "Next";
    light(id === "vg-player" ? target.parentElement : target);
    target.scrollIntoView({ block: "nearest", behavior: "smooth" });
    box.hidden = false;
  };
  next.addEventListener("click", () => go(step + 1));
  page.find("vg-tour-skip").addEventListener("click", end);
  box.addEventListener("keydown", (event) => event.key === "Escape" && end());
  page.find("vg-tour-again").addEventListener("click", () => {
    go(0);
    next.focus();
  });
  let seen = true;
  try {
    seen = localStorage.getItem("vidgan.tour") === "seen";
  } catch {}
  if (!seen) go(0);
}
