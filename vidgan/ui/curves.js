// How training went, as a plot of gradio's below the tab. Its script is large, so that nothing is asked for before the
// place where it will stand comes into sight.

const HUES = ["--accent", "--second", "#8b7bd8", "#d0655a", "#4f8fd0", "#7d9b3f", "#b0628f", "#8a7b6c"];

class Curves {
  // show(figure): hands {type, plot} to gradio
  constructor(tab, show) {
    Object.assign(this, { tab, show, releases: [], drawn: null, near: false });
    this.select = tab.find("curve");
    this.select.addEventListener("change", () => this.draw());
    new IntersectionObserver(([{ isIntersecting }]) => {
      this.near = isIntersecting;
      this.draw();
    }, { rootMargin: "150px" }).observe(tab.find("training"));
  }
  // quantities: name -> in words
  build(releases, quantities) {
    const names = Object.keys(quantities), before = this.select.value;
    this.releases = releases;
    this.select.replaceChildren(...names.map((name) => make("option", { value: name }, quantities[name])));
    if (names.includes(before)) this.select.value = before;
    this.select.hidden = !names.length;
    const silent = names.length ? "" : "These releases hold no curves of their training.";
    this.tab.find("curves-note").textContent = silent;
    if (!names.length && this.drawn) this.show(null);
    this.drawn = names.length ? this.drawn : null;
    this.draw();
  }
  async draw() {
    const asked = { releases: this.releases, quantity: this.select.value }, key = JSON.stringify(asked);
    if (!this.near || !asked.quantity || key === this.drawn) return;
    this.drawn = key;
    try {
      const { figure } = await this.tab.store.ask("curve", asked);
      if (key !== this.drawn) return;
      this.tab.calm(this.select);
      this.tab.find("curves-note").textContent = NOTES[asked.quantity] ?? NOTES.metric;
      this.show({ type: "plotly", plot: JSON.stringify(this.dressed(figure)) });
    } catch (error) {
      this.tab.complain(error.message, this.select);
      this.drawn = null;
    }
  }
  // In the page's own colours, of the day or of the night
  dressed({ data, layout }) {
    const style = getComputedStyle(this.tab.root), colour = (name) => (name.startsWith("--") ? style.getPropertyValue(name).trim() : name);
    const [ink, line] = ["--ink", "--line"].map(colour);
    for (const trace of data) trace.line = { ...trace.line, width: 2, color: colour(HUES[trace.meta % HUES.length]) };
    for (const [name, axis] of Object.entries(layout)) {
      if (/^[xy]axis/.test(name)) Object.assign(axis, { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true });
      if (axis.title) axis.title.font = { size: 12 };
    }
    for (const note of layout.annotations) note.font = { color: ink, size: 13 };
    return {
      data,
      layout: {
        ...layout, height: layout.height + 110, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        font: { family: "system-ui, sans-serif", size: 12, color: ink }, margin: { l: 50, r: 10, t: 30, b: 80 },
        legend: { orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom" }, hovermode: "closest",
        hoverlabel: { bgcolor: colour("--paper"), bordercolor: line, font: { color: ink } },
        dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a thumb scrolls the page
      },
      config: { displayModeBar: false },
    };
  }
}

const NOTES = {
  losses: "What each system minimised. Losses of different systems cannot be compared with one another.",
  metric: "Measured as it went. Each protocol has axes of its own; a line that is dotted was measured on training clips.",
};
