// The tab Interpolate: a way past keyframes, as a figure of clips, under the hand, and as a film. `element` and `server`
// are given by the component that holds it.

const WHAT = {
  all: "All", latents: "Within the class", label: "Between labels", appearance: "Appearance only", motion: "Motion only",
};
const EASINGS = { linear: "even", smooth: "smooth", rest: "rest at each" };
const PACES = [0.5, 1, 2, 4];
const USUAL = { what: "all", lerp: [], easing: "smooth", loop: false, pace: 2 };

class Interpolate extends Stage {
  constructor(element, server) {
    super(element, server, "interpolate", "vi", "drawn");
    this.walk = null; // as the server last confirmed it
    this.wish = null; // as the hand wants it
    this.keys = new Keyframes(this);
    this.columns = new Clips(this, this.find("columns"));
    this.film = new Film(this);
    this.way = slider(this.store, {
      key: "t", name: "On the way", label: "Place on the way", low: 0, high: 1, step: 0.002,
      format: (t) => this.nameOf(t), what: (t) => this.step(t),
    });
    this.way.input.value = 0;
    this.find("place").replaceChildren(this.way.row);
    this.saver("figure-save", "the figure", ["mp4", "webp", "gif"], (format) => this.ask("figure", { walk: this.walk.walk, format }));
    this.send = newest(({ wish, from }) => this.request(wish, from));
    this.choices();
    this.on("about", (about) => this.build(about));
    this.watch();
  }
  ask(name, request) {
    return this.store.ask(name, { release: this.release, ...request });
  }
  choices() {
    const options = (names) => Object.entries(names).map(([value, text]) => make("option", { value }, text));
    for (const [name, made, value] of [
      ["pace", PACES.map((seconds) => make("option", { value: seconds }, `${seconds} s`)), (select) => Number(select.value)],
      ["easing", options(EASINGS), (select) => select.value],
      ["loop", null, (box) => box.checked],
    ]) {
      const control = (this[name] = this.find(name));
      if (made) control.replaceChildren(...made);
      control.addEventListener("change", () => this.change({ [name]: value(control) }, control));
    }
    this.find("add").addEventListener("click", (event) =>
      this.change({ points: [...this.wish.points, this.store.point.query] }, event.target));
  }
  build({ spaces, labels }) {
    this.find("length").closest("label").hidden = true; // all keyframes have the same
    const roles = new Set(spaces.map((space) => space.role));
    const there = (what) => what === "all" || (roles.has(what) ? roles.size > 1 : labels.length > 1 && !["appearance", "motion"].includes(what));
    this.what = new Map(Object.keys(WHAT).filter(there).map((what) => [what, make("button", {
      type: "button", class: "vg-chip", "aria-pressed": "false", onclick: (event) => this.change({ what }, event.target),
    }, WHAT[what])]));
    this.find("what").replaceChildren(...this.what.values());
    this.paths = new Map(spaces.map((space) => {
      const select = make("select", {}, ...["slerp", "lerp"].map((method) => make("option", { value: method }, method)));
      select.addEventListener("change", () =>
        this.change({ lerp: [...this.paths].filter(([, one]) => one.value === "lerp").map(([name]) => name) }, select));
      return [space.name, select];
    }));
    this.find("paths").replaceChildren(...spaces.map((space) => make("label", {
      class: "vg-inline", title: "slerp: along the great circle; lerp: along the straight line",
    }, `${named(space, spaces).title} by `, this.paths.get(space.name))));
    this.keys.build(labels);
  }
  // From where we are to somebody else, unless the link holds a walk
  async opened() {
    const walk = SHARED.walk ?? this.former?.walk?.walk, { query } = this.store.point;
    const pace = PACES.find((value) => String(value) === new URLSearchParams(SHARED.asked).get("pace")) ?? USUAL.pace;
    const turn = (this.turn = {});
    SHARED.walk = this.former = this.walk = this.wish = null;
    try {
      if (walk && (await this.request({ walk, pace }))) return;
      const end = await this.keys.random(query);
      if (turn === this.turn) await this.request({ ...USUAL, points: [query, end] }, null, Boolean(walk));
    } catch (error) {
      this.complain(error.message, this.keys.element);
    }
  }
  // from: what the hand is on
  change(change, from) {
    if (!this.walk) return;
    this.wish = { ...this.wish, ...change };
    this.send({ wish: this.wish, from });
  }
  // keep: a complaint that is there stays. Returns whether there is such a walk.
  async request(wish, from = null, keep = false) {
    const place = from ?? this.keys.element;
    let fine = true;
    try {
      const walk = await this.during(() => this.ask("walk", wish));
      if (walk.release !== this.store.about.release) return true; // another one has been chosen since
      this.walk = walk;
      if (!keep) this.calm(place);
    } catch (error) {
      this.complain(error.message, place);
      fine = false;
    }
    if (!fine || !this.wish || this.wish === wish) this.wish = this.walk && pick(this.walk);
    if (this.walk) this.show();
    return fine;
  }
  async show() {
    const { walk } = this;
    for (const [what, chip] of this.what) chip.setAttribute("aria-pressed", what === walk.what);
    for (const [name, select] of this.paths) select.value = walk.lerp.includes(name) ? "lerp" : "slerp";
    this.pace.value = walk.pace;
    this.easing.value = walk.easing;
    this.loop.checked = walk.loop;
    this.find("note").textContent = walk.note ?? "";
    this.find("note").hidden = !walk.note;
    this.address();
    this.way.set(Number(this.way.input.value)); // its place has another name
    if (this.drawn === walk) return this.keys.show(walk);
    this.drawn = walk;
    this.film.forget();
    await this.keys.show(walk);
    if (this.walk !== walk) return;
    await this.columns.fill(walk.columns.map((t) => ({
      caption: this.nameOf(t), name: `Clip at ${this.nameOf(t)}`, query: walk.points[0], changes: [this.step(t)],
      take: () => this.go(t),
    })));
    const here = this.columns.cells.findIndex((cell) => cell.query === this.store.point.query);
    if (this.walk === walk && here >= 0) this.way.set(walk.columns[here]);
  }
  // The change that leads to a place, 0 to 1 over the whole way
  step(t) {
    return { kind: "walk", walk: this.walk?.walk ?? "", t };
  }
  go(t) {
    this.way.set(t);
    this.store.change("t", this.step(t), this.columns.element);
  }
  nameOf(t) {
    const count = this.walk?.points.length ?? 2, passed = t * (this.walk?.loop ? count : count - 1), near = Math.round(passed);
    if (Math.abs(passed - near) < 1e-6) return letter(near % count);
    return count === 2 && !this.walk?.loop ? percent(t) : `${letter(Math.floor(passed))}+${percent(passed % 1)}`;
  }
  redraw() {
    if (this.walk) this.keys.redraw();
  }
  extras() {
    const walk = this.walk?.walk ?? SHARED.walk, pace = this.walk?.pace ?? USUAL.pace;
    return { tab: "interpolate", ...(pace === USUAL.pace ? {} : { pace }), ...(walk ? { walk } : {}) };
  }
  lines(what) {
    return this.walk?.[what] ?? super.lines(what);
  }
}

function letter(index) {
  return "ABCDEFGHIJKLMNOP"[index];
}

// What a walk consists of, as it is asked for
function pick({ points, what, lerp, easing, loop, pace }) {
  return { points, what, lerp, easing, loop, pace };
}

new Interpolate(element, server);
