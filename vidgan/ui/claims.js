// What a benchmark found of the papers' claims on one data set: a table for each, as explore/claims.py has them.

const VERDICTS = {
  confirmed: "Confirmed: every difference is as the paper has it, beyond what seeds vary.",
  refuted: "Refuted: a difference is the other way round, beyond what seeds vary.",
  open: "Open: the seeds do not decide it.",
};

function claimTables(claims) {
  return claims.map(({ source, claim, verdict, better, budget, scale, seeds, metrics, rows }) => {
    const chip = make("span", { class: `vc-verdict vc-${verdict}`, title: VERDICTS[verdict] }, verdict);
    const terms = `${source}, on equal terms: ${budget.toLocaleString("en")} training clips each, ${scale} networks, ${seeds} ${seeds === 1 ? "seed" : "seeds"}; ${better === "low" ? "less" : "more"} is better in the first column.`;
    const head = make("tr", {}, make("td", {}), ...metrics.map(([key, name, form]) => make("th", { scope: "col", title: `${key}: ${form}` }, name)));
    const body = rows.map(([name, parameters, scores]) => make("tr", {},
      make("th", { scope: "row" }, name, make("small", {}, `${many(parameters)} parameters`)),
      ...scores.map((score) => make("td", {}, ...(score ? claimScore(score) : ["—"])))));
    return make("article", { class: "vc-claim" },
      make("h3", {}, `${claim} `, chip), make("p", { class: "vg-quiet" }, terms),
      make("div", { class: "vc-claimed" }, make("table", { class: "vc-table" }, make("thead", {}, head), make("tbody", {}, ...body))));
  });
}

function claimScore({ mean, interval }) {
  if (!interval) return [inDigits(mean)];
  return [inDigits(mean), make("small", { title: "95% interval of the mean over seeds" }, `${inDigits(interval[0])} to ${inDigits(interval[1])}`)];
}
