// Five sentences for whoever comes for the first time, and silence after.

const STEPS = [
  ["vg-player", "This clip was made by a small network, not by a camera."],
  ["vg-panels", "It is steered by two handles: who it is, and how it moves. Pull any slider; the clip follows."],
  ["vg-redraw", "Redraw throws the dice for both. Close a lock to keep that half."],
  ["vg-grid", "Every row is a person, every column a motion. Click a clip to become it."],
  ["vg-link", "The address bar always holds exactly this clip. Copy the link, the file, or the lines of Python."],
];

function tour(page) {
  const box = page.find("tour"), text = page.find("tour-text"), count = page.find("tour-count");
  const next = page.find("tour-next");
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
  page.find("tour-skip").addEventListener("click", end);
  box.addEventListener("keydown", (event) => event.key === "Escape" && end());
  page.find("tour-again").addEventListener("click", () => {
    go(0);
    next.focus();
  });
  let seen = true;
  try {
    seen = localStorage.getItem("vidgan.tour") === "seen";
  } catch {}
  if (!seen) go(0);
}
