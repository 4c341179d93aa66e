// The subspaces of a release: which are kept, which drawn anew, and what each of them changes.

const DRAWS = [1, 2, 4, 8]; // a first impression, then better and better

class Parts {
  constructor(tab, element) {
    Object.assign(this, { tab, store: tab.store, element, rows: [], token: null });
  }
  build(spaces) {
    this.rows = spaces.map((space) => {
      const { title, term } = named(space, spaces);
      const chip = (text, redraw) => make("button", {
        type: "button", class: "vg-chip", "aria-pressed": "false", "aria-label": `${title}: ${text.toLowerCase()}`,
        onclick: () => this.set(space.name, redraw),
      }, text);
      const row = { name: space.name, title, keep: chip("Keep", false), redraw: chip("Redraw", true) };
      row.bar = make("div", { class: "vr-bar", role: "img", "aria-label": `${title}: not measured yet` },
        make("span", { class: "vr-appearance" }), make("span", { class: "vr-motion" }), make("i"));
      row.words = make("span", { class: "vg-quiet vr-words" }, "measuring…");
      row.element = make("div", { class: "vr-part", role: "group", "aria-label": title },
        make("div", { class: "vr-title" }, make("strong", {}, title), " ", make("small", { class: "vg-quiet" }, term)),
        make("div", { class: "vg-chips" }, row.keep, row.redraw), row.bar, row.words);
      return row;
    });
    this.element.replaceChildren(...this.rows.map((row) => row.element));
    this.measured = this.token = null;
  }
  set(name, redraw) {
    const { row } = this.tab;
    if (!row || row.names.includes(name) === redraw) return;
    const names = this.rows.map((one) => one.name).filter((one) => (one === name ? redraw : row.names.includes(one)));
    if (!names.length) return this.tab.complain("One part at least has to be redrawn; choose another one first.", this.element);
    this.tab.show({ ...row, names });
  }
  choose(names) {
    for (const row of this.rows) {
      row.keep.setAttribute("aria-pressed", !names.includes(row.name));
      row.redraw.setAttribute("aria-pressed", names.includes(row.name));
    }
  }
  // What each part changes around a point: each request needs a few clips only, and waits for the hand.
  async measure(query) {
    if (query === this.measured || query === this.token?.query) return;
    const token = (this.token = { query });
    this.element.setAttribute("aria-busy", "true");
    try {
      for (const draws of DRAWS) {
        await this.store.rest();
        if (token !== this.token || !this.tab.shown) return;
        const answer = await this.store.ask("shares", { query, draws });
        if (token !== this.token) return;
        this.show(answer.shares, draws);
      }
      this.measured = query;
    } catch (error) {
      if (token === this.token) this.tab.complain(error.message, this.element);
    } finally {
      if (token === this.token) {
        this.token = null;
        this.element.removeAttribute("aria-busy");
      }
    }
  }
  show(shares, draws) {
    this.tab.find("draws").textContent = draws === 1 ? "measured in 1 draw" : `measured in ${draws} draws`;
    const longest = Math.max(1, ...Object.values(shares).map((share) => share.total));
    for (const { name, title, bar, words } of this.rows) {
      const { appearance, motion, total } = shares[name];
      [appearance, motion, total / longest].forEach((share, i) => (bar.children[i].style.width = `${100 * share}%`));
      const told = total ? [`appearance ${percent(appearance)}`, `motion ${percent(motion)}`, `strength ${percent(total)}`] : ["changes nothing"];
      words.replaceChildren(...told.map((word) => make("span", {}, word)));
      bar.setAttribute("aria-label", `${title}: ${told.join(", ")}`);
    }
  }
}
