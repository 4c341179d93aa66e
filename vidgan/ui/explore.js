// The tab Explore: everything above put together. `element`, `server` and `trigger` are given by the component that
// holds it; its event "select" turns the page to the tab that SHARED.turning names.

class Explore extends Stage {
  constructor(element, server, trigger) {
    super(element, server, "explore", "vg", "drawn");
    SHARED.turn = (name) => {
      SHARED.turning = name;
      trigger("select");
    };
    this.peek = new Peek(this, this.find("peek"));
    this.panels = [];
    this.matrix = new Matrix(this, this.find("grid"));
    this.layers = new Clips(this, this.find("views"));
    this.on("about", (about) => this.build(about));
    this.on("point", (point) => this.panels.forEach((panel) => panel.show(point)));
    this.watch();
  }
  build(about) {
    this.panels = about.spaces.map((space) => new Panel(this, space, about.spaces));
    this.labels = this.panels.find((panel) => panel.labels)?.labels;
    this.find("panels").replaceChildren(...this.panels.map((panel) => panel.element));
    this.find("spread-box").hidden = about.labels.length < 2;
    this.find("layers").hidden = !about.views.length;
  }
  async opened() {
    await this.matrix.fill();
    this.follow();
    if (!this.toured) tour(this);
    this.toured = true;
    this.search();
  }
  // The parts that the clip is laid together from, where a release has any
  async follow() {
    const { about, point } = this.store;
    if (!about.views.length) return;
    const whole = point.query.replace(/&view=[^&]*/, ""), to = (view) => ({ kind: "view", view });
    await this.layers.fill(["", ...about.views].map((view) => ({
      caption: view || "all of it", query: whole, changes: view ? [to(view)] : [],
      take: () => this.store.change("view", to(view), this.find("views")),
    })), "views");
  }
  redraw() {
    if (this.panels.every((panel) => panel.locked)) this.complain("Both halves are locked; open a lock to redraw.");
    else this.panels.forEach((panel) => panel.redraw());
  }
  // Until the strongest directions are known, ask now and then.
  async search() {
    const { store } = this;
    while (store.about.searching) {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const name = store.about.release;
      try {
        const answer = await store.ask("find_directions", { query: store.point.query });
        if (name !== store.about.release || answer.release !== name) continue;
        if (answer.searching) {
          for (const panel of this.panels) if (panel.search) panel.search.value = answer.progress;
          continue;
        }
        store.about = answer;
        if (!store.busy && answer.point.query === store.point.query) store.point = answer.point;
        for (const panel of this.panels) {
          panel.space = answer.spaces.find((space) => space.name === panel.space.name);
          panel.fillTop();
          panel.show(store.point);
        }
        if (!store.point.spaces[answer.spaces[0].name].directions.length) await store.visit(store.point.query);
      } catch {} // asked again
    }
  }
}

new Explore(element, server, trigger);
