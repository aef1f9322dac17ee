// The foot of the page: where it came from, how to make it again, and what its words mean.

const GLOSSARY = [
  ["TTFT", "seconds", "Time to first token: from a request's arrival until its first output token is there."],
  [
    "TBT",
    "seconds",
    "Time between tokens: what a request took after its first token, divided by all its output tokens.",
  ],
  ["TPOT", "seconds", "Time per output token: the same, divided by the output tokens after the first."],
  [
    "token gap",
    "seconds",
    "Between two output tokens (inter-token latency, ITL), over all such gaps of all requests: unlike TBT and TPOT, which are means, one a request, it shows stalls. Known where the engine tells it.",
  ],
  ["longest gap", "seconds", "The longest of the gaps between tokens of a request."],
  ["E2E", "seconds", "End to end: from a request's arrival until its last output token."],
  [
    "queue",
    "seconds",
    "From a request's arrival until its prompt is first worked on, at the scheduler and at the instance.",
  ],
  [
    "prefix cache hits",
    "share",
    "Of the tokens of requests admitted for the first time, those whose keys and values were still in the engine's cache.",
  ],
  ["preemptions", "", "Times a request lost its keys and values to others for want of room and was computed anew."],
  ["KV use", "share", "How much of the memory for keys and values of running requests is taken."],
  ["utilisation", "share", "The part of active and draining instance time in which there was work to do."],
  [
    "drain",
    "seconds",
    "From being taken out of routing until the last request has left and the instance is gone; its GPUs are paid for all the while.",
  ],
  [
    "starting",
    "seconds",
    "From the order of an instance until it takes work; its GPUs are paid for here too.",
  ],
  ["GPU-hours", "hours", "GPUs held by instances, times how long: serving, starting, draining or idle."],
  ["offered load", "requests/s", "Arrivals, whether or not the fleet can keep up with them."],
  ["attainment", "share", "Requests that kept every limit of the SLO, of all that arrived."],
  [
    "digest",
    "",
    "A fingerprint of everything that happened. Two runs with the same digest are the same run.",
  ],
];

function footer(data) {
  const again =
    data.kind === "run"
      ? [
          "To make this run again and have the digest compared: ",
          element("code", {}, "ebbflow rerun DIR"),
          ", to ask where the time of one request went: ",
          element("code", {}, "ebbflow explain DIR --request ID"),
          ", with the directory this file lies in.",
        ]
      : ["Every contender ran the same requests with the same seeds."];
  return element(
    "footer",
    {},
    element(
      "p",
      {},
      `Ebbflow ${data.version}`,
      data.digest ? [" · digest ", element("code", {}, data.digest)] : "",
      ". ",
      ...again,
    ),
    element(
      "details",
      { class: "glossary", open: true },
      element("summary", {}, "What the words mean"),
      element(
        "dl",
        {},
        GLOSSARY.map(([word, unit, meaning]) =>
          element(
            "div",
            {},
            element("dt", {}, word, unit && element("small", {}, unit)),
            element("dd", {}, meaning),
          ),
        ),
      ),
    ),
  );
}
