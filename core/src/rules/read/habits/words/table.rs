//! Other programs' keys, in small letters and digits alone, and what is said of each.

use super::Say;

pub type Table = &'static [(&'static [&'static str], Say)];

pub const RULE_WORDS: Table = &[
    (
        &[
            "probability",
            "prob",
            "chance",
            "toxicity",
            "failurerate",
            "errorrate",
            "faultrate",
            "conflictrate",
            "errorprobability",
            "failureprobability",
            "ratio",
            "share",
            "odds",
            "likelihood",
            "samplerate",
        ],
        Say::Share,
    ),
    (&["percentage", "percent", "pct", "failurepercentage", "errorpercentage"], Say::Percent),
    (
        &[
            "times",
            "count",
            "repeat",
            "maxtimes",
            "failures",
            "failcount",
            "failtimes",
            "failfirst",
            "remainingtimes",
            "uptontimes",
            "failrequestcount",
            "n",
            "requestcount",
            "once",
            "numberoftimes",
        ],
        Say::Count("write `first = ", "`: so many of each key; `limit` bounds them in all"),
    ),
    (&["nth", "interval", "everynth", "modulo"], Say::Count("write `every = ", "`")),
    (&["sequence", "series"], Say::Plain("by position is `pattern`: write `pattern = \"..xx.\"`")),
    (&["throttle", "ratelimit", "rps", "qps", "requestspersecond", "maxrate", "quota"], Say::Rate),
    (
        &["ttl", "timetolive", "duration", "window", "until", "schedule", "startafter", "startdelay"],
        Say::Plain("when a rule is awake is `during`: write `during = { for = \"10s\" }`"),
    ),
    (&["maxinjections", "maxfires", "maxfaults", "maxconflicts", "max"], Say::Count("write `limit = ", "`")),
    (
        &["key", "groupby", "scope", "countby", "keyby", "partitionby", "perkey"],
        Say::Plain("what is counted per is `per`: write `per = \"path\"`"),
    ),
    (
        &["type", "conflict", "situation", "fault", "faulttype", "error", "conflicttype", "errortype"],
        Say::Plain("the situation is `kind`: write `kind = \"version\"`"),
    ),
    (
        &[
            "request",
            "httprequest",
            "match",
            "matches",
            "matcher",
            "when",
            "given",
            "predicates",
            "conditions",
            "filter",
        ],
        Say::Plain("its keys stand in the rule itself: `method`, `path`, `header`, `query`, `body`"),
    ),
    (
        &[
            "response",
            "responses",
            "httpresponse",
            "respond",
            "answer",
            "returns",
            "return",
            "then",
            "action",
            "abort",
        ],
        Say::Plain("what a client is told is `reply`: write `reply = { status = 409 }`"),
    ),
    (
        &["status", "statuscode", "code", "httpstatus", "responsecode", "responsestatus", "errorcode"],
        Say::Status,
    ),
    (
        &["responseheaders", "replyheaders", "setheaders", "addheaders"],
        Say::Plain("belongs in `reply`: write `reply = { headers = { … } }`"),
    ),
    (&["requestheaders", "headerpatterns"], Say::Plain("write `header = { x-tenant = \"acme\" }`")),
    (&["requestbody", "bodypatterns", "bodypattern"], Say::Plain("write `body = { \"/name\" = \"value\" }`")),
    (&["headers"], Say::Plain("of requests `header = { … }`, of the answer `reply = { headers = { … } }`")),
    (
        &["jsonbody", "responsebody", "content", "text", "payload", "data", "message", "json"],
        Say::Plain(
            "the answer's text is `reply = { body = '…' }`, a field of requests `body = { \"/name\" = … }`",
        ),
    ),
    (
        &[
            "delay",
            "latency",
            "delayms",
            "fixeddelaymilliseconds",
            "fixeddelay",
            "wait",
            "sleep",
            "responsedelay",
        ],
        Say::Delay("belongs in `reply`: write `reply = { delay = ", " }`"),
    ),
    (
        &["contenttype"],
        Say::Plain("belongs in `reply`: write `reply = { headers = { content-type = \"…\" } }`"),
    ),
    (
        &["id", "title", "description", "label", "rulename", "comment"],
        Say::Plain("a rule's word is `name`; a text of your own is a comment: `# …`"),
    ),
    (&["disabled", "disable", "skip", "active"], Say::Plain("write `enabled = false`")),
    (
        &["priority", "order", "precedence", "weight"],
        Say::Plain("rules are tried in the file's order: move this one up or down"),
    ),
    (
        &["scenario", "scenarioname", "requiredscenariostate", "newscenariostate", "state"],
        Say::Plain("what follows on what is said by `pattern`, `clear` or `on`"),
    ),
];

pub const MATCH_WORDS: Table = &[
    (&["methods", "verb", "verbs", "httpmethod", "httpmethods"], Say::Text("write `method = ", "`")),
    (
        &[
            "url",
            "urls",
            "uri",
            "urlpath",
            "urlpattern",
            "urlpathpattern",
            "urlpathtemplate",
            "endpoint",
            "route",
            "resource",
            "location",
            "paths",
            "pathname",
            "pathpattern",
            "target",
        ],
        Say::Path,
    ),
    (&["prefix", "pathprefix"], Say::Prefix),
    (&["regex", "regexp", "urlregex", "saferegex"], Say::Text("write `path_regex = ", "`")),
    (
        &[
            "queryparameters",
            "queryparams",
            "params",
            "querystring",
            "queries",
            "querystringparameters",
            "args",
        ],
        Say::Plain("write `query = { name = \"value\" }`"),
    ),
    (
        &["ip", "ips", "remoteaddr", "remoteip", "source", "sourceip", "clientip", "cidr", "address", "peer"],
        Say::Text("write `client = ", "`"),
    ),
    (&["domain", "hostname", "authority", "server"], Say::Text("write `host = ", "`")),
];

pub const REPLY_WORDS: Table = &[
    (&["statuscode", "code", "httpstatus", "responsecode"], Say::Count("write `status = ", "`")),
    (
        &["content", "text", "json", "jsonbody", "payload", "message", "data", "responsebody"],
        Say::Plain("the answer's text is `body`: write `body = '{\"error\":\"conflict\"}'`"),
    ),
    (&["file", "bodyfilename", "filename"], Say::Text("write `body_file = ", "`")),
    (
        &["latency", "delayms", "fixeddelaymilliseconds", "fixeddelay", "wait", "sleep"],
        Say::Delay("write `delay = ", "`"),
    ),
    (&["contenttype", "mimetype"], Say::Text("write `headers = { content-type = ", " }`")),
    (
        &["format", "type", "template", "shape"],
        Say::Plain("whose words it speaks is `style`: write `style = \"json\"`"),
    ),
];

pub const EXPECT_WORDS: Table = &[
    (&["retries", "maxretries", "retrycount", "maxretry"], Say::Retries),
    (&["maxattempts", "attempts", "tries", "maxtry"], Say::Count("write `max_tries = ", "`")),
    (&["mindelay", "minwait", "interval", "mininterval"], Say::Plain("write `min_gap = \"100ms\"`")),
    (&["success", "successrate", "succeeded", "recovery"], Say::Plain("write `recovered = 1.0`")),
    (&["exponential", "exponentialbackoff"], Say::Plain("write `backoff = true`")),
    (&["reread", "fresh"], Say::Plain("write `refetch = true`")),
    (&["idempotencykey", "idempotent"], Say::Plain("write `same_key = true`")),
];

pub const TOP_WORDS: Table = &[
    (&["reply", "response"], Say::Plain("belongs in a rule: write `[rule.reply]` behind its `[[rule]]`")),
    (
        &["match", "request"],
        Say::Plain("its keys stand in a rule: `[[rule]]`, then `method`, `path`, `header` and so on"),
    ),
    (
        &["port", "address", "bind", "addr", "listenaddr", "listenaddress", "proxyport", "listenport"],
        Say::Plain("where clients connect is `listen`: write `listen = \"127.0.0.1:4090\"`"),
    ),
    (
        &[
            "target",
            "backend",
            "proxypass",
            "proxyto",
            "baseurl",
            "origin",
            "forward",
            "server",
            "destination",
            "url",
            "proxybaseurl",
        ],
        Say::Text("where requests go is `upstream`: write `upstream = ", "`"),
    ),
    (&["threads"], Say::Count("write `workers = ", "`")),
    (&["randomseed", "rngseed", "random"], Say::Count("write `seed = ", "`")),
];
