// The slowest requests, each as a bar from its arrival on: where its time went.

const STAGE_NAMES = {
  scheduler: "waiting at the scheduler",
  instance: "waiting at the instance",
  prefill: "prefill",
  transfer: "transfer or wait to decode",
  decode: "decode",
};
const WATERFALLS_AT_FIRST = 12;

function waterfallSection(run, openLane) {
  if (!run.slowest?.length) {
    return section(
      "slowest",
      "Slowest requests",
      null,
      nothing("No request completed with a row of its own, so none can be shown."),
    );
  }
  const list = element("ol", { class: "waterfalls" });
  let [key, all] = ["e2e_s", false];
  const more = element("button", {
    type: "button",
    class: "more",
    onclick: () => {
      all = true;
      show();
    },
  });
  const show = () => {
    const requests = [...run.slowest]
      .sort((a, b) => (b[key] ?? 0) - (a[key] ?? 0) || a.id - b.id)
      .slice(0, all ? undefined : WATERFALLS_AT_FIRST);
    // By TTFT the scale ends at the first tokens: what comes after would hide what came before.
    const length = (request) =>
      key === "ttft_s" ? request.ttft_s * 1.05 : lastMoment(request) - request.arrival;
    const longest = Math.max(...requests.map(length), 1e-9);
    list.replaceChildren(...requests.map((request) => waterfall(request, longest, openLane)));
    more.hidden = requests.length === run.slowest.length;
    more.textContent = `Show all ${run.slowest.length}`;
  };
  show();
  return section(
    "slowest",
    "Slowest requests",
    null,
    element(
      "div",
      { class: "filters" },
      choice(
        "slowest by",
        [
          ["e2e_s", "E2E"],
          ["ttft_s", "TTFT"],
        ],
        (value) => {
          key = value;
          show();
        },
      ),
      stageKey(),
    ),
    list,
    more,
  );
}

const stageKey = () =>
  element(
    "span",
    { class: "key" },
    Object.entries(STAGE_NAMES).map(([stage, name]) =>
      element(
        "span",
        {},
        element("i", { class: "swatch", style: { background: `var(--wait-${stage})` } }),
        name,
      ),
    ),
  );

const lastMoment = (request) =>
  Math.max(request.arrival + (request.e2e_s ?? 0), request.decode?.end ?? 0, request.prefill?.end ?? 0);

// The stages of a request as [stage, from, to].
function stagesOf(request) {
  const { arrival, scheduled, prefill, decode } = request;
  const end = lastMoment(request);
  const handed = scheduled ?? prefill?.start ?? end;
  const stages = [
    ["scheduler", arrival, handed],
    ["instance", handed, prefill?.start ?? end],
  ];
  if (prefill) {
    stages.push(["prefill", prefill.start, prefill.end]);
    if (decode) stages.push(["transfer", prefill.end, decode.start], ["decode", decode.start, decode.end]);
    else stages.push(["decode", prefill.end, end]);
  }
  return stages.filter(([, from, to]) => to > from);
}

function waterfall(request, longest, openLane) {
  const share = (seconds) => `${Math.max(0, (seconds / longest) * 100)}%`;
  const bars = stagesOf(request).map(([stage, from, to]) =>
    element("i", {
      title: `${STAGE_NAMES[stage]} ${formatSeconds(to - from)}`,
      style: {
        left: share(from - request.arrival),
        width: share(to - from),
        background: `var(--wait-${stage})`,
      },
    }),
  );
  const told = stagesOf(request)
    .map(([stage, from, to]) => `${STAGE_NAMES[stage]} ${formatSeconds(to - from)}`)
    .join(", ");
  return element(
    "li",
    { class: "waterfall" },
    element(
      "div",
      { class: "who" },
      element("b", {}, `request ${request.id}`),
      element(
        "small",
        {},
        `at ${formatInstant(request.arrival)} · ${formatNumber(request.prompt_tokens)} in, ${formatNumber(request.output_tokens)} out`,
      ),
    ),
    element("div", { class: "stages", role: "img", "aria-label": told }, bars),
    element(
      "div",
      { class: "took" },
      element("b", {}, formatSeconds(request.e2e_s)),
      element("small", {}, `TTFT ${formatSeconds(request.ttft_s)}`),
    ),
    element("div", { class: "where" }, places(request, openLane), troubles(request)),
  );
}

function places(request, openLane) {
  const ids = [request.prefill?.instance, request.decode?.instance].filter((id) => isNumber(id));
  const unique = [...new Set(ids)];
  return element(
    "small",
    {},
    unique
      .flatMap((id, index) => [
        index > 0 && " → ",
        linkButton(String(id), () => openLane(id), { title: `instance ${id}` }),
      ])
      .filter(Boolean),
  );
}

function troubles(request) {
  const words = [
    request.first_refusal !== null &&
      request.first_refusal !== undefined &&
      `first refused at ${formatInstant(request.first_refusal)}`,
    request.recomputed > 0 && `recomputed ${formatNumber(request.recomputed)}×`,
    request.requeued > 0 && `requeued ${formatNumber(request.requeued)}×`,
  ].filter(Boolean);
  return words.length > 0 ? element("small", { class: "trouble" }, words.join(", ")) : null;
}
